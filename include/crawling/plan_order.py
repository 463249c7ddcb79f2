"""The order of a night's crawl as a pure function: the rule of ``sql/stores/plan_crawl.sql``, for the simulation of store groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Literal

Cause = Literal["requested", "due", "verification", "never_crawled", "current"]

#: A member is verified in any case when its own store-day will be older than the interval after this night; nights begin at about the same time.
_VERIFIED_EARLIER = timedelta(hours=12)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PlanStore:
    """A store that may be crawled, as the plan sees it.

    ``is_due``: an anchor or ungrouped store without current prices. ``members``: stores whose prices are inferred from it. ``is_member``: its prices are inferred from
    another store, which ``verified_at`` (``None``: never) confirmed. ``complete_at``: its newest complete store-day.
    """

    store_key: int
    store_id: str
    state: str | None
    is_requested: bool
    is_due: bool
    members: int
    is_member: bool
    complete_at: datetime | None
    verified_at: datetime | None


def verify_before(now: datetime, verification_nights: int) -> datetime:
    """Return the instant before which a member's own store-day is too old to leave the member out of this night."""
    return now - timedelta(days=verification_nights) + _VERIFIED_EARLIER


def plan_order(
    stores: Sequence[PlanStore], *, store_budget: int, new_store_budget: int, verification_nights: int, now: datetime
) -> list[tuple[int, Cause]]:
    """Return the stores of one retailer to crawl, by key, in their order; what is beyond ``store_budget`` is deferred.

    First requested stores; then those that are due, anchors of groups before others, longest unseen first; then as many members that each is verified once in
    ``verification_nights``, unverified ones first; then never-crawled ones, spread over the states; last those that are still current. ``new_store_budget``
    stores of the budget are reserved for never-crawled ones. The other members are left out.

    >>> now = datetime(2026, 11, 18, tzinfo=UTC)
    >>> anchor = PlanStore(1, "a", "VIC", False, False, 2, False, now, None)
    >>> members = [PlanStore(key, str(key), "VIC", False, False, 0, True, now - timedelta(days=key), now) for key in (2, 3)]
    >>> plan_order([anchor, *members], store_budget=9, new_store_budget=1, verification_nights=14, now=now)
    [(3, 'verification'), (1, 'current')]
    """
    classes: dict[Cause, list[PlanStore]] = defaultdict(list)
    for store in stores:
        classes[_class_of(store)].append(store)
    ordered = {cause: _ordered(cause, found) for cause, found in classes.items()}
    members = ordered.get("verification", [])
    quota, oldest = -(-len(members) // verification_nights), verify_before(now, verification_nights)
    ordered["verification"] = [
        store for place, store in enumerate(members) if place < quota or (store.complete_at is not None and store.complete_at < oldest)
    ]
    due, never = ordered.get("due", []), ordered.get("never_crawled", [])
    room = store_budget - len(ordered.get("requested", [])) - min(new_store_budget, len(never))
    room_for: dict[Cause, int] = {"due": max(room, 0), "verification": max(room - len(due), 0), "never_crawled": new_store_budget}
    order: list[tuple[int, Cause]] = [(store.store_key, "requested") for store in ordered.get("requested", [])]
    for first in (True, False):  # what has room in the budget, then the rest of each
        for cause, count in room_for.items():
            found = ordered.get(cause, [])
            order += [(store.store_key, cause) for store in (found[:count] if first else found[count:])]
    return order + [(store.store_key, "current") for store in ordered.get("current", [])]


def _class_of(store: PlanStore) -> Cause:
    if store.is_requested:
        return "requested"
    if store.complete_at is None:
        return "never_crawled"
    if store.is_member:
        return "verification"
    return "due" if store.is_due else "current"


def _ordered(cause: Cause, stores: Sequence[PlanStore]) -> list[PlanStore]:
    states: dict[str | None, list[str]] = defaultdict(list)
    for store in stores:
        states[store.state].append(store.store_id)
    place = {
        (state, store_id): number
        for state, ids in states.items()
        for number, store_id in enumerate(sorted(ids, key=lambda one: md5(one.encode(), usedforsecurity=False).hexdigest()))
    }
    return sorted(
        stores,
        key=lambda store: (
            store.members == 0, not (cause == "verification" and store.verified_at is None), store.complete_at or _NEVER,
            place[store.state, store.store_id], store.state is None, store.state or "", store.store_id,
        ),
    )  # fmt: skip
