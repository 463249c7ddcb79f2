"""A person's first question: which retailers have it, for how much, and how old is that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from include import clock
from include.errors import ConfigurationError
from include.retailer_names import RETAILERS
from include.warehouse.engine import Warehouse
from include.wording import places
from include.wording.size import split_size

#: Products whose prices are looked up for the products that are shown: most have prices, unless a place is given.
_CANDIDATES_PER_PRODUCT = 10


def search_prices(
    warehouse: Warehouse, text: str, *, state: str | None = None, near: str | None = None, within_km: float = 10, products: int = 10
) -> dict[str, Any]:
    """Find products by words and size, with their listed prices at every retailer.

    Args:
        warehouse: the warehouse.
        text: words of the name and the brand, and a size: ``full cream milk 2l``. All words must occur, in any order and number (plural or
            not); ``"quoted ones"`` side by side; ``-word`` excludes.
        state: prices of this state's stores only.
        near: a postcode or a store (``aldi:G102``, or an id alone): prices of stores around it only.
        within_km: how far around.
        products: how many products to return at most.

    Returns:
        ``stores`` (with ``near``: retailer, store_id, name, km of each); ``products``: name, size and ``prices`` per retailer in cents,
        unit prices in dollars per ``unit_of_measure``, how many stores have the price, how many of them on special or inferred (``stores_inferred``), and the oldest
        observation, with its age in hours. Prices that are not current are left out where a retailer has current ones.

    Raises:
        ConfigurationError: no words; an unknown state or place.
    """
    words, size = split_size(text)
    if not words.strip():
        raise ConfigurationError(f"{text!r} names no product. Give words of its name, e.g. full cream milk 2l.")
    if state is not None and places.state(state) is None:
        raise ConfigurationError(f"unknown state {state!r}. Known: {', '.join(clock.STATE_ZONES)}.")
    now = clock.now()
    with warehouse.transaction() as connection:
        stores = None if near is None else _stores_near(connection, near, within_km)
        rows = connection.run(
            "prices/search_prices",
            {
                "words": words, "size_quantity": size[0] if size else None, "size_unit": size[1] if size else None, "state": places.state(state),
                "store_keys": None if stores is None else [store["store_key"] for store in stores],
                "candidates": products * _CANDIDATES_PER_PRODUCT, "products": products,
            },
        ).fetchall()  # fmt: skip
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        about = {"product_id": row["product_id"], "name": row["name"], "size": row["size"], "prices": []}
        price = {name: value for name, value in row.items() if name not in ("place", "product_id", "name", "size")}
        price["age_hours"] = round((now - row["oldest_at"]).total_seconds() / 3600, 1)
        found.setdefault(row["place"], about)["prices"].append(price)
    return {
        "words": words,
        "size": _size_text(size),
        "state": places.state(state),
        "stores": None if stores is None else [{name: value for name, value in store.items() if name != "store_key"} for store in stores],
        "products": list(found.values()),
    }


def _stores_near(connection: Any, near: str, within_km: float) -> list[dict[str, Any]]:
    retailer, _, store_id = near.rpartition(":")
    postcode = places.postcode(near) if len(near) in (3, 4) else None
    known = retailer if retailer in RETAILERS else None
    values = {"postcode": postcode, "retailer": known, "store_id": store_id if known else near, "within_km": within_km}
    found = [dict(row) for row in connection.run("prices/list_nearby_stores", values).fetchall()]
    if not found and postcode:  # ids of four digits are stores too
        found = [dict(row) for row in connection.run("prices/list_nearby_stores", values | {"postcode": None}).fetchall()]
    if not found:
        raise ConfigurationError(f"--near {near}: no store has this postcode or id. `aisleflow store list RETAILER` shows both.")
    return found


def _size_text(size: tuple[Decimal, str] | None) -> str | None:
    return f"{size[0].normalize():f} {size[1]}" if size else None
