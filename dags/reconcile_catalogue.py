"""# Reconcile the catalogue

Finds products that are one although no barcode and no key says so, among the SKUs that changed since the last time: pairs that the matcher is sure of are joined, the others are
proposed (docs/matching.md). Once in seven days it looks at all SKUs, and ends joins by score that it no longer finds. Brands that retailers give to the same barcodes become one.

**Starts** when prices of a retailer and night are published (partition `retailer|night`); the sweep announces what was published without an event, and SKUs that changed by a look-up, a
decision or a command (asset `catalogue`, partition: the night). Works from a watermark, so
a lost or doubled event changes nothing, and runs at the same time do the work once. **Reads** `core.sku` and what hangs on it. **Writes** `ops.match_decision`, `ops.match_pair`,
`ops.brand_pair`, `ops.match_proposal`, `core.sku`, `core.brand`, `ops.merge_log`, `ops.reconciliation`; the translation tables below the storage root.

| task | does |
|---|---|
| `reconcile` | scores the changed SKUs against the catalogues of the other retailers; joins, proposes; moves the watermark |
| `write_tables` | writes the translation tables that have changed (docs/translation-tables.md) |

**Safe to run again**: yes, any task at any time, and two runs at once. A join that is wrong: `core.sku.match_evidence` and `ops.merge_log` have the number of its
decision, `aisleflow catalogue undo N` ends it.

**When it fails**: the warehouse or the storage root does not respond: `aisleflow status`, then clear the task. Nothing is half done: each task is one transaction.
"""

from airflow.sdk import DAG, IdentityMapper, PartitionedAssetTimetable, task

from include.orchestration.assets import CATALOGUE, PRICES
from include.orchestration.defaults import DEFAULT_ARGS, Tag, summary_of

with DAG(
    dag_id="reconcile_catalogue",
    schedule=PartitionedAssetTimetable(assets=PRICES | CATALOGUE, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.CATALOGUE],
    description=summary_of(__doc__),
    doc_md=__doc__,
):

    @task
    def reconcile():
        from include.orchestration import reconcile_catalogue

        return reconcile_catalogue.reconcile()

    @task
    def write_tables():
        from include.orchestration import reconcile_catalogue

        return reconcile_catalogue.write_tables()

    reconcile() >> write_tables()
