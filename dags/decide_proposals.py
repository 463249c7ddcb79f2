"""# Decide about proposed products

Requests an operator's decisions on proposals: pairs of products that may be one, with score and evidence. Prices never wait for these decisions; two products stay two until
a person approves.

**Starts** every morning at the time of the watch (07:00 Melbourne unless `AISLEFLOW_CRAWL_UNTIL` is set), with proposals that are new or open again. Triggered manually without a
partition key, it requests decisions on all waiting proposals again. **Reads** `ops.proposal`. **Writes** the decisions with user, time and reason (`ops.match_decision`,
`ops.match_pair`), `ops.alert`, and what follows from them: `core.sku`, `core.product_barcode`, `core.sku_barcode`, `ops.merge_log`.

| task | does |
|---|---|
| `list_questions` | claims at most 200 waiting proposals, the surest first, so that no other run asks about them, in batches of 10; raises one alert with the time by which to answer, which is repeated after half and seven eighths of it; **skipped when there are none** |
| `ask` | waits in the UI under *Required Actions* for **Record** or **Leave open**: a choice per proposal (approve, reject, leave) and a reason `why`; skipped if all its proposals were decided before it started |
| `apply` | applies the choices in the name of the user; a proposal decided earlier keeps its decision, which the log names |
| `close` | tells that the questions are over, and how many proposals are left open; the sweep does so as soon as all are decided on the command line |

**Who may decide**: every Airflow user who may edit runs of this DAG (roles `op` and `admin`). **No decision** within `AISLEFLOW_DECISION_HOURS`: the proposals wait;
`aisleflow catalogue proposals` lists them and offers the same decisions, and a manual run asks again. The first decision counts; `aisleflow catalogue undo` ends it.

**Safe to run again**: yes. A proposal is decided once; a cleared `ask` asks about those that still wait.

**When it fails**: follow the message of the task. `apply` without a reason: clear `ask` with downstream and fill in `why`.
"""

from include.orchestration.choices import choice_dag  # builds an airflow dag

decide_proposals = choice_dag("decide_proposals", __doc__)
