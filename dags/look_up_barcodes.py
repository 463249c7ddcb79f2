"""# Look up barcodes

Asks the retailers' sites for barcodes that their listings do not have, a part of the unknown ones each night, and teaches them to the catalogue. Prices never wait for it.

**Starts** every night at 00:30 Melbourne (13:30 UTC of the day before, 14:30 in winter), ends at 03:30, before the first crawl: what it finds is filled into the same night's files. On demand at any time, then without an end time.
**Reads** the queue `ops.barcode_lookup`, `core.sku`, `core.price`, `core.store`; the sites of Coles (product details, 20 SKUs a request; one by one where that does not answer) and
Woolworths (structured data of products whose listing has no usable barcode). **Writes** `ops.barcode_lookup`, `ops.lookup_night`, and what was found into the catalogue by the rules of a barcode in
a file: accepted, joined, or refused and listed in `ops.barcode_conflict`. Staged files never change.

| task | does |
|---|---|
| `plan` | queues SKUs without an accepted barcode and ranks the queue: sold in many stores, long unknown, waited for by another retailer's product; one item per worker; **skipped** when nothing is due, the budget is spent or the time is over |
| `look_up` | one task per worker, named after it: asks in batches until the queue is empty, the budget (`AISLEFLOW_LOOK_UP_REQUESTS` a retailer and night) is spent or the time is over; its log has the progress |
| `report` | the figures of the night by retailer |

**Params**: `retailer` (empty = all with a source), `requests` (of this run, whatever the night has sent; empty = what is left of the budget), `night`.

**Safe to run again**: yes; answers are kept as they come, and a worker that was killed returns its batch to the queue. A scheduled run cleared after its end time asks nothing: trigger a new one.

**When it fails**: a bot wall, a site that does not respond or a page that cannot be read: the message names it and the next step, as for a crawl. The SKUs under way return to the queue; nothing is
marked as without a barcode by an error. Clear the task, or wait for the next night.
"""

from airflow.sdk import DAG, Param, get_current_context, task

from include.model.timetable import LOOK_UP_FROM, LOOK_UP_TIME
from include.orchestration.defaults import DEFAULT_ARGS, RETAILER_PARAM, Tag, summary_of
from include.orchestration.pools import LOOK_UP_POOL
from include.orchestration.timetable import nightly

with DAG(
    dag_id="look_up_barcodes",
    schedule=nightly(LOOK_UP_FROM),
    allowed_run_types=["scheduled", "manual"],  # type: ignore[list-item]
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.CATALOGUE],
    description=summary_of(__doc__),
    doc_md=__doc__,
    params={
        "retailer": RETAILER_PARAM,
        "requests": Param(
            None, type=["null", "integer"], minimum=1, description="Requests of this run; empty = what is left of the night's budget."
        ),
        "night": Param(
            None, type=["null", "string"], format="date", description="Night that the requests count for; empty = that of the run."
        ),
    },
):

    @task
    def plan(dag_run=None, params=None):
        from include.orchestration import look_up_barcodes

        return look_up_barcodes.plan(dag_run, params)

    @task(map_index_template="{{ worker }}", pool=LOOK_UP_POOL, queue="crawl", execution_timeout=LOOK_UP_TIME)
    def look_up(item, dag_run=None):
        from include.orchestration import look_up_barcodes

        get_current_context()["worker"] = item["worker"]
        return look_up_barcodes.look_up(item, dag_run)

    @task
    def report(dag_run=None, params=None):
        from include.orchestration import look_up_barcodes

        return look_up_barcodes.report(dag_run, params)

    look_up.expand(item=plan()) >> report()
