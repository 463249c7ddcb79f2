"""# Sweep the outbox

Finds store-days that wait in the outbox although no run is processing them, and triggers their ingestion: a lost event
(the consumer was paused, a worker was killed) loses no data.

**Starts** every 15 minutes. **Reads** the outbox and the ledger. **Writes** repairs and removals only: files whose state was decided
before a worker was killed are moved to the matching folder; data past their retention period are removed.

| task | does |
|---|---|
| `sweep` | prefills and passes on store-days that wait in the barcode inbox; emits the asset `outbox` for each `retailer|night` with waiting files; **skipped when no file waits**, which is the usual case |
| `announce_held` | emits the asset `held` for held store-days without a request for a decision, in case that event was lost; usually **skipped** |
| `send_alerts` | ends the alerts whose trouble is over; sends ends, reminders of questions, and alerts that a service did not accept before; **skipped when nothing is due** |
| `announce_published` | emits the asset `prices` for published store-days that `maintain_store_groups` has not looked at, e.g. imported ones; **skipped when there are none** |
| `announce_changed` | emits the asset `catalogue` when look-ups, decisions or commands changed SKUs that `reconcile_catalogue` has not looked at, the last of them more than `AISLEFLOW_SWEEP_AFTER_MINUTES` ago; usually **skipped** |
| `announce_bargains` | emits the asset `bargains_due` when the night's time for bargains has passed and they were not published; usually **skipped** |
| `prune_archive` | removes archived files older than `AISLEFLOW_ARCHIVE_DAYS`, refused lines decided more than `AISLEFLOW_QUARANTINE_DAYS` ago, landed pages older than `AISLEFLOW_LANDING_DAYS`, records of changed inferred prices that a newer one of the store replaces |
| `send_heartbeat` | requests the address of an outside monitor, which reports when this installation is silent; **skipped without one** (`aisleflow alerts address --heartbeat URL`) |

**Safe to run again**: yes. **When it fails**: the message names the storage root or the warehouse that does not respond; fix the cause
and clear the task, or wait for the next run.
"""

from datetime import timedelta

from airflow.sdk import DAG, task

from include.orchestration.assets import BARGAINS_DUE, CATALOGUE, HELD, OUTBOX, PRICES
from include.orchestration.defaults import DEFAULT_ARGS, Tag, summary_of

with DAG(
    dag_id="sweep_outbox",
    schedule="*/15 * * * *",
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS | {"retries": 1, "execution_timeout": timedelta(minutes=10)},
    tags=[Tag.UPKEEP],
    description=summary_of(__doc__),
    doc_md=__doc__,
):

    @task(outlets=[OUTBOX])
    def sweep(outlet_events=None):
        from include.orchestration import sweep_outbox

        return sweep_outbox.sweep(outlet_events)

    @task(outlets=[HELD])
    def announce_held(outlet_events=None):
        from include.orchestration import decide_held
        from include.retailer_names import RETAILERS

        return decide_held.announce_held(list(RETAILERS), outlet_events)

    @task(outlets=[PRICES])
    def announce_published(outlet_events=None):
        from include.orchestration import maintain_store_groups

        return maintain_store_groups.announce_published(outlet_events)

    @task(outlets=[CATALOGUE])
    def announce_changed(outlet_events=None):
        from include.orchestration import reconcile_catalogue

        return reconcile_catalogue.announce_changed(outlet_events)

    @task(outlets=[BARGAINS_DUE])
    def announce_bargains(outlet_events=None):
        from include.orchestration import publish_bargains

        return publish_bargains.announce_overdue(outlet_events)

    @task
    def prune_archive():
        from include.orchestration import sweep_outbox

        return sweep_outbox.prune()

    @task
    def send_heartbeat():
        from include.orchestration import sweep_outbox

        return sweep_outbox.heartbeat()

    @task
    def send_alerts():
        from include.orchestration import sweep_outbox

        return sweep_outbox.send_alerts()

    sweep()
    announce_held()
    send_alerts()
    announce_published()
    announce_changed()
    announce_bargains()
    send_heartbeat()
    prune_archive()
