"""# Decide about contested barcodes

Requests an operator's decisions on barcode conflicts: barcodes that a retailer claims for a SKU and the catalogue does not accept, because the SKU or the product that has
the barcode contradicts it. Prices and look-ups never wait for these decisions; a contested barcode identifies nothing meanwhile.

**Starts** every morning at the time of the watch (07:00 Melbourne unless `AISLEFLOW_CRAWL_UNTIL` is set), with conflicts that are new or open again. Triggered manually without a
partition key, it requests decisions on all open conflicts again. **Reads** `ops.barcode_conflict`. **Writes** the decisions with user, time and reason (`ops.barcode_decision`), `ops.alert`, and
what follows from them: `core.sku`, `core.product_barcode`, `core.sku_barcode`, `ops.merge_log`.

| task | does |
|---|---|
| `list_questions` | claims at most 200 open conflicts, so that no other run asks about them, in batches of 10; those of one barcode stand beside one another; raises one alert with the time by which to answer, which is repeated after half and seven eighths of it; **skipped when there are none** |
| `ask` | waits in the UI under *Required Actions* for **Record** or **Leave open**: a choice per conflict (accept, reject, split, leave) and a reason `why`; skipped if all its conflicts were decided before it started |
| `apply` | applies the choices in the name of the user; a conflict decided earlier keeps its decision, which the log names |
| `close` | tells that the questions are over, and how many conflicts are left open; the sweep does so as soon as all are decided on the command line |

**Who may decide**: every Airflow user who may edit runs of this DAG (roles `op` and `admin`). **No decision** within `AISLEFLOW_DECISION_HOURS`: the conflicts stay open;
`aisleflow barcodes conflicts` lists them and offers the same decisions, and a manual run asks again. The first decision counts; `aisleflow barcodes conflicts undo` ends it.

**Safe to run again**: yes. A conflict is decided once; a cleared `ask` asks about those that are still open.

**When it fails**: follow the message of the task. `apply` without a reason: clear `ask` with downstream and fill in `why`.
"""

from include.orchestration.choices import choice_dag  # builds an airflow dag

decide_conflicts = choice_dag("decide_conflicts", __doc__)
