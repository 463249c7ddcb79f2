"""# Ingest prices

Takes every waiting store-day of a retailer from the outbox, checks it, and publishes its prices.

**Starts** when a crawl, barcode enrichment or the sweep puts files into the outbox (partition `retailer|night`); by hand
without a key it takes all retailers. **Reads** staged files. **Writes** `core.price`, `core.sku`, `core.product`,
`ops.quarantined_offer`, `ops.data_quality_result` and the ledger `ops.staged_file`; moves files from the outbox to the archive.

| task | does |
|---|---|
| `load` | copies every waiting file into `staging.offer`; an unreadable file is refused, the others go on |
| `check` | runs the rule catalogue: lines to quarantine are marked, a store-day that breaks a store-level rule is held |
| `resolve` | gives every unknown SKU its product |
| `publish` | per store-day one transaction: prices, quarantine, ledger; emits the asset `prices` |
| `announce_held` | emits the asset `held`, so that `decide_held` asks a person; **skipped when nothing is held**, or somebody was asked already |
| `report` | red when the database rejects lines of a store-day (**the report names each line**), or when a store-day of this night is held or refused: the message says which, why and what to do |
| `every_step_done` | does nothing; *upstream failed* when a step failed, so that the run is red whatever `report` says |

**Safe to run again**: yes, any task at any time, also two runs at once: the ledger decides what is still to do.

**When it fails**: read the top of the task's message. Held data: answer the question of `decide_held` in the UI
(*Required Actions*), or `aisleflow quarantine list`, then `release` or `discard` with a reason; `report` turns green when it is cleared after that. A constraint, a trigger or a
value the database rejects: every culprit line is named, its store-day waits and the others are published; mend what the message says, then clear `load` with downstream.
A warehouse that does not answer: `aisleflow status`, then clear the task. Anything else: clear the
task once; if it fails the same way, the message names the file, and the file stays where it is.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, IdentityMapper, Param, PartitionedAssetTimetable, TriggerRule, task

from include.orchestration.assets import HELD, OUTBOX, PRICES
from include.orchestration.defaults import DEFAULT_ARGS, Tag
from include.retailer_names import RETAILERS

with DAG(
    dag_id="ingest_prices",
    schedule=PartitionedAssetTimetable(assets=OUTBOX, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.INGEST],
    doc_md=__doc__,
    params={
        "retailer": Param(None, type=["null", "string"], enum=[None, *RETAILERS], description="Only this retailer; empty = all."),
        "night": Param(None, type=["null", "string"], format="date", description="Night the run reports on; empty = the date of the run."),
    },
):

    @task
    def load(dag_run=None, params=None):
        from include.orchestration import ingest_prices

        return ingest_prices.load(dag_run, params)

    @task
    def check(dag_run=None, params=None):
        from include.orchestration import ingest_prices

        return ingest_prices.check(dag_run, params)

    @task
    def resolve(dag_run=None, params=None):
        from include.orchestration import ingest_prices

        return ingest_prices.resolve(dag_run, params)

    @task(outlets=[PRICES])
    def publish(dag_run=None, params=None, outlet_events=None):
        from include.orchestration import ingest_prices

        return ingest_prices.publish(dag_run, params, outlet_events)

    @task(outlets=[HELD], trigger_rule=TriggerRule.ALL_DONE)
    def announce_held(dag_run=None, params=None, outlet_events=None):
        from include.orchestration import decide_held, partitions

        return decide_held.announce_held(partitions.retailers_of(dag_run, params), outlet_events)

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def report(dag_run=None, params=None):
        from include.orchestration import ingest_prices

        ingest_prices.report(dag_run, params)

    checked = check()
    published = publish()
    load() >> checked >> resolve() >> published >> report()
    # `report` runs whatever failed: without this leaf a run with a failed step would be green
    published >> EmptyOperator(task_id="every_step_done", trigger_rule=TriggerRule.NONE_FAILED)
    checked >> announce_held()  # nobody waits for the rest of the night to hear of it
