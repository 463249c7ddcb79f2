"""The true shelf data, independent of any retailer's format.

A :class:`World` has stores and, for a store and an instant, a :class:`Shelf`. Prices change at
local midnight only, so a shelf covers one local day. Both kinds of world (``generated``, ``recorded``)
build the same shelves; the sites read nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

RETAILERS = ("coles", "woolworths", "aldi", "iga")

CategoryPath = tuple[str, ...]
Kind = Literal["supermarket", "liquor", "petrol"]


class UnknownStoreError(LookupError):
    """The world has no such store. A site responds as its retailer would."""


PriceBasis = Literal["each", "kg"]


@dataclass(frozen=True, slots=True)
class MultiBuy:
    """``quantity`` items for ``total_cents`` together."""

    quantity: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class TruthOffer:
    """The true offer of one SKU in one store: the reference of ``verify``.

    Attributes:
        price_cents: for one item; for Coles' and Woolworths' weighed products an average piece, for IGA's
            the kilogram, as in each retailer's store-days (also for Woolworths' products in ``KG``). ``None`` = unavailable.
        was_price_cents: the price before a reduction; ``None`` = no reduction.
        barcode: a GTIN of 8, 12 or 13 digits, a code of the store, or ``None``.
        price_basis: what the price is for: an item, or a kilogram.
        multi_buy: the site's offer of several items together; ``None`` = none.
        identity: the good, the same for all SKUs of all retailers that are one; hidden from the sites. ``None`` = not known.
    """

    sku: str
    name: str
    brand: str | None
    size: str | None
    barcode: str | None
    price_cents: int | None
    was_price_cents: int | None
    is_on_special: bool
    category_paths: tuple[CategoryPath, ...]
    price_basis: PriceBasis = "each"
    multi_buy: MultiBuy | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price per measure, e.g. 153 cents per 100 g; ``measure`` is g, kg, ml, l, ea, m or sheets."""

    cents: int
    quantity: int
    measure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfOffer(TruthOffer):
    """A true offer with the fields a site needs to format it.

    Attributes:
        label, brand_label, pack: name, brand and size as this retailer writes them.
        regular_cents: the price without any reduction, known even while unavailable.
        piece_grams: average weight of a piece of a weighed product, else ``None``.
        department: the buyers' department name, upper case.
    """

    label: str
    brand_label: str | None
    pack: str | None
    regular_cents: int
    unit_price: UnitPrice | None
    piece_grams: int | None
    description: str | None
    image_url: str | None
    department: str


def unavailable(offer: ShelfOffer) -> ShelfOffer:
    """Return the offer of a store in which the product is unavailable."""
    return replace(offer, price_cents=None, was_price_cents=None, is_on_special=False)


@dataclass(frozen=True, slots=True)
class SandboxStore:
    """One store as in its retailer's store finder. ``zone`` is hidden: stores of one zone have the same prices."""

    retailer: str
    store_id: str
    online_store_id: str | None
    name: str
    kind: Kind
    brand: str
    address_line: str
    suburb: str
    state: str
    postcode: str
    latitude: float
    longitude: float
    phone: str | None
    is_open: bool
    zone: str
    is_silent: bool = False

    @property
    def has_shelf(self) -> bool:
        """Whether the web shop shows products for this store."""
        return self.kind == "supermarket" and self.is_open and not self.is_silent and self.online_store_id is not None


@dataclass(frozen=True, slots=True)
class Category:
    """One node of a retailer's category tree; ``path`` starts at the top; the root's is empty."""

    path: CategoryPath
    count: int
    children: tuple[Category, ...]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[-1] if self.path else ""

    def walk(self) -> Iterator[Category]:
        """Yield every node below this one, parents first."""
        for child in self.children:
            yield child
            yield from child.walk()

    def leaves(self) -> Iterator[Category]:
        """Yield every node below this one that has no children."""
        return (node for node in self.walk() if not node.children)


