"""The reference model: the published state as plain Python over the history of files and decisions.

It shares no code with the product, keeps every file in memory and computes each price again from the whole history. Its rules are those
of the design page, §4.1 (staged file, complete), §4.2 (warehouse, rules) and §5 (checks, ingest):

- A store-day's instant is its earliest line; lines keep their own. Equal instants: the later registration wins. Files registered together
  are in order of store, night and run; those of one run in the order they were written.
- Files are judged one by one in order of time, against published store-days; what counts is their distinct accepted SKUs.
- A store-day older than the store's last complete publish adds products and no prices.
- Newest is judged per line, also where crawls of a store overlap in time. An unavailable line keeps the last price, marked; without a known price it adds nothing.
- A complete store-day delists what it no longer lists, unless that was observed after it. What was refused, or what an unreadable line may
  have been, is neither delisted nor refreshed.
- A re-run supersedes its own unpublished file and no other.
- Retracted: as if never published. What no other store-day prices is withdrawn: neither listed nor available.
- ``changed_at`` moves with every difference a reader can see; the change log has one row per price and file that changed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median

from tests.reference.prices import Change, Row, change_of_publication, change_of_retraction, publish_in_order, withdraw
from tests.reference.store_day import StoreDay

#: Limits of the rules that hold a store-day; the warehouse of the test is set to the same.
REFUSED_SHARE_MAX = 0.5
GOODS_SHARE_MIN = 0.6
COMPLETE_SHARE = 0.9
#: Store-days of a store that a new one is compared with.
PAST_STORE_DAYS = 5
#: So far back a store is compared with what it listed earlier.
DRIFT = timedelta(days=28)

Store = tuple[str, str]
Sku = tuple[str, str]


class Undecided(Exception):
    """The design leaves open what becomes of this history: see :meth:`Model._publish`."""


@dataclass
class Counts:
    """What the ledger counts of one published store-day."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    unavailable: int = 0
    outdated: int = 0
    delisted: int = 0
    folded: int = 0
    quarantined: int = 0


@dataclass
class Entry:
    """One file of the ledger. ``number`` is the order of registration."""

    number: int
    day: StoreDay
    state: str = "waiting"
    is_complete: bool = False
    is_released: bool = False
    counts: Counts | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        """Order of time; of equal instants the order of registration."""
        return self.day.at, self.number

    @property
    def is_past(self) -> bool:
        """Whether it is a store-day to compare with: its products, at least, were published."""
        return self.counts is not None and self.state in ("published", "superseded")


