"""# Watch the night

Reports, before the shops open, which data of the night are missing.

**Starts** every morning half an hour after `AISLEFLOW_CRAWL_UNTIL`: at 07:00 Melbourne (20:00 UTC of the day before, 21:00 in winter) unless that is set. **Reads** `ops.crawl_plan`, `ops.crawl_outcome` and the ledger `ops.staged_file`. **Writes** nothing.

| task | does |
|---|---|
| `watch` | red when a retailer has no plan, a planned store has no published store-day, or store-days are held, refused or still waiting; the message lists them. While crawls run within their time and nothing is missing, it waits (`up_for_retry`) and looks again every half hour |

**Safe to run again**: yes; clear it when the causes are fixed, and it turns green.

**When it fails**: its message is the morning's task list, most severe first, each entry with the command or the DAG that resolves it.
"""

from airflow.sdk import DAG, Param, task

from include.config import settings
from include.orchestration.defaults import DEFAULT_ARGS, LOOK_AGAIN, Tag, summary_of
from include.orchestration.timetable import nightly

with DAG(
    dag_id="watch_night",
    schedule=nightly(settings().timetable.watch_at),
    allowed_run_types=["scheduled", "manual"],  # type: ignore[list-item]
    catchup=False,
    default_args=DEFAULT_ARGS | LOOK_AGAIN,
    tags=[Tag.UPKEEP],
    description=summary_of(__doc__),
    doc_md=__doc__,
    params={"night": Param(None, type=["null", "string"], format="date", description="Night to check; empty = the night of the run.")},
):

    @task
    def watch(dag_run=None, params=None):
        from include.orchestration import watch_night

        watch_night.watch(dag_run, params)

    watch()
