"""What the present request is about, and how a fault bends the answer: the sites write and read it, the middleware too."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from sandbox.world import SandboxStore, Shelf, World

#: The store whose shelf the request asked for.
store_id: ContextVar[str | None] = ContextVar("asked_store_id", default=None)
#: What the request is for, where its handler serves several purposes: see ``PURPOSES``.
purpose: ContextVar[str | None] = ContextVar("asked_purpose", default=None)
#: The kinds of faults that struck the request.
faults: ContextVar[tuple[str, ...]] = ContextVar("asked_faults", default=())
#: What a fault shows of a shelf instead of all.
lens: ContextVar[Callable[[Shelf], Shelf] | None] = ContextVar("asked_lens", default=None)
#: Whether a fault makes the site answer for another store than the chosen one.
is_wrong_store: ContextVar[bool] = ContextVar("asked_is_wrong_store", default=False)

#: What handlers with one purpose are for, by their names. The words are the same for all four retailers.
PURPOSES = {
    "home": "home",
    "categories": "tree",
    "hierarchy": "tree",
    "browse": "listing",
    "category_search": "listing",
    "search": "search",
    "detail": "detail",
    "product": "detail",
    "products": "detail",
    "schema_org": "detail",
    "rest_product": "detail",
    "rest_suggestions": "search",
    "suggestions": "search",
    "rest_alternatives": "search",
    "promotions": "promotions",
    "stores": "stores",
    "store": "stores",
    "suburbs": "stores",
    "fulfilment_stores": "stores",
    "service_points": "stores",
    "locator": "stores",
}
ALL_PURPOSES = ("home", "tree", "listing", "search", "detail", "barcodes", "promotions", "stores", "other")


def forget() -> None:
    """Begin with a new request: nothing is known of it."""
    store_id.set(None)
    purpose.set(None)
    faults.set(())


def purpose_of(handler: str) -> str:
    """Return what the request was for: one of ``ALL_PURPOSES``."""
    return purpose.get() or PURPOSES.get(handler, "other")


def store_or_default(world: World, store: SandboxStore) -> SandboxStore:
    """Return the store, or while a fault says so another one that shows goods; the same where there is no other."""
    if not is_wrong_store.get():
        return store
    others = (other for other in world.stores(store.retailer) if other.has_shelf and other.store_id != store.store_id)
    return next(others, store)
