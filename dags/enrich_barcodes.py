"""# Enrich barcodes

Fills barcodes that the warehouse knows into Coles' waiting store-days and passes them on at once: prices never wait for look-ups.

**Starts** when `scrape_coles` has put store-days into the barcode inbox (partition `coles|night`). **Reads** the barcode inbox, `core.sku`,
`core.product_barcode`. **Writes** the same store-days, barcodes filled in, into the outbox (asset `outbox`), and SKUs that nobody knows a barcode of into the
queue `ops.barcode_lookup`.

| task | does |
|---|---|
| `prefill` | one query for all SKUs of all waiting files; a line that has a barcode keeps it; skipped when no file waits |

**Safe to run again**: yes; a file leaves the inbox only when it stands in the outbox.

**When it fails**: the message names the file or the service that does not answer; mend it and clear the task. The files stay in the inbox meanwhile.
"""

from airflow.sdk import DAG, IdentityMapper, PartitionedAssetTimetable, task

from include.orchestration.assets import BARCODE_INBOX, OUTBOX
from include.orchestration.defaults import DEFAULT_ARGS, Tag

with DAG(
    dag_id="enrich_barcodes",
    schedule=PartitionedAssetTimetable(assets=BARCODE_INBOX, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.CATALOGUE],
    doc_md=__doc__,
):

    @task(outlets=[OUTBOX])
    def prefill(outlet_events=None):
        from include.orchestration import enrich_barcodes

        return enrich_barcodes.prefill(outlet_events)

    prefill()
