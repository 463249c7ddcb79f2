"""The contract of a retailer: plain functions of their arguments, no request, no clock, no Airflow.

An adapter defines the pages to request and reads them. The shared crawl (``include/crawling/``) sends the requests, waits,
retries, lands each response unchanged and then has the adapter read it. Text cleaning, barcode form and sizes are
handled after the adapter, for all retailers: an adapter passes the retailer's text unchanged.

Required fields are read by ``item["…"]``, optional ones by ``.get``: a missing required field raises
:class:`~include.retailers.errors.ShapeChanged`, which names the field, the fields found, and the URL.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from include.model.offer import Offer
from include.model.store import StoreRecord, StoreRef
from include.retailer_names import RETAILERS
from include.retailers.errors import ShapeChanged, WrongStore
from include.retailers.fields import reading
from include.staging.storage import Stage

if TYPE_CHECKING:
    from include.retailers.barcode_source import BarcodeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One request. ``path`` and header values may contain ``{names}`` that are replaced by session values (a build id).

    ``number`` counts the pages of one walk from 1. ``accept`` is the requested format: HTML in place of JSON is a refusal.
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
        """Return the next page of the same walk, with some query parameters changed."""
        return replace(self, params={**self.params, **params}, number=self.number + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One node to walk, or with ``skipped`` the reason for skipping it.

    ``covers`` makes it an audit: keys of the categories below it. If these already contain as many products
    as this one announces, only its first page is requested; else it is walked too.
    """

    key: str
    path: tuple[str, ...]
    address: Mapping[str, str] = field(default_factory=dict)
    skipped: str | None = None
    covers: tuple[str, ...] = ()
    is_promotional: bool = False

    @property
    def name(self) -> str:
        """The category's name for messages and manifests."""
        return " > ".join(self.path) or self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailerUnitPrice:
    """A site's unit price data in addition to the printed text; ``unit_check.py`` compares them.

    ``amount`` is the site's own number in dollars, ``per`` its measure (``100G``), omitted if the site's measure is known to be
    wrong. ``size_price`` and ``size`` are a price and its quantity, if these differ from the offer's (products priced by the kilogram).
    """

    amount: Decimal | None = None
    per: str | None = None
    size_price: Decimal | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A row that is an offer. A sponsored one is not part of the list's order and total."""

    offer: Offer
    is_sponsored: bool = False
    unit: RetailerUnitPrice | None = None


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that is not an offer, and the reason. With ``sku`` it still counts towards the category's announced total."""

    reason: str
    sku: str | None = None


Row = OfferRow | SkippedRow


