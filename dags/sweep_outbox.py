"""# Sweep the outbox

Finds store-days that wait in the outbox although nobody is working on them, and has them ingested: an event that was lost
(the consumer was paused, a worker was killed) loses nothing.

**Starts** every 15 minutes. **Reads** the outbox and the ledger. **Writes** nothing but repairs: files whose fate was decided
before a kill are moved to where they belong; archived files older than `AISLEFLOW_ARCHIVE_DAYS` are removed.

| task | does |
|---|---|
| `sweep` | emits the asset `outbox` for each `retailer|night` that waits; **skipped when nothing waits**, which is the usual case |
| `announce_held` | emits the asset `held` for held store-days nobody was asked about, should that event be lost; usually **skipped** |
| `prune_archive` | removes archived files past their time, refused lines decided more than `AISLEFLOW_QUARANTINE_DAYS` ago, landed pages older than `AISLEFLOW_LANDING_DAYS` |

**Safe to run again**: yes. **When it fails**: the message names the storage root or the warehouse that does not answer; mend it
and clear the task, or wait for the next run.
"""

from datetime import timedelta

from airflow.sdk import DAG, task

from include.orchestration.assets import HELD, OUTBOX
from include.orchestration.defaults import DEFAULT_ARGS, Tag

with DAG(
    dag_id="sweep_outbox",
    schedule="*/15 * * * *",
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS | {"retries": 1, "execution_timeout": timedelta(minutes=10)},
    tags=[Tag.UPKEEP],
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

    @task
    def prune_archive():
        from include.orchestration import sweep_outbox

        return sweep_outbox.prune()

    sweep()
    announce_held()
    prune_archive()
