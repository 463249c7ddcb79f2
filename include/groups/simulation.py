"""Simulates many stores and nights without network or database: the grouping code itself over a world whose truth is known.

The plan of a night, health, comparison, merging and cooldown are the functions that crawls and maintenance use (the crawl plan itself is a statement;
``include/crawling/plan_order.py`` is the same rule, and a test compares the two). The prices of members are what the view gives them: those of a current anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from include.crawling.plan_order import PlanStore, plan_order
from include.groups.comparison import MatchRules, PriceLists
from include.groups.cooldown import Round, cooled_pairs, rounds_of
from include.groups.health import Health, examine, next_anchor
from include.groups.merging import find_matches, pairs_to_cool
from include.groups.simulated_world import SPLITTING, RetailerTruth, World, invented_stores
from include.groups.stores import GroupedStore, by_group, comparable_week

#: The first night: a Wednesday, 04:30 in Melbourne.
FIRST_NIGHT = datetime(2026, 11, 17, 17, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Simulation:
    """How a simulation runs: nights, stores crawled a night and retailer, nights in which every member is verified once, share of crawls that fail,
    share of a night reserved for stores never crawled."""

    seed: int = 1
    nights: int = 40
    budget: int = 200
    verification_nights: int = 14
    failure_share: float = 0.01
    new_store_share: float = 0.1
    cooldown_days: int = 7
    current_hours: int = 72
    rules: MatchRules = field(default_factory=MatchRules)
    world: World = field(default_factory=World)


@dataclass(frozen=True, slots=True)
class NightRow:
    """One night of one retailer.

    ``deferred``: stores that were to be crawled and did not fit. ``saved_share``: open stores that were not crawled. ``inferred``: prices that members would be given from
    their anchors; ``wrong_share``: of these, those that the member does not charge. ``false_merges``: stores that joined a group of another zone.
    ``mixed_groups``: groups with stores of several zones; ``mixed_nights``: for how many nights there have been some, without a break.
    """

    night: int
    night_on: date
    retailer: str
    stores: int
    groups: int
    crawled: int
    deferred: int
    saved_share: float
    inferred: int
    wrong: int
    wrong_share: float
    ejected: int
    false_merges: int
    mixed_groups: int
    mixed_nights: int


class RetailerRun:
    """One retailer of a simulation: the truth, the groups, and what was observed of each store."""

    def __init__(self, truth: RetailerTruth, simulation: Simulation) -> None:
        """Every store is a group of one, and none was crawled."""
        self.truth, self._simulation = truth, simulation
        self._random = np.random.default_rng([simulation.seed, 7, crc32(truth.retailer.encode())])
        count = len(truth.store_ids)
        self._seen: NDArray[np.int32] = np.zeros((count, simulation.world.products), np.int32)
        self._columns = np.arange(simulation.world.products, dtype=np.int64)
        self._stores = [
            GroupedStore(key, truth.store_ids[key], truth.states[key], key, True, False, True, None, None, None, None)
            for key in range(count)
        ]
        self._requests: dict[int, None] = {}
        self._verified_at: dict[int, datetime | None] = {}
        self._rounds: list[Round] = []
        self._groups = count
        self._files = 0
        self._mixed_nights = 0

    def run_night(self, night: int) -> NightRow:
        """Plan, crawl, maintain the groups, and judge what members would be given."""
        now = FIRST_NIGHT + timedelta(days=night - 1)
        self.truth.pass_night(night, is_wednesday=(night - 1) % 7 == 0)
        wanted = self._plan(now)
        crawled = wanted[: self._simulation.budget]
        self._crawl(crawled, now)
        later = now + timedelta(hours=3)
        self._look(later)
        health = examine(self._stores, self._lists, self._simulation.rules)
        self._apply(health)
        false_merges = self._merge(later)
        inferred, wrong = self._judge()
        open_stores = int(self.truth.is_open.sum())
        members = by_group(self._stores).values()
        mixed = sum(len({int(self.truth.zones[store.store_key]) for store in group}) > 1 for group in members)
        self._mixed_nights = self._mixed_nights + 1 if mixed else 0
        return NightRow(
            night, (now + timedelta(hours=11)).date(), self.truth.retailer, open_stores, len(members), len(crawled), len(wanted) - len(crawled),
            1 - len(crawled) / open_stores, inferred, wrong, wrong / inferred if inferred else 0.0, len(health.ejected), false_merges, mixed, self._mixed_nights,
        )  # fmt: skip

    def _plan(self, now: datetime) -> list[int]:
        """Return the stores to crawl in the order of the crawl plan; what is beyond the budget is deferred."""
        simulation = self._simulation
        groups = by_group(store for store in self._stores if self.truth.is_open[store.store_key])
        stores = [
            PlanStore(
                store.store_key, store.store_id, store.state, is_requested=store.store_key in self._requests, is_due=self._week(store, now) is None,
                members=len(group) - 1 if store.is_anchor else 0, is_member=not store.is_anchor, complete_at=store.complete_at,
                verified_at=self._verified_at.get(store.store_key),
            )
            for group in groups.values()
            for store in group
        ]  # fmt: skip
        order = plan_order(
            stores, store_budget=simulation.budget, new_store_budget=max(int(simulation.budget * simulation.new_store_share), 1),
            verification_nights=simulation.verification_nights, now=now,
        )  # fmt: skip
        return [store_key for store_key, _ in order]

    def _week(self, store: GroupedStore, now: datetime) -> date | None:
        return comparable_week(store.complete_at, store.complete_at, store.state, now, self._simulation.current_hours)

    def _crawl(self, stores: Sequence[int], now: datetime) -> None:
        succeeded = [
            store for store, drawn in zip(stores, self._random.random(len(stores)), strict=True) if drawn >= self._simulation.failure_share
        ]
        if succeeded:
            self._seen[succeeded] = self.truth.prices(succeeded)
        for store in succeeded:
            self._files += 1
            self._stores[store] = replace(self._stores[store], complete_at=now, complete_file_id=self._files)
            self._requests.pop(store, None)

    def _look(self, now: datetime) -> None:
        """Set what may be compared now, and which stores trade."""
        self._stores = [
            replace(
                store, is_open=bool(self.truth.is_open[store.store_key]), week=self._week(store, now),
            )
            for store in self._stores
        ]  # fmt: skip

    def _lists(self, stores: Sequence[GroupedStore]) -> PriceLists:
        keys = sorted(store.store_key for store in stores)
        return PriceLists(np.array(keys, np.int64), self._columns, self._seen[keys])

    def _apply(self, health: Health) -> None:
        gone = {store.store_key for store in (*health.closed, *health.ejected)}
        for store in (*health.closed, *health.ejected):
            self._groups += 1
            self._change(store.store_key, group_id=self._groups, is_anchor=True, verified_file_id=None)
        for group in by_group(self._stores).values():
            if not group[0].is_anchor:  # of a closed anchor, or one that left with others
                self._change(next_anchor(group).store_key, is_anchor=True, verified_file_id=None)
        for store in health.verified:
            self._change(store.store_key, verified_file_id=store.complete_file_id)
            self._verified_at[store.store_key] = store.complete_at
        for store in (*health.stale, *health.to_verify):
            if store.store_key not in gone:
                self._requests[store.store_key] = None

    def _merge(self, now: datetime) -> int:
        groups = by_group(self._stores)
        anchors = [group[0] for group in groups.values() if group[0].is_open and group[0].week is not None]
        self._rounds = [one for one in self._rounds if now - one.at < timedelta(days=self._simulation.cooldown_days)]
        sizes = {group[0].store_key: len(group) for group in groups.values()}
        false = 0
        for week in sorted({store.week for store in anchors if store.week}):
            some = sorted((store for store in anchors if store.week == week), key=lambda store: store.store_key)
            ids = [store.store_id for store in some]
            cooled = cooled_pairs(self._rounds, ids)
            found = find_matches(self._lists(some), sizes, cooled, self._simulation.rules)
            self._rounds += rounds_of(pairs_to_cool([store.store_key for store in some], found.joining, cooled), ids, now)
            for match in found.matches:
                left, right = self._stores[match.left], self._stores[match.right]
                for store in groups[right.group_id]:
                    false += int(self.truth.zones[store.store_key] != self.truth.zones[left.store_key])
                    verified = store.complete_file_id if store.is_anchor else None
                    self._change(store.store_key, group_id=left.group_id, is_anchor=False, verified_file_id=verified)
                    self._verified_at[store.store_key] = store.complete_at if store.is_anchor else None
        return false

    def _judge(self) -> tuple[int, int]:
        """Return how many prices members would be given by current anchors, and how many of them are wrong: what a member observed itself since is its own."""
        inferred = wrong = 0
        for anchor, *members in by_group(self._stores).values():
            given = [
                store.store_key
                for store in members
                if anchor.week is not None and not (store.week == anchor.week and store.complete_at == anchor.complete_at)
            ]
            if given:
                truth, price = self.truth.prices(given), self._seen[anchor.store_key]
                both = (truth > 0) & (price > 0)
                inferred += int(np.count_nonzero(both))
                wrong += int(np.count_nonzero(both & (truth != price)))
        return inferred, wrong

    def _change(self, key: int, **fields: object) -> None:
        self._stores[key] = replace(self._stores[key], **fields)  # type: ignore[arg-type]


def simulate(
    simulation: Simulation,
    directory: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[NightRow]:
    """Simulate every retailer of a directory (retailer → (store id, state)); ``None``: the invented one. The same seed gives the same rows."""
    stores = directory or {retailer: invented_stores(retailer) for retailer in ("aldi", "coles", "iga", "woolworths")}
    runs = [
        RetailerRun(RetailerTruth(retailer, found, simulation.world, simulation.seed), simulation)
        for retailer, found in sorted(stores.items())
    ]
    rows = []
    for night in range(1, simulation.nights + 1):
        progress(f"night {night} of {simulation.nights}")
        rows += [run.run_night(night) for run in runs]
    return rows


@dataclass(frozen=True, slots=True)
class Result:
    """What a simulation shows, over the nights after ``settled_after`` and all retailers with price zones (``iga_saved_share`` apart).

    ``noticed_after``, ``repaired_after``: nights from the split of a zone until a store left its group for it, and from then until no group was mixed; ``None``: not
    within the nights simulated.
    """

    settled_after: int
    saved_share: float
    iga_saved_share: float
    wrong_share: float
    false_merges: int
    noticed_after: int | None
    repaired_after: int | None


def summarise(rows: Sequence[NightRow], simulation: Simulation, settled_after: int = 10) -> Result:
    """Summarise the rows of :func:`simulate`."""
    settled = [row for row in rows if row.night > settled_after]

    def saved(some: Sequence[NightRow]) -> float:
        stores = sum(row.stores for row in some)
        return 1 - sum(row.crawled for row in some) / stores if stores else 0.0

    inferred = sum(row.inferred for row in settled)
    split = [row for row in rows if row.retailer == SPLITTING and row.night >= simulation.world.split_night]
    noticed = next((row.night for row in split if row.ejected), None)
    repaired = next((row.night for row in split if noticed is not None and row.night >= noticed and not row.mixed_groups), None)
    return Result(
        settled_after, saved([row for row in settled if row.retailer != "iga"]), saved([row for row in settled if row.retailer == "iga"]),
        sum(row.wrong for row in settled) / inferred if inferred else 0.0, sum(row.false_merges for row in rows),
        None if noticed is None else noticed - simulation.world.split_night, None if repaired is None or noticed is None else repaired - noticed,
    )  # fmt: skip
