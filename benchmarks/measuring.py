"""Measures one night on one warehouse, its yardstick, and the same night in an empty warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from psycopg import sql

from benchmarks import yardstick
from benchmarks.ingesting import Ingester
from benchmarks.scratch import Scratch, ScratchWarehouse
from benchmarks.store_days import StoreDay, write_staged

#: The goal: the maximum quotient of a history's ratio and the plain night's.
TIMES_PLAIN_MAX = 2.0


def quotient(value: float | None, by: float | None) -> float | None:
    """Divide; None for a zero divisor: processor time has a resolution of a hundredth of a second."""
    return value / by if value is not None and by else None


class PreparationFailed(Exception):
    """The initial data of a history could not be ingested."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A night's figures. ``error`` is the reason if it did not finish; its seconds are then those until the error."""

    lines: int
    yardstick: yardstick.Yardstick
    night: dict[str, Any]

    @property
    def error(self) -> str | None:
        """The reason why the night did not finish."""
        return self.night.get("error")

    @property
    def ratio(self) -> float | None:
        """Seconds as a multiple of the yardstick."""
        return None if self.error else float(self.night["seconds"]) / self.yardstick.seconds

    @property
    def cpu_ratio(self) -> float | None:
        """Processor seconds as a multiple of the yardstick: more stable than time on a shared machine."""
        return None if self.error else quotient(float(self.night["cpu_seconds"]), self.yardstick.cpu_seconds)


@dataclass
class Bench:
    """A scratch server and a warm process that ingests; remembers plain nights."""

    scratch: Scratch
    statement_seconds: int
    progress: Callable[[str], None]
    _plain: dict[tuple[StoreDay, ...], Measured] = field(default_factory=dict)
    _ingester: Ingester | None = None

    def __enter__(self) -> Self:
        self.scratch.configure("autovacuum", "off")  # a history states itself when tables are analysed
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._ingester:
            self._ingester.__exit__(kind, error, trace)

    def ingest(self, warehouse: ScratchWarehouse, days: list[StoreDay]) -> dict[str, Any]:
        """Ingest store-days that wait in a warehouse."""
        if self._ingester is None or not self._ingester.is_alive:
            self._ingester = Ingester(self.scratch, is_warm=True, statement_seconds=self.statement_seconds)
        return self._ingester.ingest(warehouse, days)

    def prepare(self, warehouse: ScratchWarehouse, days: list[StoreDay]) -> None:
        """Write store-days of one retailer and night and ingest them, unmeasured.

        Raises:
            PreparationFailed: they did not get through.
        """
        write_staged(days, warehouse.root)
        if error := self.ingest(warehouse, days).get("error"):
            raise PreparationFailed(f"{len(days)} store-days of {days[0].retailer}, night {days[0].night + 1}: {error}")

    def vacuum_analyze(self, warehouse: ScratchWarehouse) -> None:
        """Vacuum and analyse all tables, as autovacuum does within a day."""
        self.scratch.execute(sql.SQL("VACUUM (ANALYZE)"), warehouse.name)

    def night(self, warehouse: ScratchWarehouse, days: list[StoreDay]) -> Measured:
        """Write store-days of one retailer and night into a warehouse; measure the yardstick, and directly after it the night."""
        files = write_staged(days, warehouse.root)
        baseline = yardstick.measure(files, self.scratch.yardstick_url, self.scratch.cluster.pid)
        return Measured(sum(day.lines for day in days), baseline, self.ingest(warehouse, days))

    def plain(self, days: list[StoreDay]) -> Measured:
        """Measure the same night in an empty warehouse; once for equal store-days."""
        key = tuple(days)
        if key not in self._plain:
            self.progress(f"plain night: {len(days)} store-days, {sum(day.lines for day in days)} lines")
            with self.scratch.warehouse() as warehouse:
                self._plain[key] = self.night(warehouse, days)
        return self._plain[key]

    def row(self, history: str, what: str, measured: Measured, plain: Measured) -> dict[str, Any]:
        """Return one row of the table of histories."""
        row: dict[str, Any] = {"history": history, "what": what, "lines": measured.lines, "yardstick": measured.yardstick.seconds}
        row |= {"seconds": measured.night["seconds"], "ratio": measured.ratio, "plain_ratio": plain.ratio}
        if measured.ratio is None:
            return row | {"goal": "not finished", "error": measured.error}
        if plain.ratio is None:
            return row | {"goal": "no plain night", "error": plain.error}
        times = measured.ratio / plain.ratio
        cpu_times = quotient(measured.cpu_ratio, plain.cpu_ratio)
        row |= {"times_plain": times, "cpu_times_plain": cpu_times, "cpu_seconds": measured.night["cpu_seconds"]}
        return row | {"goal": "pass" if times <= TIMES_PLAIN_MAX else "over"}
