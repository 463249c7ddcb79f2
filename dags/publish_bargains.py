"""# Publish bargains

Finds the products whose cheapest current price is far below their dearest, for all stores and for each state, and publishes them as a table and as files (docs/bargains.md).

**Starts** for a night (partition `YYYY-MM-DD`) when `maintain_store_groups` has worked on the last of the four retailers; 15 minutes after `AISLEFLOW_CRAWL_UNTIL` (06:45 Melbourne) whatever is
missing; again for a retailer that comes later. Triggered manually at any time. **Reads** the current prices of the present price week (`core.product_price`), `core.store_group_member`; what the night still misses from
`ops.crawl_plan`, `ops.crawl_outcome`, `ops.staged_file`. **Writes** `core.bargain` (whole, in one transaction), `ops.bargain_run`, and `bargains/` below the storage root: a JSON file per area, one Parquet file, `manifest.json` last.

| task | does |
|---|---|
| `publish` | replaces `core.bargain`; returns how many products were compared, published, and left out as too small or implausible, and which retailers are missing |
| `export` | writes the files, then the manifest that names them; removes those of older publications; emits the asset `bargains` |

**Safe to run again**: yes, any task at any time, and two runs at once: one waits for the other. It publishes what is current when it runs, whatever the night.

**When it fails**: the warehouse or the storage root does not respond: `aisleflow status`, then clear the task. Readers keep the earlier table and files until then.
A retailer in `missing`: `watch_night` says what to do; its prices take part as long as they are current. Many implausible spreads: look at the prices with `aisleflow prices`.
"""

from airflow.sdk import DAG, IdentityMapper, Param, PartitionedAssetTimetable, task

from include.orchestration.assets import BARGAINS, BARGAINS_DUE
from include.orchestration.defaults import DEFAULT_ARGS, Tag, summary_of

with DAG(
    dag_id="publish_bargains",
    schedule=PartitionedAssetTimetable(assets=BARGAINS_DUE, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.CATALOGUE],
    description=summary_of(__doc__),
    doc_md=__doc__,
    params={
        "night": Param(
            None, type=["null", "string"], format="date", description="Night that the publication is named after; empty = that of the run."
        ),
    },
):

    @task
    def publish(dag_run=None, params=None):
        from include.orchestration import publish_bargains

        return publish_bargains.publish(dag_run, params)

    @task(outlets=[BARGAINS])
    def export(published, outlet_events=None):
        from include.orchestration import publish_bargains

        return publish_bargains.export(published, outlet_events)

    export(publish())
