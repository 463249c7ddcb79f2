"""# Maintain store groups

Finds out which stores of a retailer charge the same prices, and checks that the groups found so far still do (docs/grouping.md).

**Starts** when prices of a retailer and night are published (partition `retailer|night`); the sweep announces what was published without an event. Triggered
manually without a partition key it works on all retailers. **Reads** `core.price`, `core.store`, the ledger. **Writes** `core.store_group`,
`core.store_group_member`, `ops.store_comparison`, `ops.crawl_request`, and the cooldown `groups/cooldown-<retailer>.json` below the storage root.

| task | does |
|---|---|
| `health` | begins a group of one for each new store; a member whose own prices differ from its anchor's leaves, the other members are requested for the next night; an anchor without current prices is requested and nothing is decided about its group; an anchor that closed hands over |
| `compare` | compares the anchors of each retailer, leaving out pairs in cooldown, and records the evidence; returns the comparisons that match |
| `merge` | merges the groups of those comparisons that still hold; emits the asset `store_groups` |
| `announce_bargains` | emits the asset `bargains_due` when every retailer of the night is in, or the time for bargains has passed; else **skipped** |

**Safe to run again**: yes, any task at any time, and two runs at once: one waits for the other, and finds nothing left to do.

**When it fails**: the warehouse or the storage root does not respond: `aisleflow status`, then clear the task. A group that is wrong: `aisleflow groups show` gives
the reason of each change, `aisleflow groups split` and `aisleflow groups pin` correct it.
"""

from airflow.sdk import DAG, IdentityMapper, Param, PartitionedAssetTimetable, task

from include.orchestration.assets import BARGAINS_DUE, PRICES, STORE_GROUPS
from include.orchestration.defaults import DEFAULT_ARGS, RETAILER_PARAM, Tag, summary_of

with DAG(
    dag_id="maintain_store_groups",
    schedule=PartitionedAssetTimetable(assets=PRICES, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.STORES],
    description=summary_of(__doc__),
    doc_md=__doc__,
    params={
        "retailer": RETAILER_PARAM,
        "night": Param(
            None, type=["null", "string"], format="date", description="Night of the asset's partition; empty = the date of the run."
        ),
    },
):

    @task
    def health(dag_run=None, params=None):
        from include.orchestration import maintain_store_groups

        return maintain_store_groups.health(dag_run, params)

    @task
    def compare(checked):
        from include.orchestration import maintain_store_groups

        return maintain_store_groups.compare(checked)

    @task(outlets=[STORE_GROUPS])
    def merge(compared, dag_run=None, params=None, outlet_events=None):
        from include.orchestration import maintain_store_groups

        return maintain_store_groups.merge(compared, dag_run, params, outlet_events)

    @task(outlets=[BARGAINS_DUE])
    def announce_bargains(dag_run=None, params=None, outlet_events=None):
        from include.orchestration import publish_bargains

        return publish_bargains.announce_when_all_are_in(dag_run, params, outlet_events)

    merge(compare(health())) >> announce_bargains()
