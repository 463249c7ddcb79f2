"""Which price counts for a store and SKU, in plain Python over the bare tables: what the views are compared with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include import clock
from include.warehouse.engine import Warehouse
from tests.warehouse.looking import rows

Key = tuple[str, str]
Row = dict[str, Any]
#: What two stores may differ in, and what is shown of the price that counts.
COMPARED = (
    "price_cents",
    "was_price_cents",
    "price_basis",
    "multi_buy_quantity",
    "multi_buy_cents",
    "is_on_special",
    "is_available",
    "is_listed",
)
SHOWN = (
    "price_cents",
    "is_available",
    "is_listed",
    "delisted_at",
    "is_current",
    "observed_at",
    "source",
    "anchor_store_id",
    "is_confirmed",
)


def expected(warehouse: Warehouse, retailer: str) -> dict[Key, Row]:
    """Return the rows that readers should see of a retailer, by store and SKU, without those that are inferred no longer."""
    stores = {row["store_key"]: row for row in rows(warehouse, "SELECT * FROM core.store WHERE retailer = %s", retailer)}
    places = rows(warehouse, "SELECT * FROM core.store_group_member WHERE until_at IS NULL")
    anchors = {place["group_id"]: place["store_key"] for place in places if place["is_anchor"]}
    members = {place["store_key"]: place for place in places if not place["is_anchor"] and place["group_id"] in anchors}
    lists: dict[int, dict[str, Row]] = {key: {} for key in stores}
    for row in rows(
        warehouse, "SELECT sku.sku, price.* FROM core.price AS price JOIN core.sku AS sku USING (sku_key) WHERE sku.retailer = %s", retailer
    ):
        lists[row["store_key"]][row["sku"]] = row
    found: dict[Key, Row] = {}
    for key, store in stores.items():
        member = members.get(key)
        anchor = stores[anchors[member["group_id"]]] if member else None
        theirs = lists[anchor["store_key"]] if anchor else {}
        for sku in lists[key].keys() | theirs.keys():
            own, other = lists[key].get(sku), theirs.get(sku)
            if anchor is None or other is None:
                assert own is not None
                row = _observed(warehouse, own, store)
            else:
                assert member is not None
                is_verified = member["verified_at"] is not None and member["flagged_at"] is None
                row = _served(warehouse, own, store, other, anchor, is_verified=is_verified)
            found[store["store_id"], sku] = row
    return found


def _served(warehouse: Warehouse, own: Row | None, store: Row, other: Row, anchor: Row, *, is_verified: bool) -> Row:
    """Return what a member shows of a SKU that its anchor has a row of."""
    written = max(filter(None, (other["observed_at"], other["delisted_at"])))
    if own is not None and own["retracted_at"] is None:
        judged, others = _judged_at(own, store), _judged_at(other, anchor)
        differs = any(own[name] != other[name] for name in COMPARED)
        if other["retracted_at"] is not None or judged >= others or (differs and clock.night_of(judged) >= clock.night_of(written)):
            return _observed(warehouse, own, store)
        is_absent = False
    else:
        is_absent = store["complete_at"] is not None and clock.night_of(store["complete_at"]) >= clock.night_of(written)
    now, seen = clock.now(), _seen_at(other, anchor)
    is_listed = other["is_listed"] and not is_absent
    weeks = [clock.price_week_start(now, one["state"]) for one in (store, anchor)]
    return {
        "price_cents": other["price_cents"], "is_available": other["is_available"], "is_listed": is_listed,
        "delisted_at": (other["delisted_at"] or store["complete_at"]) if is_absent else other["delisted_at"],
        "is_current": is_listed and _is_fresh(warehouse, seen) and seen >= max(weeks), "observed_at": seen, "source": "inferred",
        "anchor_store_id": anchor["store_id"], "is_confirmed": store["is_confirmed"] and is_verified,
    }  # fmt: skip


def _observed(warehouse: Warehouse, own: Row, store: Row) -> Row:
    seen = _seen_at(own, store)
    return {
        "price_cents": own["price_cents"], "is_available": own["is_available"], "is_listed": own["is_listed"], "delisted_at": own["delisted_at"],
        "is_current": own["is_listed"] and _is_fresh(warehouse, seen), "observed_at": seen, "source": "observed", "anchor_store_id": store["store_id"],
        "is_confirmed": store["is_confirmed"],
    }  # fmt: skip


def _is_fresh(warehouse: Warehouse, seen: datetime) -> bool:
    return (clock.now() - seen).total_seconds() <= warehouse.settings.current_hours * 3600


def _seen_at(price: Row, store: Row) -> datetime:
    instants: list[datetime | None] = [price["observed_at"], store["complete_at"] if price["uses_store_watermark"] else None]
    return max(filter(None, instants))


def _judged_at(price: Row, store: Row) -> datetime:
    """Return until when a price is known to have been so: when it was seen, or seen to be gone."""
    instants: list[datetime | None] = [_seen_at(price, store), price["delisted_at"]]
    return max(filter(None, instants))
