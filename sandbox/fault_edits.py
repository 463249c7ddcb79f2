"""Faults in the content of responses: fields and prices of products, missing products, a repeated page.

All functions are pure: they turn a response or a request into a changed one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from sandbox import seeded_random
from sandbox.faults import Fault
from sandbox.site import number
from sandbox.world import CategoryPath, Shelf

Json = dict[str, Any]
Edit = Callable[[str, Any], tuple[str, Any]]

#: Keys that identify a product object.
_PRODUCT = {"coles": ("id", "pricing"), "woolworths": ("Stockcode",), "aldi": ("sku",), "iga": ("productId",)}
_PRICES = {
    "coles": ("now", "rawPriceNow"),
    "woolworths": ("Price", "InstorePrice"),
    "aldi": ("amount", "amountRelevant"),
    "iga": ("wholePrice", "priceNumeric"),
}
_TREES = {"coles": ("catalogGroupView", "items"), "woolworths": ("Categories",), "aldi": ("data",), "iga": ("children",)}
_ROWS = {"coles": "results", "woolworths": "Bundles", "aldi": "data", "iga": "items"}
_NEXT_DATA = re.compile(rb'(<script id="__NEXT_DATA__" type="application/json">)(.*?)(</script>)', re.DOTALL)
_SHELVES_KEPT = 8


def edited(body: bytes, retailer: str, fault: Fault) -> bytes:
    """Return a body with a fault in its content; a body that contains no JSON is returned unchanged."""
    if page := _NEXT_DATA.search(body):
        inner = edited(page[2], retailer, fault).replace(b"</", b"<\\/")
        return body[: page.start(2)] + inner + body[page.end(2) :]
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    if fault.kind == "empty_tree":
        _empty(content, _TREES[retailer])
    elif fault.kind == "no_rows":
        _empty(content, ("Products", "Bundles") if retailer == "woolworths" else (_ROWS[retailer],))
    else:
        content = _walk(content, _edit_of(retailer, fault), _PRODUCT[retailer], fault, is_affected=fault.rows >= 1)
    return msgspec.json.encode(content)


def _edit_of(retailer: str, fault: Fault) -> Edit:
    if fault.kind == "renamed_field":
        return lambda name, value: (fault.to or f"{fault.field}_v2" if name == fault.field else name, value)
    names = (fault.field,) if fault.field else _PRICES[retailer]
    as_text = fault.kind == "price_text"

    def edit(name: str, value: Any) -> tuple[str, Any]:
        if name not in names or isinstance(value, bool) or not isinstance(value, int | float):
            return name, value
        return name, (f"{value:.2f}" if isinstance(value, float) else str(value)) if as_text else round(value * 100, 2)

    return edit


def _walk(value: Any, edit: Edit, marks: tuple[str, ...], fault: Fault, *, is_affected: bool) -> Any:
    if isinstance(value, list):
        return [_walk(item, edit, marks, fault, is_affected=is_affected) for item in value]
    if not isinstance(value, dict):
        return value
    if fault.rows < 1 and all(mark in value for mark in marks):
        is_affected = seeded_random.random_share(fault.seed, "row", value[marks[0]]) < fault.rows
    inner = {name: _walk(item, edit, marks, fault, is_affected=is_affected) for name, item in value.items()}
    return dict(edit(name, item) for name, item in inner.items()) if is_affected else inner


def _empty(content: Any, names: tuple[str, ...]) -> None:
    """Empty the topmost lists of these names, in place."""
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        if name in names and isinstance(value, list):
            content[name] = []
        else:
            _empty(value, names)


# The visible part of a shelf


def shelf_filter_of(fault: Fault) -> Callable[[Shelf], Shelf]:
    """Return the function that reduces a shelf as the fault does."""
    return lambda shelf: _filter_shelf(shelf, fault)


@lru_cache(_SHELVES_KEPT)
def _filter_shelf(shelf: Shelf, fault: Fault) -> Shelf:
    if fault.kind == "tenth":
        part = 0.1 if fault.part is None else fault.part
        return shelf.only({sku: paths for sku, paths in shelf.paths.items() if seeded_random.random_share(fault.seed, "tenth", sku) < part})
    gone = _hidden_category(shelf, fault)
    kept = {sku: tuple(path for path in paths if path[: len(gone)] != gone) for sku, paths in shelf.paths.items()}
    return shelf.only({sku: paths for sku, paths in kept.items() if paths or not shelf.paths[sku]})


def _hidden_category(shelf: Shelf, fault: Fault) -> CategoryPath:
    """Return the path of the hidden category: the first (from the top) of that name, else the largest at the top."""
    nodes = list(shelf.tree.walk())
    if fault.category:
        wanted = fault.category.lower()
        named = sorted((node for node in nodes if wanted in node.name.lower()), key=lambda node: len(node.path))
        return named[0].path if named else ("no such category",)
    tops = shelf.tree.children
    while len(tops) == 1:  # IGA's tree has a single top category
        tops = tops[0].children
    return max(tops, key=lambda node: node.count).path if tops else ("no such category",)


# The previous page


def page_before(retailer: str, query: bytes, body: bytes) -> tuple[bytes, bytes] | None:
    """Return query and body for the previous page; ``None`` for a first page."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    values = dict(pairs)
    if retailer == "woolworths" and body:
        content = _object(body)
        page = number(content.get("pageNumber") or content.get("PageNumber"), 1)
        name = "pageNumber" if "pageNumber" in content else "PageNumber"
        return (query, msgspec.json.encode(content | {name: page - 1})) if page > 1 else None
    steps = {
        "coles": (("page", 1, 1), ("start", 1, 0)),
        "woolworths": (("PageNumber", 1, 1),),
        "aldi": (("offset", number(values.get("limit"), 12), 0),),
        "iga": (("skip", number(values.get("take"), 36), 0),),
    }[retailer]
    for name, step, first in steps:
        if name in values:
            before = number(values[name], 0) - step
            if before < first:
                return None
            return urlencode([(key, str(before) if key == name else value) for key, value in pairs]).encode(), body
    return None


def _object(body: bytes) -> Json:
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return content if isinstance(content, dict) else {}
