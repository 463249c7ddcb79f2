"""Health: whether the groups still hold. A pure function over stores and price lists; ``maintenance`` and the simulation apply what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from include.groups.comparison import Comparison, MatchRules, PriceLists
from include.groups.stores import GroupedStore, by_group

#: Reads the price lists of stores whose store-days are of one price week.
ReadLists = Callable[[Sequence[GroupedStore]], PriceLists]

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Health:
    """What is to be done about the groups, by store.

    ``closed``: members and anchors that no longer trade: each leaves for a group of its own. ``appointed``: the members that become anchors in
    their place. ``stale``: anchors without current prices: crawled first, nothing is decided about their groups. ``ejected``: members whose own prices do not match
    the anchor's: each leaves for a group of its own. ``verified``: members whose prices match. ``to_verify``: the other members of a group that lost one:
    crawled first, their inferred prices are flagged until then. ``comparisons`` (left: anchor) are the evidence, of ``ejected`` and ``verified``.
    """

    closed: list[GroupedStore] = field(default_factory=list)
    appointed: list[GroupedStore] = field(default_factory=list)
    stale: list[GroupedStore] = field(default_factory=list)
    ejected: list[GroupedStore] = field(default_factory=list)
    verified: list[GroupedStore] = field(default_factory=list)
    to_verify: list[GroupedStore] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)


def examine(stores: Iterable[GroupedStore], read_lists: ReadLists, rules: MatchRules) -> Health:
    """Examine every group with members; see :class:`Health`.

    A member is compared with its anchor once per complete store-day of its own, as soon as both are of one price week.
    """
    health = Health()
    for anchor, *members in by_group(stores).values():
        if members:
            _examine(anchor, members, read_lists, rules, health)
    return health


def next_anchor(members: Iterable[GroupedStore]) -> GroupedStore:
    """Return the member that an anchor hands over to: the one with the newest prices of its own.

    Raises:
        ValueError: there is no member.
    """
    return min(members, key=lambda store: (-(store.complete_at or _NEVER).timestamp(), store.store_key))


def _examine(anchor: GroupedStore, members: list[GroupedStore], read_lists: ReadLists, rules: MatchRules, health: Health) -> None:
    health.closed += [store for store in (anchor, *members) if not store.is_open]
    members = [store for store in members if store.is_open]
    if not anchor.is_open:  # the next pass examines the group with its new anchor
        if members:
            health.appointed.append(next_anchor(members))
        return
    if not members:
        return
    if anchor.week is None:
        health.stale.append(anchor)
        return
    own = [store for store in members if store.week == anchor.week and store.complete_file_id != store.verified_file_id]
    if not own:
        return
    lists = read_lists([anchor, *own])
    comparisons = lists.compare(anchor.store_key, [store.store_key for store in own], rules)
    health.comparisons += comparisons
    ejected = [store for store, comparison in zip(own, comparisons, strict=True) if not comparison.is_match]
    verified = [store for store, comparison in zip(own, comparisons, strict=True) if comparison.is_match]
    health.ejected += ejected
    health.verified += verified
    if ejected:
        known = {store.store_key for store in own}
        health.to_verify += [store for store in members if store.store_key not in known]
