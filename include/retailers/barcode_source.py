"""Sources of barcodes beside the listing: what each can answer, for how many SKUs at once, and whether it asks a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.model.store import StoreRef
from include.retailers.base import Page
from include.wording.same_good import Text


@dataclass(frozen=True, slots=True)
class ProductAnswer:
    """What a source says about one SKU: its text, and the barcode as written; ``None``: the retailer has none."""

    text: Text
    barcode: str | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a source says about the SKUs it was asked for, and those it does not know. A SKU in neither has no answer."""

    products: Mapping[str, ProductAnswer] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BarcodeSource:
    """One route of a retailer's site that shows barcodes.

    Attributes:
        name: recorded with each answer, e.g. ``coles_details``.
        batch: SKUs in one request.
        page: the request for some SKUs. The store is one that lists them; a source that knows no stores leaves it out.
        read: the answers in a response to the SKUs asked for.
        unknown_status: the status with which the site says that it does not know the SKU, if it is not in the content.
        asks_store: whether the answer is one store's.
    """

    name: str
    batch: int
    page: Callable[[Sequence[str], StoreRef], Page]
    read: Callable[[Any, Sequence[str]], Answers]
    unknown_status: int | None = None
    asks_store: bool = True