class Shelf:
    """All products of one store on one local day, by category.

    Args:
        paths: the SKUs in the order in which the site lists them, each with its category paths.
        offer_of: builds one SKU's offer; called only for the SKUs of a response.
        article_of: the same for any SKU of the retailer, listed by this store or not.
    """

    def __init__(
        self,
        paths: Mapping[str, tuple[CategoryPath, ...]],
        offer_of: Callable[[str], ShelfOffer],
        article_of: Callable[[str], ShelfOffer | None],
    ) -> None:
        self.paths = paths
        self._offer_of = offer_of
        self._article_of = article_of

    def __contains__(self, sku: str) -> bool:
        return sku in self.paths

    def __len__(self) -> int:
        return len(self.paths)

    def only(self, paths: Mapping[str, tuple[CategoryPath, ...]]) -> Shelf:
        """Return a shelf with only these SKUs, in these categories."""
        return Shelf(paths, self._offer_of, self._article_of)

    def offer(self, sku: str) -> ShelfOffer | None:
        """Return the offer of a SKU, ``None`` if this store does not list it."""
        return self._offer_of(sku) if sku in self.paths else None

    def article(self, sku: str) -> ShelfOffer | None:
        """Return the offer of a SKU, without a price if only other stores list it; ``None`` if the retailer does not have it."""
        return self.offer(sku) or self._article_of(sku)

    def offers(self) -> Iterator[ShelfOffer]:
        """Yield every offer, in listing order."""
        return map(self._offer_of, self.paths)

    def skus(self, path: CategoryPath = ()) -> Sequence[str]:
        """Return the SKUs a category lists (its sub-categories included); all SKUs for the empty path."""
        return self._members.get(path, []) if path else self._all

    @cached_property
    def tree(self) -> Category:
        """The category tree of the listed SKUs."""
        return self._node(())

    @cached_property
    def _all(self) -> list[str]:
        return list(self.paths)

    @cached_property
    def _children(self) -> dict[CategoryPath, list[CategoryPath]]:
        known: dict[CategoryPath, dict[CategoryPath, None]] = {}
        for paths in self.paths.values():
            for path in paths:
                for depth in range(len(path)):
                    known.setdefault(path[:depth], {})[path[: depth + 1]] = None
        return {path: sorted(children) for path, children in known.items()}

    @cached_property
    def _members(self) -> dict[CategoryPath, list[str]]:
        members: dict[CategoryPath, list[str]] = {}
        for sku, paths in self.paths.items():
            # A crawl of the leaves must see everything: SKUs of an inner node are also listed on its first leaf.
            listed = {
                leaf[:depth]: None for path in paths or ((),) for leaf in (self._leaf_below(path),) for depth in range(1, len(leaf) + 1)
            }
            for path in listed:
                members.setdefault(path, []).append(sku)
        return members

    def _leaf_below(self, path: CategoryPath) -> CategoryPath:
        while children := self._children.get(path):
            path = children[0]
        return path

    def _node(self, path: CategoryPath) -> Category:
        children = tuple(map(self._node, self._children.get(path, ())))
        return Category(path, len(self.skus(path)), children)


class World(ABC):
    """The stores of the sandbox and their true prices."""

    kind: str

    @abstractmethod
    def stores(self, retailer: str) -> Sequence[SandboxStore]:
        """Return every store of the locator, including liquor shops, petrol stations and closed ones."""

    @abstractmethod
    def shelf(self, retailer: str, store_id: str, at: datetime) -> Shelf:
        """Return the shelf of a store at an instant; empty for a store without one.

        Raises:
            UnknownStoreError: the world has no such store.
        """

    @abstractmethod
    def describe(self) -> dict[str, object]:
        """Return kind, seed or folder, and sizes."""

    def truth(self, retailer: str, store_id: str, at: datetime) -> Iterator[TruthOffer]:
        """Yield a store's true offers at an instant, one per SKU. Raises like :meth:`shelf`."""
        return self.shelf(retailer, store_id, at).offers()

    def store(self, retailer: str, store_id: str) -> SandboxStore:
        """Return one store.

        Raises:
            UnknownStoreError: the world has no such store.
        """
        try:
            return self._stores_by_id[retailer, store_id]
        except KeyError:
            raise UnknownStoreError(
                f"the {self.kind} world has no {retailer} store {store_id!r}; see /_sandbox/stores/{retailer}"
            ) from None

    def store_online(self, retailer: str, online_store_id: str) -> SandboxStore:
        """Return the store with this id in the retailer's web shop.

        Raises:
            UnknownStoreError: the world has no such store.
        """
        try:
            return self._stores_by_online_id[retailer, online_store_id]
        except KeyError:
            raise UnknownStoreError(
                f"the {self.kind} world has no {retailer} web shop {online_store_id!r}; see /_sandbox/stores/{retailer}"
            ) from None

    def default_store(self, retailer: str) -> SandboxStore:
        """Return the store shown to a visitor who has selected none.

        Raises:
            UnknownStoreError: no store of this retailer shows products.
        """
        for store in self.stores(retailer):
            if store.has_shelf:
                return store
        raise UnknownStoreError(f"the {self.kind} world has no {retailer} store that shows products")

    @cached_property
    def _stores_by_id(self) -> dict[tuple[str, str], SandboxStore]:
        return {(store.retailer, store.store_id): store for retailer in RETAILERS for store in self.stores(retailer)}

    @cached_property
    def _stores_by_online_id(self) -> dict[tuple[str, str], SandboxStore]:
        return {(store.retailer, store.online_store_id): store for store in self._stores_by_id.values() if store.online_store_id}
