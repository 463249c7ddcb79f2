"""# Enrich barcodes

Adds the barcodes known to the warehouse to Coles' waiting store-days and passes the files on immediately: prices never wait for look-ups.

**Starts** when `scrape_coles` has put store-days into the barcode inbox (partition `coles|night`); the sweep passes them on when the event is lost. **Reads** the barcode inbox, `core.sku`,
`core.sku_barcode`, `ops.barcode_lookup`. **Writes** the same store-days with barcodes into the outbox (asset `outbox`), and SKUs without a proved barcode into the
queue `ops.barcode_lookup`, which `look_up_barcodes` works through.

| task | does |
|---|---|
| `prefill` | runs one query for all SKUs of all waiting files; a line that has a barcode keeps it; skipped when no file waits |

**Safe to run again**: yes; a file is removed from the inbox only after it is stored in the outbox.

**When it fails**: the message names the file or the service that does not respond; fix the cause and clear the task. Until then the files stay in the inbox.
"""

from airflow.sdk import DAG, IdentityMapper, PartitionedAssetTimetable, task

from include.orchestration.assets import BARCODE_INBOX, OUTBOX
from include.orchestration.defaults import DEFAULT_ARGS, Tag, summary_of

with DAG(
    dag_id="enrich_barcodes",
    schedule=PartitionedAssetTimetable(assets=BARCODE_INBOX, default_partition_mapper=IdentityMapper()),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.CATALOGUE],
    description=summary_of(__doc__),
    doc_md=__doc__,
):

    @task(outlets=[OUTBOX])
    def prefill(dag_run=None, params=None, outlet_events=None):
        from include.orchestration import enrich_barcodes

        return enrich_barcodes.prefill(dag_run, params, outlet_events)

    prefill()
