"""# Ingest prices

Loads every waiting store-day of a retailer from the outbox, checks it, and publishes its prices.

**Starts** when a crawl, barcode enrichment or the sweep puts files into the outbox (partition `retailer|night`); triggered manually
without a partition key it ingests the files of all retailers. **Reads** staged files. **Writes** `core.price`, `core.sku`, `core.product`,
`ops.quarantined_offer`, `ops.data_quality_result` and the ledger `ops.staged_file`; moves files from the outbox to the archive.

| task | does |
|---|---|
| `load` | copies every waiting file into `staging.offer`; an unreadable file is refused and the others are loaded |
| `check` | runs the rule catalogue on the oldest waiting night: lines to quarantine are marked, a store-day that breaks a store-level rule is held |
| `resolve` | assigns a product to every unknown SKU |
| `publish` | writes prices, quarantine and ledger in one transaction per store-day; checks, resolves and publishes later nights in their order, each against what the one before published; emits the asset `prices` |
| `announce_held` | emits the asset `held`, so that `decide_held` requests a decision; **skipped when no data are held** or a decision was already requested |
| `report` | red when the database rejects lines of a store-day (**the report lists each line**), or when a store-day of this night is held or refused: the message gives the store-day, the reason and the next step |
| `every_step_done` | does nothing; *upstream failed* when a step failed, so that the run is red regardless of `report` |

**Safe to run again**: yes, any task at any time, and two runs in parallel: the ledger determines the remaining work.

**When it fails**: read the top of the task's message. Held data: decide in the UI (`decide_held`, *Required Actions*), or on the command line
with `aisleflow quarantine list`, then `release` or `discard` with a reason; clear `report` after that and it turns green. A constraint, a trigger or a
value rejected by the database: the report lists every rejected line, its store-day waits and the others are published; fix the reported cause, then clear `load` with downstream.
The warehouse does not respond: `aisleflow status`, then clear the task. Any other error: clear the
task once; if it fails again with the same message, the message names the file, and the file has not been moved.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, IdentityMapper, Param, PartitionedAssetTimetable, TriggerRule, task

from include.orchestration.assets import HELD, OUTBOX, PRICES
from include.orchestration.defaults import DEFAULT_ARGS, REPORTED_ELSEWHERE, RETAILER_PARAM, Tag, summary_of

with DAG(
    dag_id="ingest_prices",
    schedule=PartitionedAssetTimetable(assets=OUTBOX, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.INGEST],
    description=summary_of(__doc__),
    doc_md=__doc__,
    params={
        "retailer": RETAILER_PARAM,
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

    published = publish()
    load() >> check() >> resolve() >> published >> report()
    # `report` runs after any failure: without this leaf a run with a failed step would be green
    published >> EmptyOperator(task_id="every_step_done", trigger_rule=TriggerRule.NONE_FAILED, **REPORTED_ELSEWHERE)
    published >> announce_held()  # `publish` also checks the later nights of a backlog
