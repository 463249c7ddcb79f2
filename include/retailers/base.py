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
from typing import Any, ClassVar, Literal, Self

from include.retailers.errors import WrongStore
from include.staging.offer import Offer, StoreRef
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


@dataclass(frozen=True, slots=True)
class Shown:
    """A row that is an offer. A sponsored one stands outside the order and the count of the list."""

    offer: Offer
    is_sponsored: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is no offer, and why. With ``sku`` it still counts among the goods the category announces."""

    reason: str
    sku: str | None = None


Row = Shown | Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRecord:
    """A store as its retailer's store finder knows it. ``state`` is upper case, ``postcode`` four digits."""

    retailer: str
    store_id: str
    online_store_id: str | None
    name: str | None
    state: str | None = None
    suburb: str | None = None
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    division: str | None = None
    is_supermarket: bool = True
    is_trading: bool = True


class Retailer(ABC):
    """What is peculiar to one retailer. Every method is a pure function of its arguments."""

    #: The slug used everywhere.
    name: ClassVar[str]
    #: As the chain writes itself.
    title: ClassVar[str]
    #: Raised when the same page would be read differently; stands in each manifest.
    version: ClassVar[str] = "1"
    #: The live host; ``AISLEFLOW_<NAME>_URL`` replaces it.
    base_url: ClassVar[str]
    #: Where its store-days go: the outbox, unless barcodes are filled in first.
    stage: ClassVar[Stage] = Stage.OUTBOX
    #: A page visit that gives cookies or a build id; made once, before the first request of a store.
    opening: ClassVar[Page | None] = None
    #: Whether a 404 in mid-run means that the session's values are old: open again, repeat the same page.
    renews_on_404: ClassVar[bool] = False
    #: Whether a 404 or a last page that comes again is this site's way to say that a list has ended.
    ends_oddly: ClassVar[bool] = False
    #: Share of the announced total that must have been read: below 1 only where a site's totals are known to be high.
    total_share: ClassVar[float] = 1.0

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

    def offers(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Offer]:
        """Yield the offers of a page."""
        return (row.offer for row in self.rows(body, store, observed_at) if isinstance(row, Shown))

    def shown_store(self, body: Any) -> str | None:
        """Return the store a page says it is for, in the form of :meth:`asked_store`; ``None`` where it does not say."""
        return None

    def asked_store(self, store: StoreRef) -> str:
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
        shown, asked = self.shown_store(body), self.asked_store(store)
        if shown is not None and shown != asked:
            raise WrongStore(
                f"{self.name} {store.store_id}: asked for store {asked}, the page shows {shown}. Nothing of it is staged; "
                f"look at the landed page, and check how include/retailers/{self.name}.py chooses the store."
            )

    def is_empty_on_purpose(self, store: StoreRef) -> bool:
        """Whether a crawl of this store may yield nothing."""
        return False

    def opening_for(self, store: StoreRef | None) -> Page | None:
        """Return the opening page, with the choice of the store where that is a cookie."""
        return self.opening

    def store_pages(self) -> Iterable[Page]:
        """Return the requests of the store finder; each is followed by :meth:`more_store_pages`."""
        return ()

    def more_store_pages(self, page: Page, body: Any) -> Iterable[Page]:
        """Return the requests that follow an answer of the store finder: the next page, or a closer look."""
        return ()

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Yield the stores of a store finder's answer, liquor shops and petrol stations included and marked."""
        yield from ()
