"""# Decide about held data

Requests an operator's decision on store-days that a check held: one decision per store-day, or one per batch if a retailer-level rule held the batch.
Only the held data wait for the decision; all other data are published.

**Starts** when `ingest_prices` or the sweep finds held store-days without a request (asset `held`, partition `retailer|night`). Triggered manually without a
partition key, it requests a decision on all held data again, including data left held or unanswered. **Reads** the ledger `ops.staged_file`, `ops.data_quality_result`,
the staged files. **Writes** the decision with user, time and reason (`ops.decision`, the ledger) and, after a release, the tables that publishing writes.

| task | does |
|---|---|
| `list_held` | claims the open questions, so that no other run raises them; **skipped when there are none** |
| `ask` | waits in the UI under *Required Actions* for **Release**, **Discard** or **Leave held**, and a reason `why` (required); skipped if the data were decided before it started, red if they were while it waited: the message names that decision |
| `apply` | applies the decision in the name of the user; a decision already made on the command line is not changed |
| `publish` | publishes the released data and emits the asset `prices`; skipped when there is nothing to publish |

**Who may decide**: every Airflow user who may edit runs of this DAG (roles `op` and `admin`). **No decision** within `AISLEFLOW_DECISION_HOURS`: the data stay
held and are recorded as unanswered; `aisleflow quarantine list` shows them, and a manual run requests the decision again. The command line offers the same
decisions: `aisleflow quarantine release` and `discard`. The first decision counts.

The failed task `report` of the run that held the data stays red: it lists the data which that night could not publish. After the decision, clear it and it turns
green; no other task depends on it.

**Safe to run again**: yes. A store-day is decided once and published once; a cleared `ask` requests a decision only while the data are held.

**When it fails**: follow the message of the task. `apply` without a reason: clear `ask` with downstream and fill in `why`.
`publish`: as `publish` of `ingest_prices`; clear it, or let the next ingestion publish the released data.
"""

from airflow.sdk import DAG, IdentityMapper, PartitionedAssetTimetable, get_current_context, task, task_group

from include.orchestration.assets import HELD, PRICES
from include.orchestration.decide_held import HeldDecisionOperator
from include.orchestration.defaults import DEFAULT_ARGS, RETAILER_PARAM, Tag, summary_of

with DAG(
    dag_id="decide_held",
    schedule=PartitionedAssetTimetable(assets=HELD, default_partition_mapper=IdentityMapper()),
    catchup=False,
    max_active_runs=200,  # a run waits for days
    default_args=DEFAULT_ARGS,
    tags=[Tag.INGEST],
    description=summary_of(__doc__),
    doc_md=__doc__,
    params={"retailer": RETAILER_PARAM},
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
        ask = HeldDecisionOperator(task_id="ask", title=label, item_ids=file_ids, map_index_template="{{ task.title }}")
        apply(label, file_ids, ask.output) >> publish(label, file_ids)

    decide.expand_kwargs(list_held())
