"""# Discover stores

Updates the store directory from the retailers' store finders.

**Starts** every Monday at 02:00 Melbourne (Sunday 15:00 UTC, 16:00 in winter). **Reads** the store finders (the sandbox's, unless `AISLEFLOW_ALLOW_LIVE` is set). **Writes** `core.store`: a store that is found
is confirmed; petrol stations, liquor shops and shops without an online range are stored but not crawled. A missing value never replaces a known one, and no store is
removed: after `AISLEFLOW_STORE_ABSENCES_MAX` discoveries in a row without it, a store is marked as closed and left out of the plan; its prices stay.

| task | does |
|---|---|
| `discover` | one task per retailer, named after it; a failure of one retailer does not affect the others |

**Safe to run again**: yes; an absence counts once a day. **When it fails**: the message names the retailer's page; the known stores do not change, so
tonight's crawl is not affected. "Returned N supermarkets, M were open before": the stores found were merged and no absence was counted; read the log, and clear the
task when the finder returns its full list again.
"""

from airflow.sdk import DAG, get_current_context, task

from include.orchestration.defaults import DEFAULT_ARGS, Tag, summary_of
from include.orchestration.timetable import weekly
from include.retailer_names import RETAILERS

with DAG(
    dag_id="discover_stores",
    schedule=weekly("MON", 2),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.STORES],
    description=summary_of(__doc__),
    doc_md=__doc__,
):

    @task(map_index_template="{{ retailer_name }}")
    def discover(retailer):
        from include.orchestration import discover_stores

        get_current_context()["retailer_name"] = retailer
        return discover_stores.discover(retailer)

    discover.expand(retailer=list(RETAILERS))
