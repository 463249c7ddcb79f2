"""Random histories: each rule is a verb, played on the model and on the product; after each the two are compared.

A failing history is shrunk and printed as a list of verbs. ``SWITCHES`` turns verbs off that meet a defect not mended yet.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.reference.comparing import differences
from tests.reference.model import Entry, Model
from tests.reference.product import Product, content_hash
from tests.reference.store_day import StoreDay

STORES = {"G102": "aldi", "G103": "aldi", "COL:401": "coles"}
#: 04:30 in Melbourne on Friday 13 November 2026; the histories have three days.
FIRST_DAY = datetime(2026, 11, 12, 17, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)

SWITCHES: dict[str, Any] = {
    "kinds": "abcsA0!=tx~<-",
    "paces": (0, 5),
    "completeness": (True, False, None),
    "storage away": True,
    "batches": True,
    "retract": True,
    "compared": ("refused", "product_price", "ledger", "price", "product", "change"),
}

goods = st.lists(st.sampled_from(SWITCHES["kinds"]), min_size=1, max_size=6).map(lambda kinds: "".join(kinds).rstrip("-")).filter(bool)
completeness = st.sampled_from(SWITCHES["completeness"])
any_of = st.integers(0, 7)


class Histories(RuleBasedStateMachine):
    """Plays one history. ``product`` is set by the test."""

    product: ClassVar[Product]
    #: Histories begun, and those begun when the first difference was found.
    played: ClassVar[int] = 0
    failed_after: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).played += 1
        self.model = Model()
        self.days: list[StoreDay] = []
        self.now = NOW
        self.product.begin()
        self._tick()

    @rule(
        store=st.sampled_from(sorted(STORES, reverse=True)), goods=goods, day=st.integers(0, 2), minute=st.sampled_from((0, 10)),
        pace=st.sampled_from(SWITCHES["paces"]), complete=completeness, ingest=st.booleans(),
    )  # fmt: skip
    def crawl(self, store: str, goods: str, day: int, minute: int, pace: int, complete: bool | None, ingest: bool) -> None:
        """A crawl, complete or not, on one of three days, at once or while another one runs; late if a later one came before."""
        starts_at = FIRST_DAY + timedelta(days=day, minutes=minute)
        self._stage(StoreDay(STORES[store], store, f"run{len(self.days):03}", goods, starts_at, timedelta(minutes=pace), complete), ingest)

    @precondition(lambda self: self.days)
    @rule(which=any_of, goods=goods, complete=completeness, ingest=st.booleans())
    def run_again(self, which: int, goods: str, complete: bool | None, ingest: bool) -> None:
        """The same run of a store writes another file."""
        day = self.days[which % len(self.days)]
        self._stage(StoreDay(day.retailer, day.store_id, day.run, goods, day.starts_at, day.pace, complete), ingest)

    @rule(retailer=st.sampled_from(("aldi", "coles")))
    def ingest(self, retailer: str) -> None:
        """Everything that waits, as one batch."""
        self._tick()
        self.product.ingest(retailer)
        self._play(lambda: self.model.ingest(retailer, self.now))

    @precondition(lambda self: self.model.staged and SWITCHES["storage away"])
    @rule()
    def ingest_while_storage_is_away(self) -> None:
        """Nothing is decided while the files cannot be read."""
        retailer = self.model.staged[0].retailer
        self.product.ingest_while_storage_is_away(retailer)
        self._play(lambda: self.model.register(retailer))

    @precondition(lambda self: self._in_state("held"))
    @rule(which=any_of)
    def release(self, which: int) -> None:
        """An operator releases one held store-day."""
        entry = self._choose("held", which)
        self._tick()
        self.product.release(self._file_id(entry), entry.day.retailer)
        self._play(lambda: self.model.release(entry, self.now))

    @precondition(lambda self: self._in_state("held"))
    @rule(which=any_of)
    def discard(self, which: int) -> None:
        """An operator discards one held store-day."""
        entry = self._choose("held", which)
        self.product.discard(self._file_id(entry))
        self.model.discard(entry)
        self._compare()

    @precondition(lambda self: SWITCHES["retract"] and self._in_state("published"))
    @rule(which=any_of)
    def retract(self, which: int) -> None:
        """An operator takes one published store-day back."""
        entry = self._choose("published", which)
        self._tick()
        self.product.retract(self._file_id(entry), *entry.day.store)
        self._play(lambda: self.model.retract(entry, self.now))

    @precondition(lambda self: self._in_state("discarded"))
    @rule(which=any_of)
    def bring_back(self, which: int) -> None:
        """An operator brings a discarded or retracted store-day back."""
        entry = self._choose("discarded", which)
        self._tick()
        self.product.bring_back(self._file_id(entry), entry.day.retailer)
        self._play(lambda: self.model.bring_back(entry, self.now))

    @rule(store=st.sampled_from(sorted(STORES)))
    def damage(self, store: str) -> None:
        """A file arrives whose manifest cannot be read: it is refused, and no other file."""
        self.model.damaged[STORES[store]] = self.model.damaged.get(STORES[store], 0) + 1
        self.product.damage(STORES[store], store, sum(self.model.damaged.values()))

    def _play(self, verb: Callable[[], None]) -> None:
        """Play the model's part of a verb, and compare."""
        verb()
        self._compare()

    def _stage(self, day: StoreDay, ingest: bool) -> None:
        assume("<" not in day.goods or 2 * day.goods.count("<") < len(day.instants))  # the crawl is where most lines are
        assume((day.store, day.run, day.goods) not in [(other.store, other.run, other.goods) for other in self.days])
        self.days.append(day)
        self.product.stage(day)
        self.model.stage(day)
        if ingest or not SWITCHES["batches"]:
            self.ingest(day.retailer)

    def _tick(self) -> None:
        self.now += timedelta(minutes=1)
        self.product.set_clock(self.now)

    def _in_state(self, state: str) -> list[Entry]:
        return [entry for entry in self.model.ledger if entry.state == state]

    def _choose(self, state: str, which: int) -> Entry:
        entries = self._in_state(state)
        return entries[which % len(entries)]

    def _file_id(self, entry: Entry) -> int:
        values: dict[str, Any] = {"hash": content_hash(entry.day), "run": entry.day.run}
        with self.product.warehouse.transaction() as connection:
            row = connection.execute(
                "SELECT file_id FROM ops.staged_file WHERE content_hash = %(hash)s AND run_key = %(run)s", values
            ).fetchone()
        assert row is not None
        return int(row["file_id"])

    def _compare(self) -> None:
        found = [line for line in differences(self.model, self.product, self.now) if line.what in SWITCHES["compared"]]
        if found:
            type(self).failed_after = type(self).failed_after or self.played
            raise _kind_of(found[0].what, found[0].field)(
                "\n".join(["the product differs from the model:", *(f"{line.what} {line.text}" for line in found)])
            )


@cache
def _kind_of(what: str, field: str) -> type[AssertionError]:
    """Make one type of error per kind of difference: hypothesis shrinks and reports each by itself."""
    return type(f"Different_{what}_{field}", (AssertionError,), {})
