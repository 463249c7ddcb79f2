"""# Discover stores

Asks the retailers' store finders which stores there are and takes over what they say.

**Starts** every Monday at 02:00 Melbourne. **Reads** the store finders (the sandbox's, unless `AISLEFLOW_ALLOW_LIVE` is set). **Writes** `core.store`: a store found
is confirmed; petrol stations, liquor shops and shops without an online range are kept, but not crawled. Nothing known is replaced by nothing, and no store is
removed: one that three discoveries in a row did not find (`AISLEFLOW_STORE_ABSENCES_MAX`) is taken for closed and left out of the plan; its prices stay.

| task | does |
|---|---|
| `discover` | one task per retailer, named after it; a retailer whose finder fails leaves the others alone |

**Safe to run again**: yes; an absence counts once a day. **When it fails**: the message names the retailer's page; the stores known before stay as they are, so
tonight's crawl is not affected. "Returned N supermarkets, M were open before": the found ones are taken over, nobody was counted absent; look at the log, and clear the
task when the finder answers whole again.
"""

from airflow.sdk import DAG, get_current_context, task

from include.orchestration.defaults import DEFAULT_ARGS, Tag
from include.orchestration.timetable import weekly
from include.retailer_names import RETAILERS

with DAG(
    dag_id="discover_stores",
    schedule=weekly("MON", 2),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.STORES],
    doc_md=__doc__,
):

    @task(map_index_template="{{ retailer_name }}")
    def discover(retailer):
        from include.orchestration import discover_stores

        get_current_context()["retailer_name"] = retailer
        return discover_stores.discover(retailer)

    discover.expand(retailer=list(RETAILERS))