@dataclass
class Model:
    """The history so far and the published state."""

    ledger: list[Entry] = field(default_factory=list)
    staged: list[StoreDay] = field(default_factory=list)
    rows: dict[Store, dict[str, Row]] = field(default_factory=dict)
    changes: set[Change] = field(default_factory=set)
    #: Files of each retailer whose manifest cannot be read, and those of them that were refused.
    damaged: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    #: Newest name of every SKU, with the instant of the line that gave it.
    names: dict[Sku, tuple[datetime, str]] = field(default_factory=dict)

    # verbs -------------------------------------------------------------------------------------------------------------

    def stage(self, day: StoreDay) -> None:
        """A file arrives in the outbox. Equal content of the same run is the same file."""
        self.staged.append(day)

    def register(self, retailer: str) -> None:
        """Everything in a retailer's outbox enters the ledger; a file whose manifest cannot be read is refused."""
        if retailer in self.damaged:
            self.refused[retailer] = self.damaged[retailer]
        arriving = sorted(
            (day for day in self.staged if day.retailer == retailer), key=lambda day: (day.store_id, day.starts_at.date(), day.run)
        )
        self.staged = [day for day in self.staged if day.retailer != retailer]
        for day in arriving:
            self._register(day)

    def ingest(self, retailer: str, now: datetime) -> None:
        """Everything of a retailer that waits is judged in order of time; what passes is published before the next is judged."""
        self.register(retailer)
        batch = sorted(
            (entry for entry in self.ledger if entry.state == "waiting" and entry.day.retailer == retailer), key=lambda entry: entry.order
        )
        for entry in batch:
            entry.is_complete = self._is_complete(entry)
            if entry.is_released or not self._is_held(entry):
                self._learn_names(entry)
                self._publish(entry, now)
            else:
                entry.state = "held"

    def release(self, entry: Entry, now: datetime) -> None:
        """An operator publishes a held store-day; rules about lines still apply."""
        entry.state, entry.is_released = "waiting", True
        self.ingest(entry.day.retailer, now)

    def discard(self, entry: Entry) -> None:
        """An operator decides that a held store-day is never published."""
        entry.state = "discarded"

    def retract(self, entry: Entry, now: datetime) -> None:
        """An operator takes back a published store-day: the store's prices become as if it had never been published."""
        before = self._rows(entry.day.store)
        entry.state = "discarded"
        after = publish_in_order(self._published(entry.day.store))
        for sku, row in before.items():
            if sku not in after:
                after[sku] = withdraw(row, entry.day.at)
        self._log(entry, now, change_of_retraction(before, after))
        self.rows[entry.day.store] = _stamped(before, after, now)

    def bring_back(self, entry: Entry, now: datetime) -> None:
        """An operator brings a discarded or retracted store-day back: it is judged and published as if it arrived now, with its old number."""
        entry.state, entry.is_released, entry.counts = "waiting", False, None
        self.ingest(entry.day.retailer, now)

    # rules -------------------------------------------------------------------------------------------------------------

    def _register(self, day: StoreDay) -> None:
        of_run = [entry for entry in self.ledger if (entry.day.store, entry.day.run) == (day.store, day.run)]
        if any(entry.day.goods == day.goods for entry in of_run):
            return
        for entry in of_run:
            if entry.state in ("waiting", "held"):
                entry.state = "superseded"
        self.ledger.append(Entry(len(self.ledger) + 1, day))

    def _is_complete(self, entry: Entry) -> bool:
        """As its manifest says; without one, from the share of goods of the store's last complete store-day, else of the retailer's median."""
        if entry.day.is_complete is not None:
            return entry.day.is_complete
        if past := self._past_complete(entry):
            usual: float = past[0].day.accepted_goods
        else:
            others = [other for other in self.ledger if other.day.retailer == entry.day.retailer and other is not entry]
            goods = [other.day.accepted_goods for other in others if other.is_past or other.state == "waiting"]
            usual = median(goods) if goods else float("inf")
        return entry.day.accepted_goods >= COMPLETE_SHARE * usual

    def _is_held(self, entry: Entry) -> bool:
        if entry.day.refused_lines > REFUSED_SHARE_MAX * entry.day.lines:
            return True
        expected = self._expected_goods(entry)
        return entry.is_complete and expected is not None and entry.day.accepted_goods < GOODS_SHARE_MIN * expected

    def _expected_goods(self, entry: Entry) -> float | None:
        """What the store usually lists; or, where that is more, what it listed at the beginning of the last weeks: it may shrink a little every night."""
        past = self._past(entry)
        complete = [other for other in past if other.is_complete]
        if not past:
            return None
        usual = median(other.day.accepted_goods for other in (complete or past)[:PAST_STORE_DAYS])
        found_right_at = max((other.day.at for other in past if other.is_released), default=None)
        begin = max(filter(None, [entry.day.at - DRIFT, found_right_at]))
        oldest = min(
            (other for other in complete if other is complete[0] or other.day.at >= begin), key=lambda other: other.order, default=None
        )
        return max(usual, oldest.day.accepted_goods) if oldest else usual

    def _past(self, entry: Entry) -> list[Entry]:
        """The published store-days of the store before this one, the newest first."""
        mine = [other for other in self.ledger if other.is_past and other.day.store == entry.day.store and other.order < entry.order]
        return sorted(mine, key=lambda other: other.order, reverse=True)

    def _past_complete(self, entry: Entry) -> list[Entry]:
        return [other for other in self._past(entry) if other.is_complete]

    def _learn_names(self, entry: Entry) -> None:
        for line in entry.day.accepted.values():
            sku = entry.day.retailer, line.sku
            self.names[sku] = max(self.names.get(sku, (line.at, "")), (line.at, line.name))

    def _published(self, store: Store) -> list[Entry]:
        return sorted(
            (entry for entry in self.ledger if entry.day.store == store and entry.state == "published"), key=lambda entry: entry.order
        )

    def _rows(self, store: Store) -> dict[str, Row]:
        return self.rows.get(store, {})

    def _publish(self, entry: Entry, now: datetime) -> None:
        day, before = entry.day, self._rows(entry.day.store)
        entry.counts = Counts(folded=day.folded_lines, quarantined=day.refused_lines)
        newest = max((other for other in self._published(day.store) if other.is_complete), key=lambda other: other.order, default=entry)
        if entry.order < newest.order:
            if day.last_at < newest.day.at:
                entry.state, entry.counts.outdated = "superseded", len(day.accepted)
                return
            if any(line.at < newest.day.at and newest.day.kinds.get(sku, "-") == "-" for sku, line in day.accepted.items()):
                raise Undecided  # the crawls overlap, and the later one delists it: is the price of the late file its last price?
        newer = [other for other in self._published(day.store) if other.order > entry.order]
        if any(
            line.cents and sku not in before and other.day.kinds.get(sku) == "0" for other in newer for sku, line in day.accepted.items()
        ):
            raise Undecided  # "unavailable" came first: is the older line's price the last one known?
        entry.state = "published"
        after = publish_in_order(self._published(day.store))
        for sku, row in before.items():  # withdrawn rows stay, for readers that follow changes
            after.setdefault(sku, row)
        self._count(entry, before, after)
        self._log(entry, now, change_of_publication(entry, before, after))
        self.rows[day.store] = _stamped(before, after, now)

    def _count(self, entry: Entry, before: dict[str, Row], after: dict[str, Row]) -> None:
        counts = entry.counts
        assert counts is not None
        for sku, line in entry.day.accepted.items():
            known = before.get(sku)
            if line.cents is None:
                counts.unavailable += 1
            elif known is None:
                counts.created += 1
            elif not known.is_withdrawn and known.seen > (line.at, entry.number):
                counts.outdated += 1
            elif known.visible != after[sku].visible:
                counts.updated += 1
            else:
                counts.unchanged += 1
        counts.delisted = sum(row.is_listed and not after[sku].is_listed for sku, row in before.items())

    def _log(self, entry: Entry, now: datetime, changes: Iterable[tuple[str, str, int | None, int | None]]) -> None:
        self.changes |= {Change(entry.number, entry.day.store, sku, now, kind, old, new) for sku, kind, old, new in changes}


def _stamped(before: dict[str, Row], after: dict[str, Row], now: datetime) -> dict[str, Row]:
    """Give every row the time of its last visible change."""
    return {
        sku: replace(row, changed_at=before[sku].changed_at if sku in before and before[sku].visible == row.visible else now)
        for sku, row in after.items()
    }
