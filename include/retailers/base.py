"""The contract of a retailer: plain functions of their arguments, no request, no clock, no Airflow.

An adapter says which pages to ask for and how to read them. The shared crawl (``crawl.py``) asks, waits,
retries, lands each answer untouched and only then has it read. Text cleaning, barcode form and sizes happen
after the adapter, once for all: an adapter passes the retailer's own words.

Required fields are read by ``item["…"]``, optional ones by ``.get``: a required field that is gone becomes
:class:`~include.retailers.errors.ShapeChanged`, which names the field, what was found instead, and the address.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

from include.model.offer import Offer
from include.model.store import StoreRecord, StoreRef
from include.retailer_names import RETAILERS
from include.retailers.errors import ShapeChanged, WrongStore
from include.retailers.fields import reading
from include.staging.storage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One request. ``path`` and header values may hold ``{names}`` that the session's values fill (a build id).

    ``number`` counts the pages of one walk from 1. ``accept`` says what is asked for: HTML in place of JSON is a refusal.
    """

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: Mapping[str, str | int | Sequence[str]] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    accept: Literal["json", "text"] = "json"
    number: int = 1

    def next(self, **params: str | int) -> Self:
        """Return the next page of the same walk, some query parameters changed."""
        return replace(self, params={**self.params, **params}, number=self.number + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One node to walk, or with ``skipped`` the reason why not.

    ``covers`` makes it an audit: keys of the categories below it. Where their goods together already are as many
    as this one announces, its first page is all that is asked for; else it is walked too.
    """

    key: str
    path: tuple[str, ...]
    address: Mapping[str, str] = field(default_factory=dict)
    skipped: str | None = None
    covers: tuple[str, ...] = ()
    is_promotional: bool = False

    @property
    def name(self) -> str:
        """The category as messages and manifests name it."""
        return " > ".join(self.path) or self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailerUnitPrice:
    """What a site says of a unit price beside the printed text; ``unit_check.py`` holds them against one another.

    ``amount`` is the site's own number in dollars, ``per`` its measure (``100G``), left out where the site's measure is known to be
    wrong. ``size_price`` and ``size`` are a price and what it buys, where those are not the offer's (goods priced by the kilogram).
    """

    amount: Decimal | None = None
    per: str | None = None
    size_price: Decimal | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A row that is an offer. A sponsored one stands outside the order and the count of the list."""

    offer: Offer
    is_sponsored: bool = False
    unit: RetailerUnitPrice | None = None


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that is no offer, and why. With ``sku`` it still counts among the goods the category announces."""

    reason: str
    sku: str | None = None


Row = OfferRow | SkippedRow


class Retailer(ABC):
    """What is peculiar to one retailer. Every method is a pure function of its arguments."""

    #: The slug used everywhere.
    name: ClassVar[str]
    #: Raised when the same page would be read differently; stands in each manifest.
    version: ClassVar[str] = "1"
    #: The live host; ``AISLEFLOW_<NAME>_URL`` replaces it.
    base_url: ClassVar[str]
    #: A page visit that gives cookies or a build id; made once, before the first request of a store.
    session_page: ClassVar[Page | None] = None
    #: Whether a 404 in mid-run means that the session's values are old: open again, repeat the same page.
    renew_session_on_404: ClassVar[bool] = False
    #: Whether a 404 or a last page that comes again is this site's way to say that a list has ended.
    may_end_with_404_or_repeat: ClassVar[bool] = False
    #: Share of the announced total that must have been read: below 1 only where a site's totals are known to be high.
    min_total_share: ClassVar[float] = 1.0
    #: The shape on record: key paths (``pricing.now``) without which prices, counts or names would be wrong. The product rows of a
    #: page together must hold them: an object that is null on some rows counts as met when one row has it. A test holds the list
    #: against what the adapter reads. Keys that a sound page may lack as a whole do not belong here.
    expected_shape: ClassVar[frozenset[str]] = frozenset()

    @property
    def title(self) -> str:
        """As the chain writes itself."""
        return RETAILERS[self.name].title

    @property
    def stage(self) -> Stage:
        """Where its store-days go: the outbox, unless barcodes are filled in first."""
        return Stage(RETAILERS[self.name].stage)

    def session(self, html: str, url: str) -> Mapping[str, str]:
        """Return what the opening page gives for later requests (not its cookies: the client keeps those).

        Raises:
            Blocked: the page is not the one a visitor would see.
        """
        return {}

    def tree_page(self, store: StoreRef) -> Page | None:
        """Return the request for the category tree, ``None`` where one listing holds everything."""
        return None

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the categories to walk, audits after what they cover, and the skipped ones."""
        yield Category(key="all", path=())

    @abstractmethod
    def first_page(self, store: StoreRef, category: Category) -> Page:
        """Return the request for the first page of a category."""

    @abstractmethod
    def next_page(self, page: Page, body: Any) -> Page | None:
        """Return the request that follows a page, ``None`` at the end of the list."""

    def total(self, body: Any) -> int | None:
        """Return how many goods the category announces, ``None`` where the site does not say."""
        return None

    @abstractmethod
    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        """Yield every row of a page: an offer, or the reason why it is none."""

    def products(self, body: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the product rows of a page as the site sent them, tiles and banners left out."""
        yield from ()

    def shape(self, body: Any) -> frozenset[str]:
        """Return the key paths met in the product rows of a page, as deep as :attr:`expected_shape` goes; nothing for a page without any.

        ``{"id": 1, "pricing": {"now": 2}}`` gives ``id``, ``pricing`` and ``pricing.now`` where ``pricing.…`` is expected, else ``pricing`` alone.
        """
        inner = {path.rpartition(".")[0] for path in self.expected_shape}
        return frozenset(path for row in self.products(body) for path in _key_paths(row, "", inner))

    def check_shape(self, body: Any, url: str) -> None:
        """Compare the shape of a page with the one on record, before a whole run is read with it.

        Raises:
            ShapeChanged: paths of :attr:`expected_shape` are gone, or the page shows no product row at all. Names both shapes.
        """
        if not self.expected_shape:
            return
        with reading(self.name, url):
            found = self.shape(body)
        # What would stand in an object that is null or empty on every row is not known to be lost.
        filled = {path.rpartition(".")[0] for path in found}
        unknown = {path for path in self.expected_shape for above in [path.rpartition(".")[0]] if above in found and above not in filled}
        if missing := sorted(self.expected_shape - found - unknown):
            what = f"product rows have lost {', '.join(missing)}" if found else "no product row"
            raise ShapeChanged(
                self.name,
                f"{what} (expected: {', '.join(sorted(self.expected_shape))}; found: {', '.join(sorted(found)) or 'nothing'})",
                url,
            )

    def offers(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Offer]:
        """Yield the offers of a page."""
        return (row.offer for row in self.rows(body, store, observed_at) if isinstance(row, OfferRow))

    def store_on_page(self, body: Any) -> str | None:
        """Return the store a page says it is for, in the form of :meth:`request_store_id`; ``None`` where it does not say."""
        return None

    def request_store_id(self, store: StoreRef) -> str:
        """Return the id by which requests name the store.

        Raises:
            WrongStore: the store has no id for the web shop.
        """
        if not store.online_store_id:
            raise WrongStore(
                f"{self.name} {store.store_id}: the store has no online store id, so its shelf cannot be asked for. "
                "Leave it out of the crawl plan."
            )
        return store.online_store_id

    def check_store(self, body: Any, store: StoreRef) -> None:
        """Refuse a page of another store.

        Raises:
            WrongStore: the page names another store than the one asked for.
        """
        store_id_on_page, requested_store_id = self.store_on_page(body), self.request_store_id(store)
        if store_id_on_page is not None and store_id_on_page != requested_store_id:
            raise WrongStore(
                f"{self.name} {store.store_id}: asked for store {requested_store_id}, the page shows {store_id_on_page}. Nothing of it is staged; "
                f"look at the landed page, and check how include/retailers/{self.name}.py chooses the store."
            )

    def may_be_empty(self, store: StoreRef) -> bool:
        """Whether a crawl of this store may yield nothing."""
        return False

    def session_page_for(self, store: StoreRef | None) -> Page | None:
        """Return the opening page, with the choice of the store where that is a cookie."""
        return self.session_page

    def store_pages(self) -> Iterable[Page]:
        """Return the requests of the store finder; each is followed by :meth:`next_store_pages`."""
        return ()

    def next_store_pages(self, page: Page, body: Any) -> Iterable[Page]:
        """Return the requests that follow an answer of the store finder: the next page, or a closer look."""
        return ()

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Yield the stores of a store finder's answer, liquor shops and petrol stations included and marked."""
        yield from ()


def key_paths(paths: str) -> frozenset[str]:
    """Return the key paths in a text, for :attr:`Retailer.expected_shape`.

    >>> sorted(key_paths("id pricing pricing.now"))
    ['id', 'pricing', 'pricing.now']
    """
    return frozenset(paths.split())


def _key_paths(row: Any, above: str, inner: set[str]) -> Iterator[str]:
    """Yield the key paths of a row, into the objects (and lists of objects) named in ``inner``."""
    for part in row if isinstance(row, list) else [row]:
        for key, value in part.items() if isinstance(part, Mapping) else ():
            yield (path := f"{above}{key}")
            if path in inner:
                yield from _key_paths(value, f"{path}.", inner)
