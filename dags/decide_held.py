"""# Decide about held data

Asks a person about store-days that a check held: one question per store-day, or one for a whole batch that a rule about the retailer held.
Everything else is published meanwhile, and nobody waits for the answer but the held data.

**Starts** when `ingest_prices` or the sweep finds held store-days nobody was asked about (asset `held`, partition `retailer|night`). By hand, without a
key: asks again about everything that is held, also what was left or went unanswered. **Reads** the ledger `ops.staged_file`, `ops.data_quality_result`,
the staged files. **Writes** the decision with who, when and why (`ops.decision`, the ledger), and, after a release, what publishing writes.

| task | does |
|---|---|
| `list_held` | takes on the open questions, so that no other run asks them; **skipped when there are none** |
| `ask` | waits in the UI under *Required Actions*: **Release**, **Discard** or **Leave held**, and `why` (required); skipped when it was decided in the meantime |
| `apply` | carries the answer out in the name of the user who gave it; what was decided on the command line meanwhile stays as it is |
| `publish` | publishes what was released and emits the asset `prices`; skipped when there is nothing to publish |

**Who may answer**: whoever may in Airflow edit this DAG's runs (roles `op` and `admin`). **No answer** within `AISLEFLOW_DECISION_HOURS`: the data stay
held, noted as unanswered; `aisleflow quarantine list` shows them, and a run by hand asks again. The same decisions on the command line:
`aisleflow quarantine release` and `discard`; whoever is first decides.

The red task `report` of the run that held the data stays red: it says what that night could not publish. Cleared after the decision it turns
green; nothing depends on it.

**Safe to run again**: yes. A decided store-day is not decided twice, a published one not published twice; a cleared `ask` asks again only while the data are held.

**When it fails**: the message of the task says what to do. `apply` without a reason: clear `ask` with downstream and answer with `why` filled in.
`publish`: as `publish` of `ingest_prices`; clear it, or let the next ingestion publish what was released.
"""

from airflow.sdk import DAG, IdentityMapper, Param, PartitionedAssetTimetable, get_current_context, task, task_group

from include.orchestration.assets import HELD, PRICES
from include.orchestration.decide_held import HeldDecisionOperator
from include.orchestration.defaults import DEFAULT_ARGS, Tag
from include.retailer_names import RETAILERS

with DAG(
    dag_id="decide_held",
    schedule=PartitionedAssetTimetable(assets=HELD, default_partition_mapper=IdentityMapper()),
    catchup=False,
    max_active_runs=200,  # a run waits for days
    default_args=DEFAULT_ARGS,
    tags=[Tag.INGEST],
    doc_md=__doc__,
    params={"retailer": Param(None, type=["null", "string"], enum=[None, *RETAILERS], description="Only this retailer; empty = all.")},
):

    @task
    def list_held(dag_run=None, params=None):
        from include.orchestration import decide_held

        return decide_held.list_held(dag_run, params)

    @task(map_index_template="{{ label }}")
    def apply(label, file_ids, answer):
        from include.orchestration import decide_held

        get_current_context()["label"] = label
        return decide_held.apply(file_ids, answer)

    @task(map_index_template="{{ label }}", outlets=[PRICES])
    def publish(label, file_ids, outlet_events=None):
        from include.orchestration import decide_held

        get_current_context()["label"] = label
        return decide_held.publish(file_ids, outlet_events)

    @task_group(group_id="decide", prefix_group_id=False)
    def decide(label, file_ids):
        ask = HeldDecisionOperator(task_id="ask", title=label, file_ids=file_ids, map_index_template="{{ task.title }}")
        apply(label, file_ids, ask.output) >> publish(label, file_ids)

    decide.expand_kwargs(list_held())
