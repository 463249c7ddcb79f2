"""Prices of one store, computed from its published store-days. Rules: the design page, §4.2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference.model import Entry

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One row of the public view.

    ``seen``: instant of its newest line and the file's number. ``seen_from``: earliest instant the view may show for it; a complete
    store-day refreshes what it lists through the store's watermark, which is the instant of its first line.
    """

    cents: int
    was_cents: int | None
    is_available: bool
    is_listed: bool
    delisted_at: datetime | None
    seen: tuple[datetime, int]
    seen_from: datetime
    is_withdrawn: bool = False
    changed_at: datetime = _NEVER

    @property
    def visible(self) -> tuple[object, ...]:
        """The values whose difference is a change."""
        return self.cents, self.was_cents, self.is_available, self.is_listed, self.delisted_at


@dataclass(frozen=True)
class Change:
    """One row of the change log."""

    file: int
    store: tuple[str, str]
    sku: str
    changed_at: datetime
    kind: str
    old_cents: int | None
    new_cents: int | None


def publish_in_order(entries: Iterable[Entry]) -> dict[str, Row]:
    """Return the rows of one store after its published store-days, given in order of time."""
    rows: dict[str, Row] = {}
    for entry in entries:
        for sku in rows.keys() | entry.day.accepted.keys():
            row = _after(rows.get(sku), entry, sku)
            if row is not None:
                rows[sku] = row
    return rows


def _after(row: Row | None, entry: Entry, sku: str) -> Row | None:
    day = entry.day
    if line := day.accepted.get(sku):
        seen = line.at, entry.number
        seen_from = day.at if entry.is_complete else line.at
        if row is None:
            return None if line.cents is None else Row(line.cents, line.was_cents, True, True, None, seen, seen_from)
        if row.seen > seen:
            return row
        if line.cents is None:
            return replace(row, is_available=False, is_listed=True, delisted_at=None, seen=seen, seen_from=seen_from)
        return replace(
            row,
            cents=line.cents,
            was_cents=line.was_cents,
            is_available=True,
            is_listed=True,
            delisted_at=None,
            seen=seen,
            seen_from=seen_from,
        )
    if row is None or not row.is_listed or not entry.is_complete or row.seen > entry.order or sku in day.refused or day.has_cut_line:
        return row
    return replace(row, is_listed=False, delisted_at=day.at)


def withdraw(row: Row, at: datetime) -> Row:
    """Return a row that no valid store-day prices any more."""
    return replace(row, is_available=False, is_listed=False, delisted_at=row.delisted_at or at, is_withdrawn=True)


_Changes = Iterator[tuple[str, str, int | None, int | None]]


def change_of_publication(entry: Entry, before: dict[str, Row], after: dict[str, Row]) -> _Changes:
    """Yield (SKU, kind, old cents, new cents) of each price that a store-day changed."""
    for sku, new in after.items():
        old, line = before.get(sku), entry.day.accepted.get(sku)
        if old is None:
            yield sku, "created", None, new.cents
        elif old.is_listed and not new.is_listed:
            yield sku, "delisted", old.cents, None
        elif line is None or old == new:
            continue
        elif old.is_available and not new.is_available:
            yield sku, "unavailable", old.cents, None
        elif not old.is_listed or (not old.is_available and new.is_available):
            yield sku, "relisted", old.cents, line.cents
        elif old.cents != new.cents:
            yield sku, "changed", old.cents, new.cents


def corrections(before: dict[str, Row], after: dict[str, Row]) -> _Changes:
    """Yield (SKU, kind, old cents, new cents) of each price that differs after a retraction, a late store-day or a revised verdict."""
    for sku, new in after.items():
        old, cents = before.get(sku), new.cents if new.is_listed and new.is_available else None
        if old is None:
            yield sku, "created", None, cents
        elif (old.cents, old.is_listed, old.is_available) != (new.cents, new.is_listed, new.is_available):
            yield sku, _kind_of_correction(old, new), old.cents, cents


def _kind_of_correction(old: Row, new: Row) -> str:
    if old.is_listed and not new.is_listed:
        return "delisted"
    if (new.is_listed and not old.is_listed) or (new.is_available and not old.is_available):
        return "relisted"
    return "unavailable" if old.is_available and not new.is_available else "changed"
