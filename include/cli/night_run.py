"""Runs one night through Airflow and waits for its end, as long as something moves."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from pathlib import Path
from time import sleep as pause
from typing import TYPE_CHECKING, Any

from include.cli.night_records import NightRecord
from include.cli.output import ProgressDisplay
from include.errors import TerminalError, TransientError

if TYPE_CHECKING:
    from include.embedded.airflow_api import AirflowApi
    from include.warehouse.engine import Warehouse

#: A night is given up when neither a task nor a store-day has moved for so long.
QUIET_SECONDS = 3600
#: Task states that change without manual action.
_ACTIVE_STATES = frozenset({"scheduled", "queued", "running", "restarting", "up_for_retry", "up_for_reschedule", "deferred", "not started"})
_CONSUMERS = ("enrich_barcodes", "ingest_prices")


class NightRun:
    """One night of an installation: triggers what has not been triggered, and waits."""

    def __init__(self, home: Path, api: AirflowApi, warehouse: Warehouse, record: NightRecord, show_progress: ProgressDisplay) -> None:
        self._home = home
        self._api = api
        self._warehouse = warehouse
        self._record = record
        self._show = show_progress

    def run(self) -> None:
        """Run the night, or the rest of one that was begun: a run that exists is waited for, not repeated.

        Raises:
            TransientError: a component has died, or nothing moves any more.
            TerminalError: a retailer's stores were not discovered.
        """
        if undiscovered(self._warehouse, self._record.served):
            run_id = self._trigger("discover_stores", {})
            self._wait("discover_stores", run_id)
            if missing := undiscovered(self._warehouse, self._record.served):
                raise TerminalError(
                    f"no store of {', '.join(missing)} was discovered. Open {self._api.run_url('discover_stores', run_id)} and read the failed task."
                )
        dags = [f"scrape_{retailer}" for retailer in self._record.served]
        runs = {dag_id: self._trigger(dag_id, {"partition_key": self._record.night.isoformat()}) for dag_id in dags}
        for dag_id, run_id in runs.items():
            self._wait(dag_id, run_id)
        self._wait_for_consumers()

    def still_running(self) -> list[str]:
        """Return the DAGs that have an active run."""
        dags = [*self._record.runs, *_CONSUMERS]
        return [dag_id for dag_id in dags for state in ("queued", "running") if self._api.list_runs(dag_id, limit=1, state=state)]

    def _trigger(self, dag_id: str, options: Mapping[str, Any]) -> str:
        """Start the night's run of a DAG unless the record has one, and record it."""
        if dag_id not in self._record.runs:
            wanted = f"night_{self._record.night}_{len(self._api.list_runs(dag_id))}"
            run_id = self._api.trigger(dag_id, run_id=wanted, **options)["dag_run_id"]
            self._record.runs[dag_id] = str(run_id)
            self._record.save(self._home)
        return self._record.runs[dag_id]

    def _wait(self, dag_id: str, run_id: str) -> None:
        def look(state: str, tasks: dict[str, int]) -> Hashable:
            if tasks.get("awaiting_input") and not _ACTIVE_STATES & tasks.keys():
                raise _WaitingForOperator
            self._show(f"{dag_id}: {state}" if state != "running" else f"{dag_id} is running")
            self._require_components()
            return self._show_counts()

        try:
            self._api.wait_for_run(dag_id, run_id, quiet_seconds=QUIET_SECONDS, progress=look)
        except _WaitingForOperator:  # the decision may take hours; other work continues
            self._show(f"{dag_id} waits for an operator: {self._api.run_url(dag_id, run_id)}")

    def _wait_for_consumers(self) -> None:
        """Wait until enrichment and ingestion of the night are done: no active run, no undecided staged file."""
        from include.embedded.deadline import Deadline

        deadline = Deadline(QUIET_SECONDS)
        while True:
            busy = [
                (dag_id, run["dag_run_id"])
                for dag_id in _CONSUMERS
                for state in ("queued", "running")
                for run in self._api.list_runs(dag_id, limit=20, state=state)
            ]
            for dag_id, run_id in busy:
                self._wait(dag_id, run_id)
            waiting = waiting_retailers(self._warehouse, self._record.night)
            if not busy and not waiting - self._failed():  # failed runs are not repeated; the summary lists what is missing
                self._show_counts()
                return
            if deadline.is_over((busy, self._show_counts())):
                raise TransientError(
                    f"staged store-days of {', '.join(sorted(waiting))} wait for ingestion, and nothing has moved for {QUIET_SECONDS // 60} minutes. aisleflow doctor"
                )
            self._require_components()
            if not busy:
                self._show(f"staged store-days of {', '.join(sorted(waiting))} wait for ingestion")
                pause(2)  # a triggered run appears after a short delay

    def _require_components(self) -> None:
        from include.embedded.components import known_components

        dead = [state.component.name for state in known_components(self._home) if state.state == "dead"]
        if dead:
            raise TransientError(
                f"{', '.join(dead)} of this installation has died. Read its log (aisleflow status); `aisleflow night` starts it again and goes on with this night."
            )

    def _show_counts(self) -> Hashable:
        """Show a bar per retailer; return the counts."""
        counts = count_stores(self._warehouse, self._record.night)
        for retailer, (planned, crawled, decided) in counts.items():
            self._show.bar(retailer, crawled + decided, 2 * planned, f"{crawled} of {planned} stores crawled, {decided} ingested")
        return tuple(sorted(counts.items()))

    def _failed(self) -> set[str]:
        """Return the retailers whose enrichment or ingestion of tonight failed; failed runs of other nights are ignored."""
        keys = [str(run["partition_key"]) for dag_id in _CONSUMERS for run in self._api.list_runs(dag_id, limit=50, state="failed")]
        night = self._record.night.isoformat()
        return {retailer for retailer, _, of_night in (key.partition("|") for key in keys) if of_night == night}


class _WaitingForOperator(Exception):
    """A run makes no progress until an operator decides."""


def undiscovered(warehouse: Warehouse, retailers: list[str]) -> list[str]:
    """Return those of the retailers without a known store."""
    with warehouse.transaction() as connection:
        found = {row["retailer"] for row in connection.run("diagnostics/list_discovered_retailers").fetchall()}
    return sorted(set(retailers) - found)


def count_stores(warehouse: Warehouse, night: date) -> dict[str, tuple[int, int, int]]:
    """Return per retailer how many stores the night has planned, how many were crawled (or failed), and how many store-days are decided."""
    with warehouse.transaction() as connection:
        crawls = connection.run("diagnostics/summarise_crawl", {"night": night}).fetchall()
        ingested = connection.run("diagnostics/summarise_ingestion", {"file_ids": None, "night": night}).fetchall()
    decided = {row["retailer"]: row["store_days"] - row["open"] for row in ingested}
    return {
        row["retailer"]: (
            row["planned"],
            row["crawled"] + row["failed"] + row["blocked"],
            min(row["planned"], decided.get(row["retailer"], 0)),
        )
        for row in crawls
    }


def waiting_retailers(warehouse: Warehouse, night: date) -> set[str]:
    """Return the retailers with a store-day of the night that is staged and not decided."""
    with warehouse.transaction() as connection:
        rows = connection.run("diagnostics/list_waiting_retailers", {"night": night}).fetchall()
    return {row["retailer"] for row in rows}
