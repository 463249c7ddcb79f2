"""Compares the warehouse with the model: prices, products, ledger, change log. Differences are readable lines."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.reference.model import Entry, Model
from tests.reference.prices import Row
from tests.reference.product import BARCODES, Product, content_hash

Found = dict[Any, dict[str, Any]]


class Difference(NamedTuple):
    """One difference: of what, in which field, and in words."""

    what: str
    field: str
    text: str


_PRICES = "SELECT retailer, store_id, sku, name, barcode, product_id, price_cents, was_price_cents, is_on_special, is_available, is_listed, delisted_at, observed_at, changed_at, is_current FROM core.store_price"
_PRODUCTS = "SELECT retailer, store_id, product_id, sku, price_cents, is_available FROM core.product_price"
_LEDGER = "SELECT file_id, retailer, store_id, run_key, content_hash, state, is_complete, created, updated, unchanged, unavailable, outdated, delisted, folded, quarantined FROM ops.staged_file"
_CHANGES = "SELECT retailer, store_id, sku, change.file_id, change.changed_at, change_kind, old_price_cents, new_price_cents FROM core.price_change AS change JOIN core.store USING (store_key) JOIN core.sku USING (retailer, sku_key)"
_CURRENT_HOURS = 72
_COUNTS = ("created", "updated", "unchanged", "unavailable", "outdated", "delisted", "folded", "quarantined")


def differences(model: Model, product: Product, now: datetime) -> list[Difference]:
    """Return every difference between model and product, in words."""
    files = product.rows(_LEDGER)
    refused = Counter(row["retailer"] for row in files if row["state"] == "refused")
    ledger = {
        (row["retailer"], row["store_id"], row["run_key"], row["content_hash"][:6]): row for row in files if row["state"] != "refused"
    }
    found = _compare("ledger", {_key(entry): _entry(entry) for entry in model.ledger}, {key: _ledger(row) for key, row in ledger.items()})
    found += _compare("refused", {("files",): model.refused}, {("files",): dict(refused)})
    prices = product.rows(_PRICES)
    by_key = {(row["retailer"], row["store_id"], row["sku"]): row for row in prices}
    expected = {(*store, sku): row for store, rows in model.rows.items() for sku, row in rows.items()}
    found += _compare(
        "price", {key: _price(model, key, row) for key, row in expected.items()}, {key: _found_price(row) for key, row in by_key.items()}
    )
    for key in expected.keys() & by_key.keys():
        found += _instant(key, expected[key], by_key[key], now)
    found += _compare(
        "product",
        _partition((sku[0], sku[2], product_of(sku[0], sku[2])) for sku in expected),
        _partition((row["retailer"], row["sku"], row["product_id"]) for row in prices),
    )
    skus = {
        (row["retailer"], row["store_id"], row["sku"]): {"cents": row["price_cents"], "available": row["is_available"]}
        for row in product.rows(_PRODUCTS)
    }
    found += _compare("product_price", _product_prices(expected, {key: row["observed_at"] for key, row in by_key.items()}), skus)
    numbers = {row["file_id"]: number for number, row in ((entry.number, ledger.get(_key(entry))) for entry in model.ledger) if row}
    found += _compare(
        "change", {change: {} for change in _model_changes(model)}, {_change(row, numbers): {} for row in product.rows(_CHANGES)}
    )
    return found


def product_of(retailer: str, sku: str) -> str:
    """Name the product of a SKU: one per barcode, else the SKU's own name, which every retailer gives it."""
    return BARCODES.get(sku) or sku


def _compare(what: str, expected: Found, found: Found) -> list[Difference]:
    lines = [Difference(what, "missing", f"{_called(key)} is missing: {expected[key]}") for key in expected.keys() - found.keys()]
    lines += [Difference(what, "surplus", f"{_called(key)} should not be there: {found[key]}") for key in found.keys() - expected.keys()]
    for key in expected.keys() & found.keys():
        lines += [
            Difference(what, name, f"{_called(key)}: {name} is {found[key].get(name)}, should be {value}")
            for name, value in expected[key].items()
            if found[key].get(name) != value
        ]
    return sorted(lines, key=lambda line: line.text)


