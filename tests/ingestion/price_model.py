"""The prices of one store as a plain function of its published store-days, in whatever order they arrived: slow, and free of SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.ingestion.store_days import Line, offer


@dataclass(frozen=True)
class Sighting:
    """One line: minutes after the store-day's start; a price, ``None`` (unavailable) or ``"refused"``; perhaps beside a twin that is refused."""

    sku: str
    minute: int
    price: int | str | None
    has_twin: bool = False


@dataclass(frozen=True)
class StoreDay:
    """A store-day of the model. ``file_id`` is its place in the order of registration."""

    start: datetime
    is_complete: bool
    sightings: tuple[Sighting, ...]
    file_id: int = 0

    def at(self, minute: int) -> datetime:
        return self.start + timedelta(minutes=minute)

    @property
    def first_at(self) -> datetime:
        return min(self.at(seen.minute) for seen in self.sightings)

    @property
    def last_at(self) -> datetime:
        return max(self.at(seen.minute) for seen in self.sightings)

    @property
    def position(self) -> tuple[datetime, int]:
        return self.first_at, self.file_id

    def overlaps(self, other: StoreDay) -> bool:
        return self.first_at <= other.last_at and other.first_at <= self.last_at

    def lines(self) -> list[Line]:
        """Return the lines of its file."""
        return list(self._lines())

    def _lines(self) -> Iterator[Line]:
        for seen in self.sightings:
            metadata = {"scraped_at": self.at(seen.minute).isoformat()}
            price: Any = -1 if seen.price == "refused" else seen.price
            if seen.has_twin:
                yield offer(seen.sku, price, url="x" * 3_000, metadata=metadata)
            yield offer(seen.sku, price, metadata=metadata)


@dataclass
class Store:
    """The published store-days of a store."""

    published: list[StoreDay] = field(default_factory=list)

    def publish(self, day: StoreDay) -> bool:
        """Add a store-day; return whether its prices count: not if it is older than the newest complete one, and ended before that began."""
        newest = max((other for other in self.published if other.is_complete), key=lambda other: other.position, default=None)
        if newest is not None and day.position < newest.position and not day.overlaps(newest):
            return False
        self.published.append(day)
        return True

    def prices(self) -> dict[str, tuple[int, bool]]:
        """Return the listed prices: SKU to cents and whether it is available."""
        found = {}
        for sku in {seen.sku for day in self.published for seen in day.sightings}:
            accepted = self._accepted(sku)
            absent = [day.position for day in self.published if day.is_complete and sku not in {seen.sku for seen in day.sightings}]
            priced = [price for _, price in accepted if price is not None]
            if priced and accepted[-1][0] > max(absent, default=(datetime.min.replace(tzinfo=self.published[0].start.tzinfo), 0)):
                found[sku] = (priced[-1] * 100, accepted[-1][1] is not None)
        return found

    def _accepted(self, sku: str) -> list[tuple[tuple[datetime, int], int | None]]:
        lines = [
            ((day.at(seen.minute), day.file_id), seen.price)
            for day in self.published
            for seen in day.sightings
            if seen.sku == sku and not isinstance(seen.price, str)
        ]
        return sorted(lines, key=lambda line: line[0])
