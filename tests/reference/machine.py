"""Random histories: each rule is a verb, played on the model and on the product; after each the two are compared.

A failing history is shrunk and printed as a list of verbs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.reference.comparing import differences
from tests.reference.model import Entry, Model, Store
from tests.reference.product import Product, content_hash
from tests.reference.store_day import StoreDay

STORES = {"G102": "aldi", "G103": "aldi", "COL:401": "coles"}
#: 04:30 in Melbourne on Friday 13 November 2026.
FIRST_DAY = datetime(2026, 11, 12, 17, 30, tzinfo=UTC)
LAST_DAY = FIRST_DAY + timedelta(days=4)
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """What may occur in one history. A history has few of everything, so that the same store, good and kind of line meet again soon."""

    stores: tuple[str, ...] = ("G102",)
    kinds: tuple[str, ...] = ("a",)
    goods_max: int = 6
    #: Minutes from line to line; crawls whose lines are minutes apart overlap.
    paces: tuple[int, ...] = (0,)
    completeness: tuple[bool | None, ...] = (True,)


worlds = st.builds(
    World,
    stores=st.sampled_from((("G102",), ("G102",), ("G102", "G103"), ("G102", "COL:401"), tuple(STORES))),
    kinds=st.lists(st.sampled_from("abcsA0!=tx~<-"), max_size=4, unique=True).map(lambda kinds: ("a", "a", *kinds)),
    goods_max=st.sampled_from((6, 3)),
    paces=st.sampled_from(((0,), (5,), (0, 5))),
    completeness=st.sampled_from(((True,), (True,), (None,), (True, None), (True, False, None))),
)


class Verb(NamedTuple):
    """One step of a history: a method of :class:`Histories` and its arguments."""

    name: str
    values: dict[str, Any]


class Histories(RuleBasedStateMachine):
    """Plays one history. ``product`` is set by the test."""

    product: ClassVar[Product]
    #: Histories begun, and those begun when the first difference was found.
    played: ClassVar[int] = 0
    failed_after: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).played += 1
        self.world = World()
        self.model = Model()
        self.days: list[StoreDay] = []
        self.now = NOW
        self.product.begin()
        self._tick()

    @initialize(world=worlds)
    def begin(self, world: World) -> None:
        """Choose what may occur in this history."""
        self.world = world

    @rule(verb=st.runner().flatmap(lambda histories: histories.verbs()))
    def do(self, verb: Verb) -> None:
        """Play one verb."""
        getattr(self, verb.name)(**verb.values)

    def verbs(self) -> st.SearchStrategy[Verb]:
        """Choose among the verbs that are possible now, each with its weight."""
        which, ingest = st.integers(0, 7), st.sampled_from((True, True, False))
        pace, complete, store = map(st.sampled_from, (self.world.paces, self.world.completeness, self.world.stores))
        goods = st.lists(st.sampled_from(self.world.kinds), min_size=1, max_size=self.world.goods_max)
        told = {"goods": goods.map(lambda kinds: "".join(kinds).rstrip("-")).filter(bool), "complete": complete}
        crawl = {"store": store, "day": st.integers(0, 2), "minute": st.sampled_from((0, 10)), "pace": pace, "ingest": ingest}
        beside = {"which": which, "minutes": st.sampled_from((10, -10)), "pace": pace}
        held, published, discarded = (bool(self._in_state(state)) for state in ("held", "published", "discarded"))
        possible: list[tuple[int, str, dict[str, st.SearchStrategy[Any]]]] = [
            (5, "crawl", crawl | told),
            (3 * bool(self.days), "crawl_the_next_night", {"which": which} | told),
            (2 * bool(self.days), "crawl_at_the_same_time", beside | told),
            (1 * bool(self.days), "run_again", {"which": which, "ingest": ingest} | told),
            (1 * bool(self.model.staged), "ingest", {"retailer": st.sampled_from(sorted({STORES[name] for name in self.world.stores}))}),
            (1 * bool(self.model.staged), "ingest_while_storage_is_away", {}),
            (1 * bool(self.days and not self.model.damaged), "damage", {"store": store}),
            (3 * published, "retract", {"which": which}),
            (2 * held, "release", {"which": which}),
            (2 * held, "discard", {"which": which}),
            (2 * discarded, "bring_back", {"which": which}),
        ]
        named = [(name, values) for weight, name, values in possible for _ in range(weight)]
        return st.sampled_from(named).flatmap(lambda verb: st.builds(Verb, st.just(verb[0]), st.fixed_dictionaries(verb[1])))

    def crawl(self, store: str, goods: str, day: int, minute: int, pace: int, complete: bool | None, ingest: bool) -> None:
        """A crawl, complete or not, on one of three days, at once or while another one runs; late if a later one came before."""
        self._crawl((STORES[store], store), goods, FIRST_DAY + timedelta(days=day, minutes=minute), pace, complete, ingest)

    def crawl_the_next_night(self, which: int, goods: str, complete: bool | None) -> None:
        """A crawl of the same store a night after another one, taken in at once."""
        day = self.days[which % len(self.days)]
        self._crawl(day.store, goods, min(day.starts_at + timedelta(days=1), LAST_DAY), day.pace // timedelta(minutes=1), complete, True)

    def crawl_at_the_same_time(self, which: int, goods: str, minutes: int, pace: int, complete: bool | None) -> None:
        """A crawl of the same store that begins while another one runs, taken in at once."""
        day = self.days[which % len(self.days)]
        self._crawl(day.store, goods, day.starts_at + timedelta(minutes=minutes), pace, complete, True)

    def run_again(self, which: int, goods: str, complete: bool | None, ingest: bool) -> None:
        """The same run of a store writes another file."""
        day = self.days[which % len(self.days)]
        self._stage(StoreDay(day.retailer, day.store_id, day.run, goods, day.starts_at, day.pace, complete), ingest)

    def ingest(self, retailer: str) -> None:
        """Everything that waits, as one batch."""
        self._tick()
        self.product.ingest(retailer)
        self._play(lambda: self.model.ingest(retailer, self.now))

    def ingest_while_storage_is_away(self) -> None:
        """Nothing is decided while the files cannot be read."""
        retailer = self.model.staged[0].retailer
        self.product.ingest_while_storage_is_away(retailer)
        self._play(lambda: self.model.register(retailer))

    def release(self, which: int) -> None:
        """An operator releases one held store-day."""
        entry = self._choose("held", which)
        self._tick()
        self.product.release(self._file_id(entry), entry.day.retailer)
        self._play(lambda: self.model.release(entry, self.now))

    def discard(self, which: int) -> None:
        """An operator discards one held store-day."""
        entry = self._choose("held", which)
        self.product.discard(self._file_id(entry))
        self.model.discard(entry)
        self._compare()

    def retract(self, which: int) -> None:
        """An operator takes one published store-day back."""
        entry = self._choose("published", which)
        self._tick()
        self.product.retract(self._file_id(entry), *entry.day.store)
        self._play(lambda: self.model.retract(entry, self.now))

    def bring_back(self, which: int) -> None:
        """An operator brings a discarded or retracted store-day back."""
        entry = self._choose("discarded", which)
        self._tick()
        self.product.bring_back(self._file_id(entry), entry.day.retailer)
        self._play(lambda: self.model.bring_back(entry, self.now))

    def damage(self, store: str) -> None:
        """A file arrives whose manifest cannot be read: it is refused, and no other file."""
        self.model.damaged[STORES[store]] = self.model.damaged.get(STORES[store], 0) + 1
        self.product.damage(STORES[store], store, sum(self.model.damaged.values()))

    def _play(self, verb: Callable[[], None]) -> None:
        """Play the model's part of a verb, and compare."""
        verb()
        self._compare()

    def _crawl(self, store: Store, goods: str, starts_at: datetime, pace: int, complete: bool | None, ingest: bool) -> None:
        self._stage(StoreDay(*store, f"run{len(self.days):03}", goods, starts_at, timedelta(minutes=pace), complete), ingest)

    def _stage(self, day: StoreDay, ingest: bool) -> None:
        if "<" in day.goods and 2 * day.goods.count("<") >= len(day.instants):
            return  # the crawl is where most lines are
        if (day.store, day.run, day.goods) in [(other.store, other.run, other.goods) for other in self.days]:
            return  # the same file
        self.days.append(day)
        self.product.stage(day)
        self.model.stage(day)
        if ingest:
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
        found = differences(self.model, self.product, self.now)
        if found:
            type(self).failed_after = type(self).failed_after or self.played
            raise _kind_of(found[0].what, found[0].field)(
                "\n".join(["the product differs from the model:", *(f"{line.what} {line.text}" for line in found)])
            )


@cache
def _kind_of(what: str, field: str) -> type[AssertionError]:
    """Make one type of error per kind of difference: hypothesis shrinks and reports each by itself."""
    return type(f"Different_{what}_{field}", (AssertionError,), {})
