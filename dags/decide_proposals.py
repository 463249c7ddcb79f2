"""# Decide about proposed products

Requests an operator's decisions on proposals: pairs of products that may be one, with score and evidence. Prices never wait for these decisions; two products stay two until
somebody approves.

**Starts** every morning at the time of the watch (07:00 Melbourne unless `AISLEFLOW_CRAWL_UNTIL` is set), with proposals that nobody was asked about. Triggered manually without a
partition key, it requests decisions on all waiting proposals again. **Reads** `ops.proposal`. **Writes** the decisions with user, time and reason (`ops.match_decision`,
`ops.match_pair`), and what follows from them: `core.sku`, `core.product_barcode`, `core.sku_barcode`, `ops.merge_log`.

| task | does |
|---|---|
| `list_proposals` | claims at most 200 waiting proposals, the surest first, so that no other run asks about them, in batches of 10; **skipped when there are none** |
| `ask` | waits in the UI under *Required Actions* for **Record** or **Leave open**: a choice per proposal (approve, reject, leave) and a reason `why`; skipped if all its proposals were decided before it started |
| `apply` | applies the choices in the name of the user; a proposal decided earlier keeps its decision, which the log names |

**Who may decide**: every Airflow user who may edit runs of this DAG (roles `op` and `admin`). **No decision** within `AISLEFLOW_DECISION_HOURS`: the proposals wait;
`aisleflow catalogue proposals` lists them and offers the same decisions, and a manual run asks again. The first decision counts; `aisleflow catalogue undo` ends it.

**Safe to run again**: yes. A proposal is decided once; a cleared `ask` asks about those that still wait.

**When it fails**: follow the message of the task. `apply` without a reason: clear `ask` with downstream and fill in `why`.
"""

from airflow.sdk import DAG, get_current_context, task, task_group

from include.config import settings
from include.orchestration.decide_proposals import ProposalDecisionOperator
from include.orchestration.defaults import DEFAULT_ARGS, Tag, summary_of
from include.orchestration.timetable import nightly

with DAG(
    dag_id="decide_proposals",
    schedule=nightly(settings().timetable.watch_at),
    allowed_run_types=["scheduled", "manual"],  # type: ignore[list-item]
    catchup=False,
    max_active_runs=30,  # a run waits for days
    default_args=DEFAULT_ARGS,
    tags=[Tag.CATALOGUE],
    description=summary_of(__doc__),
    doc_md=__doc__,
):

    @task
    def list_proposals(dag_run=None):
        from include.orchestration import decide_proposals

        return decide_proposals.list_proposals(dag_run)

    @task(map_index_template="{{ label }}")
    def apply(label, proposal_ids, answer):
        from include.orchestration import decide_proposals

        get_current_context()["label"] = label
        return decide_proposals.apply(proposal_ids, answer)

    @task_group(group_id="decide", prefix_group_id=False)
    def decide(label, proposal_ids):
        ask = ProposalDecisionOperator(task_id="ask", title=label, proposal_ids=proposal_ids, map_index_template="{{ task.title }}")
        apply(label, proposal_ids, ask.output)

    decide.expand_kwargs(list_proposals())