def _called(key: Any) -> str:
    return " ".join(str(part) for part in key)


def _key(entry: Entry) -> tuple[str, str, str, str]:
    return (*entry.day.store, entry.day.run, content_hash(entry.day)[:6])


def _entry(entry: Entry) -> dict[str, Any]:
    if entry.counts is None:
        return {"state": entry.state}
    return {"state": entry.state, "is_complete": entry.is_complete} | vars(entry.counts)


def _ledger(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("state", "is_complete", *_COUNTS)}


def _price(model: Model, key: tuple[str, str, str], row: Row) -> dict[str, Any]:
    barcode = BARCODES.get(key[2])
    changed_at = max(row.changed_at, model.renamed_at.get((key[0], key[2]), row.changed_at))
    return {
        "name": model.names[key[0], key[2]][1], "barcode": barcode and barcode.zfill(14), "cents": row.cents, "was": row.was_cents, "special": row.was_cents is not None,
        "available": row.is_available, "listed": row.is_listed, "delisted": _text(row.delisted_at), "changed": _text(changed_at),
    }  # fmt: skip


def _found_price(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"], "barcode": row["barcode"], "cents": row["price_cents"], "was": row["was_price_cents"], "special": row["is_on_special"],
        "available": row["is_available"], "listed": row["is_listed"], "delisted": _text(row["delisted_at"]), "changed": _text(row["changed_at"]),
    }  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%d %H:%M}" if at else None


def _instant(key: tuple[str, str, str], row: Row, found: dict[str, Any], now: datetime) -> list[Difference]:
    """A complete store-day may show its own instant for all it lists; else the line's is shown. A withdrawn row was observed by nothing valid."""
    if row.is_withdrawn:
        return []
    at = found["observed_at"]
    is_current = row.is_listed and (now - at).total_seconds() <= _CURRENT_HOURS * 3600
    if not row.seen_from <= at <= row.seen[0]:
        return [
            Difference(
                "price", "observed_at", f"{_called(key)}: observed at {_text(at)}, should be {_text(row.seen_from)} to {_text(row.seen[0])}"
            )
        ]
    return (
        []
        if found["is_current"] == is_current
        else [Difference("price", "is_current", f"{_called(key)}: is_current is {found['is_current']}")]
    )


def _partition(skus: Any) -> Found:
    members: dict[Any, set[tuple[str, str]]] = {}
    for retailer, sku, product in skus:
        members.setdefault(product, set()).add((retailer, sku))
    return {tuple(sorted(group)): {} for group in members.values()}


def _product_prices(rows: dict[tuple[str, str, str], Row], observed: dict[tuple[str, str, str], datetime]) -> Found:
    """Of the listed SKUs of a product in a store: available before unavailable, then the newest, then the lowest."""
    best: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for (retailer, store_id, sku), row in rows.items():
        if row.is_listed:
            at = observed.get((retailer, store_id, sku), row.seen_from)  # compared by itself, within its bounds
            rank = not row.is_available, -at.timestamp(), row.cents, sku
            product = retailer, store_id, product_of(retailer, sku)
            best[product] = min(best.get(product, (rank, row)), (rank, row), key=lambda ranked: ranked[0])
    return {
        (retailer, store_id, rank[3]): {"cents": row.cents, "available": row.is_available}
        for (retailer, store_id, _), (rank, row) in best.items()
    }


def _model_changes(model: Model) -> list[tuple[Any, ...]]:
    return [
        (change.file, *change.store, change.sku, _text(change.changed_at), change.kind, change.old_cents, change.new_cents)
        for change in model.changes
    ]


def _change(row: dict[str, Any], numbers: dict[int, int]) -> tuple[Any, ...]:
    return (
        numbers.get(row["file_id"]), row["retailer"], row["store_id"], row["sku"], _text(row["changed_at"]), row["change_kind"], row["old_price_cents"], row["new_price_cents"],
    )  # fmt: skip