class Retailer(ABC):
    """The retailer-specific part of the crawl. Every method is a pure function of its arguments."""

    #: The slug used everywhere.
    name: ClassVar[str]
    #: Increased when the same page is read differently; written to each manifest.
    version: ClassVar[str] = "1"
    #: The live host; ``AISLEFLOW_<NAME>_URL`` replaces it.
    base_url: ClassVar[str]
    #: The page that sets cookies or contains a build id; requested once, before the first request of a store.
    session_page: ClassVar[Page | None] = None
    #: Whether a 404 during a run means that the session's values are outdated: open a session again, repeat the same page.
    renew_session_on_404: ClassVar[bool] = False
    #: Whether this site ends a list with a 404 or by repeating the last page.
    may_end_with_404_or_repeat: ClassVar[bool] = False
    #: Share of the announced total that must have been read: below 1 only if a site's totals are known to be too high.
    min_total_share: ClassVar[float] = 1.0
    #: The shape on record: key paths (``pricing.now``) without which prices, counts or names would be wrong. The product rows of a
    #: page together must contain them: an object that is null on some rows counts as found if one row has it. A test compares the list
    #: with the keys that the adapter reads. Keys that a valid page may lack entirely do not belong here.
    expected_shape: ClassVar[frozenset[str]] = frozenset()

    @property
    def title(self) -> str:
        """The chain's spelling of its name."""
        return RETAILERS[self.name].title

    @property
    def stage(self) -> Stage:
        """The stage of its store-days: the outbox, unless barcodes are added first."""
        return Stage(RETAILERS[self.name].stage)

    def session(self, html: str, url: str) -> Mapping[str, str]:
        """Return the opening page's values for later requests (without its cookies: the client stores those).

        Raises:
            Blocked: the page is not the regular one.
        """
        return {}

    def tree_page(self, store: StoreRef) -> Page | None:
        """Return the request for the category tree, ``None`` if one listing contains all products."""
        return None

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the categories to walk, audits after the categories they cover, and the skipped ones."""
        yield Category(key="all", path=())

    @abstractmethod
    def first_page(self, store: StoreRef, category: Category) -> Page:
        """Return the request for the first page of a category."""

    @abstractmethod
    def next_page(self, page: Page, body: Any) -> Page | None:
        """Return the request that follows a page, ``None`` at the end of the list."""

    def total(self, body: Any) -> int | None:
        """Return the category's announced number of products, ``None`` if the page has none."""
        return None

    @abstractmethod
    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        """Yield every row of a page: an offer, or the reason for skipping it."""

    def products(self, body: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the product rows of a page unchanged, without tiles and banners."""
        yield from ()

    def shape(self, body: Any) -> frozenset[str]:
        """Return the key paths in the product rows of a page, to the depth of :attr:`expected_shape`; empty for a page without rows.

        ``{"id": 1, "pricing": {"now": 2}}`` gives ``id``, ``pricing`` and ``pricing.now`` where ``pricing.…`` is expected, else ``pricing`` alone.
        """
        inner = {path.rpartition(".")[0] for path in self.expected_shape}
        return frozenset(path for row in self.products(body) for path in _key_paths(row, "", inner))

    def check_shape(self, body: Any, url: str) -> None:
        """Compare the shape of a page with the one on record, before a run starts.

        Raises:
            ShapeChanged: paths of :attr:`expected_shape` are missing, or the page has no product row. Names both shapes.
        """
        if not self.expected_shape:
            return
        with reading(self.name, url):
            found = self.shape(body)
        # Keys below an object that is null or empty on every row are unknown, not missing.
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
        """Return the id of the store that a page is for, in the form of :meth:`request_store_id`; ``None`` if the page has none."""
        return None

    def request_store_id(self, store: StoreRef) -> str:
        """Return the store's id in requests.

        Raises:
            WrongStore: the store has no id for the web shop.
        """
        if not store.online_store_id:
            raise WrongStore(
                f"{self.name} {store.store_id}: the store has no online store id, so it cannot be crawled. Leave it out of the crawl plan."
            )
        return store.online_store_id

    def check_store(self, body: Any, store: StoreRef) -> None:
        """Refuse a page of another store.

        Raises:
            WrongStore: the page is for another store than the requested one.
        """
        store_id_on_page, requested_store_id = self.store_on_page(body), self.request_store_id(store)
        if store_id_on_page is not None and store_id_on_page != requested_store_id:
            raise WrongStore(
                f"{self.name} {store.store_id}: requested store {requested_store_id}, the page is for {store_id_on_page:.80}. It is not staged; "
                f"look at the landed page, and check how include/retailers/{self.name}.py chooses the store."
            )

    def may_be_empty(self, store: StoreRef) -> bool:
        """Whether a crawl of this store may find no offer."""
        return False

    def session_page_for(self, store: StoreRef | None) -> Page | None:
        """Return the opening page, with the store's cookie if the site has one."""
        return self.session_page

    def barcode_sources(self) -> Sequence[BarcodeSource]:
        """Return the routes that show barcodes beside the listing; what one does not answer is asked of the next."""
        return ()

    def store_pages(self) -> Iterable[Page]:
        """Return the requests of the store finder; each is followed by :meth:`next_store_pages`."""
        return ()

    def next_store_pages(self, page: Page, body: Any) -> Iterable[Page]:
        """Return the requests that follow a response of the store finder: the next page, or smaller areas."""
        return ()

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Yield the stores of a store finder's response, liquor shops and petrol stations included and marked."""
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
