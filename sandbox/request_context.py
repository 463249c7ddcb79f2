"""Context of the current request, including how a fault changes its response; used by the sites and the middleware."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from sandbox.world import SandboxStore, Shelf, World

#: The store whose shelf was requested.
store_id: ContextVar[str | None] = ContextVar("asked_store_id", default=None)
#: Purpose of the request, if its handler serves several: see ``PURPOSES``.
purpose: ContextVar[str | None] = ContextVar("asked_purpose", default=None)
#: The kinds of faults applied to the request.
faults: ContextVar[tuple[str, ...]] = ContextVar("asked_faults", default=())
#: Reduces a shelf as the faults do.
shelf_filter: ContextVar[Callable[[Shelf], Shelf] | None] = ContextVar("asked_lens", default=None)
#: Whether a fault makes the site respond for another store than the selected one.
uses_other_store: ContextVar[bool] = ContextVar("asked_is_wrong_store", default=False)

#: Purpose by handler name, for handlers with one purpose; the same terms for all four retailers.
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


def clear() -> None:
    """Reset the context for a new request."""
    store_id.set(None)
    purpose.set(None)
    faults.set(())


def purpose_of(handler: str) -> str:
    """Return the purpose of the request: one of ``ALL_PURPOSES``."""
    return purpose.get() or PURPOSES.get(handler, "other")


def store_or_default(world: World, store: SandboxStore) -> SandboxStore:
    """Return the store; under the fault ``wrong_store`` another one with a shelf, if there is one."""
    if not uses_other_store.get():
        return store
    others = (other for other in world.stores(store.retailer) if other.has_shelf and other.store_id != store.store_id)
    return next(others, store)
