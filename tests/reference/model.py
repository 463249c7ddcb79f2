"""The reference model: the published state as plain Python over the history of files and decisions.

It shares no code with the product, keeps every file in memory and computes each price again from the whole history. Its rules are those
of the design page, §4.1 (staged file, complete), §4.2 (warehouse, rules) and §5 (checks, ingest):

- A store-day's instant is its earliest line; lines keep their own. Equal instants: the later registration wins. Files registered together
  are in order of store, night and run; those of one run in the order they were written.
- Files are judged in rounds in order of time: the oldest date first, of each store its oldest file. They are judged against published
  store-days; what counts is their distinct accepted SKUs.
- A file without a manifest is judged in order of time, not of arrival: whenever store-days are published or retracted, the retailer's
  estimates are made again, and the prices of a store whose verdicts changed are those in order of time.
- A store-day older than the store's last complete publish adds products and no prices, as long as that one is complete.
- A store-day that arrives late, but is not older than that, leaves the prices as if it had come in time.
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
from zoneinfo import ZoneInfo

from tests.reference.prices import Change, Row, change_of_publication, corrections, publish_in_order, withdraw
from tests.reference.store_day import StoreDay

#: Limits of the rules that hold a store-day; the warehouse of the test is set to the same.
REFUSED_SHARE_MAX = 0.5
GOODS_SHARE_MIN = 0.6
COMPLETE_SHARE = 0.9
#: Store-days of a store that a new one is compared with.
PAST_STORE_DAYS = 5
#: So far back a store is compared with what it listed earlier.
DRIFT = timedelta(days=28)

MELBOURNE = ZoneInfo("Australia/Melbourne")

Store = tuple[str, str]
Sku = tuple[str, str]


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
    is_loaded: bool = False
    is_judged: bool = False
    counts: Counts | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        """Order of time; of equal instants the order of registration."""
        return self.day.at, self.number

    @property
    def is_past(self) -> bool:
        """Whether it is a store-day to compare with: its products, at least, were published."""
        return self.counts is not None and self.state in ("published", "superseded")

    @property
    def is_known(self) -> bool:
        """Whether completeness of others is estimated with it: it was published, or is loaded and may be published next."""
        return self.is_past or (self.state == "waiting" and self.is_loaded)

    @property
    def goods(self) -> int:
        """Its goods: before it is judged, nobody knows which readable lines the rules refuse."""
        return self.day.accepted_goods if self.is_judged else self.day.readable_goods


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
    #: When the name of a SKU last became another.
    renamed_at: dict[Sku, datetime] = field(default_factory=dict)

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
        """Everything of a retailer that waits is judged in rounds; what passes is published before the next round is judged."""
        self.register(retailer)
        for entry in self._waiting(retailer):
            entry.is_loaded = True
        while batch := _next_round(self._waiting(retailer)):
            for entry in batch:
                if not entry.is_judged:
                    entry.is_judged = True
                    entry.is_complete = self._is_complete(entry)
            for entry in [entry for entry in batch if not entry.is_released and self._is_held(entry)]:
                entry.state = "held"
                batch.remove(entry)
            self._revise(retailer, batch, now)
            self._learn_names(batch, now)
            for entry in batch:
                self._publish(entry, now)

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
        self._log(entry, now, corrections(before, after))
        self.rows[entry.day.store] = _stamped(before, after, now)
        self._revise(entry.day.retailer, [entry], now)

    def bring_back(self, entry: Entry, now: datetime) -> None:
        """An operator brings a discarded or retracted store-day back: it is judged and published as if it arrived now, with its old number."""
        entry.state, entry.is_released, entry.counts = "waiting", False, None
        entry.is_loaded = entry.is_judged = False
        entry.is_complete = entry.day.is_complete is True
        self.ingest(entry.day.retailer, now)

    # rules -------------------------------------------------------------------------------------------------------------

    def _register(self, day: StoreDay) -> None:
        of_run = [entry for entry in self.ledger if (entry.day.store, entry.day.run) == (day.store, day.run)]
        if any(entry.day.goods == day.goods for entry in of_run):
            return
        for entry in of_run:
            if entry.state in ("waiting", "held"):
                entry.state = "superseded"
        self.ledger.append(Entry(len(self.ledger) + 1, day, is_complete=day.is_complete is True))

    def _waiting(self, retailer: str) -> list[Entry]:
        return sorted(
            (entry for entry in self.ledger if entry.state == "waiting" and entry.day.retailer == retailer), key=lambda entry: entry.order
        )

    def _is_complete(self, entry: Entry) -> bool:
        """As its manifest says; without one, from the share of goods of the store's last complete store-day, else of the retailer's median."""
        if entry.day.is_complete is not None:
            return entry.day.is_complete
        others = [other for other in self.ledger if other.day.retailer == entry.day.retailer and other is not entry and other.is_known]
        before = [other for other in others if other.day.store == entry.day.store and other.order < entry.order and other.is_complete]
        if before:
            usual: float = max(before, key=lambda other: other.order).goods
        else:
            usual = median(other.goods for other in others) if others else float("inf")
        return entry.goods >= COMPLETE_SHARE * usual

    def _revise(self, retailer: str, cause: list[Entry], now: datetime) -> None:
        """Estimate completeness again, because store-days are about to be published or were retracted; the oldest estimate first."""
        while cause:
            estimated = [other for other in self.ledger if other.day.retailer == retailer and other.day.is_complete is None]
            estimated = [other for other in estimated if other.is_past or (other in cause and other.state == "waiting")]
            wrong = [other for other in estimated if other.is_complete != self._is_complete(other)]
            if not wrong:
                return
            entry = min(wrong, key=lambda other: other.order)
            entry.is_complete = not entry.is_complete
            if entry.is_past:
                for late in self._outdated(entry.day.store):
                    late.state = "published"
                self._publish_in_order(entry, now)

    def _outdated(self, store: Store) -> list[Entry]:
        """Store-days that published no prices because of a newer complete one, which is not complete any more."""
        complete = [other for other in self._published(store) if other.is_complete]
        late = [other for other in self.ledger if other.day.store == store and other.is_past and other.state == "superseded"]
        return [other for other in late if not any(other.day.last_at < newer.day.at for newer in complete)]

    def _publish_in_order(self, entry: Entry, now: datetime) -> tuple[dict[str, Row], dict[str, Row]]:
        """Give the store of a late or revised store-day its prices in order of time; return its rows before and after."""
        before = self._rows(entry.day.store)
        after = publish_in_order(self._published(entry.day.store))
        for sku, row in before.items():  # withdrawn rows stay, for readers that follow changes
            after.setdefault(sku, row)
        self._log(entry, now, corrections(before, after))
        self.rows[entry.day.store] = _stamped(before, after, now)
        return before, after

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

    def _learn_names(self, batch: list[Entry], now: datetime) -> None:
        before = dict(self.names)
        for entry in batch:
            for line in entry.day.accepted.values():
                sku = entry.day.retailer, line.sku
                self.names[sku] = max(self.names.get(sku, (line.at, "")), (line.at, line.name))
        self.renamed_at |= {sku: now for sku, (_, name) in self.names.items() if sku in before and before[sku][1] != name}

    def _published(self, store: Store) -> list[Entry]:
        return sorted(
            (entry for entry in self.ledger if entry.day.store == store and entry.state == "published"), key=lambda entry: entry.order
        )

    def _rows(self, store: Store) -> dict[str, Row]:
        return self.rows.get(store, {})

    def _publish(self, entry: Entry, now: datetime) -> None:
        day, before = entry.day, self._rows(entry.day.store)
        entry.counts = Counts(folded=day.folded_lines, quarantined=day.refused_lines)
        published = self._published(day.store)
        if any(other.is_complete and day.last_at < other.day.at for other in published):
            entry.state, entry.counts.outdated = "superseded", len(day.accepted)
            return
        entry.state = "published"
        if any(entry.order < other.order for other in published):
            self._count(entry, *self._publish_in_order(entry, now))
            return
        after = publish_in_order(self._published(day.store))
        for sku, row in before.items():
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
            elif not after[sku].is_listed or (known and not known.is_withdrawn and known.seen > (line.at, entry.number)):
                counts.outdated += 1
            elif known is None:
                counts.created += 1
            elif known.visible != after[sku].visible:
                counts.updated += 1
            else:
                counts.unchanged += 1
        counts.delisted = sum(row.is_listed and not after[sku].is_listed for sku, row in before.items())

    def _log(self, entry: Entry, now: datetime, changes: Iterable[tuple[str, str, int | None, int | None]]) -> None:
        self.changes |= {Change(entry.number, entry.day.store, sku, now, kind, old, new) for sku, kind, old, new in changes}


def _next_round(waiting: list[Entry]) -> list[Entry]:
    """Those of the earliest Melbourne date, each the oldest of its store."""
    oldest: dict[Store, Entry] = {}
    for entry in waiting:
        oldest.setdefault(entry.day.store, entry)
    dates = {entry.number: entry.day.at.astimezone(MELBOURNE).date() for entry in oldest.values()}
    return [entry for entry in oldest.values() if dates[entry.number] == min(dates.values())]


def _stamped(before: dict[str, Row], after: dict[str, Row], now: datetime) -> dict[str, Row]:
    """Give every row the time of its last visible change."""
    return {
        sku: replace(row, changed_at=before[sku].changed_at if sku in before and before[sku].visible == row.visible else now)
        for sku, row in after.items()
    }
