"""Compares published prices row by row with the truth of their store at the instant they were read.

The reference of each store is its shelf at the instant of its last complete store-day. Right: an offer of
the truth is listed with the same price, basis, was-price and multi-buy offer; an unavailable one has no row, or an unavailable row
(its price may be an old one). Wrong, missing (in the truth, not listed) and extra (listed, not in the truth)
are faults. One store is in memory at a time.

Inferred rows are reported apart: each is judged against the truth of its own store at the instant at which the anchor was read.
Rows that are marked as uncertain (not current, not verified), not listed or not available claim nothing. A share of wrong ones is expected: two stores of a
group may differ so much; more is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TypedDict

import msgspec
import requests

from include.errors import TerminalError
from sandbox.findings import Finding
from sandbox.identity import IdentityComparison, IdentityJudge, usable
from sandbox.world import TruthOffer

StoreKey = tuple[str, str]
#: All that is compared: cents, what they are for, cents before the special, items of a multi-buy offer and their cents together.
_Price = tuple[int | None, str, int | None, int | None, int | None]
Truth = Callable[[str, str, datetime], Iterable[TruthOffer]]

#: The share of inferred prices that may be wrong: stores of a group cost the same in at least 99.5 percent of their products.
INFERRED_WRONG_SHARE = 0.005

_DECODER = msgspec.json.Decoder(TruthOffer)


class PriceRow(TypedDict):
    """One published row of the view ``core.store_price``; cents and UTC instants."""

    retailer: str
    store_id: str
    sku: str
    price_cents: int | None
    was_price_cents: int | None
    price_basis: str
    multi_buy_quantity: int | None
    multi_buy_cents: int | None
    is_available: bool
    is_listed: bool
    is_current: bool
    is_confirmed: bool
    source: str
    observed_at: datetime
    barcode: str | None
    product_id: int


@dataclass(slots=True)
class InferredComparison:
    """Inferred rows: ``right`` and ``wrong`` prices; ``absent``: of products that the store does not list then, or has no price of (each store's range is its own: no fault);
    ``uncertain``: marked as not current or not verified; ``unlisted``: marked as not listed there, not available, or no longer inferred.
    """

    right: int = 0
    wrong: Finding = field(default_factory=Finding)
    absent: int = 0
    uncertain: int = 0
    unlisted: int = 0

    @property
    def is_right(self) -> bool:
        """Whether no larger share than :data:`INFERRED_WRONG_SHARE` is wrong."""
        return self.wrong.count <= INFERRED_WRONG_SHARE * (self.right + self.wrong.count)

    def lines(self) -> Iterator[str]:
        """Yield the result as text; nothing without inferred rows."""
        if self.right or self.wrong.count or self.absent or self.uncertain or self.unlisted:
            yield (
                f"inferred from anchors: {self.right} right, {self.wrong.count} wrong (at most {INFERRED_WRONG_SHARE:.1%} may be), "
                f"{self.absent} of products that the store lacks, {self.uncertain} marked as not current or not verified, {self.unlisted} as not listed"
            )
            for sample in self.wrong.samples:
                yield f"  inferred: {sample}"


@dataclass(slots=True)
class PriceComparison:
    """The result of a verification.

    Attributes:
        right: rows that match the truth, unavailable products without a row included.
        wrong, missing, extra: faults, see the module.
        delisted: rows correctly marked as no longer listed: no fault.
        not_compared: rows of stores without a complete store-day, which have no reference.
        other_barcode: rows whose barcode differs from the truth's GTIN where the good is not known: no fault, a product may have several.
        inferred: rows inferred from anchors.
        identity: products and barcodes against the goods: a barcode of another good is a fault.
    """

    stores: int = 0
    right: int = 0
    delisted: int = 0
    not_compared: int = 0
    wrong: Finding = field(default_factory=Finding)
    missing: Finding = field(default_factory=Finding)
    extra: Finding = field(default_factory=Finding)
    other_barcode: Finding = field(default_factory=Finding)
    inferred: InferredComparison = field(default_factory=InferredComparison)
    identity: IdentityComparison = field(default_factory=IdentityComparison)

    @property
    def is_right(self) -> bool:
        """Whether every observed row matches the truth, no row is missing, inferred ones are right but for a share, and no barcode is another good's."""
        return self.inferred.is_right and not (
            self.wrong.count or self.missing.count or self.extra.count or self.identity.wrong_barcode.count
        )

    def lines(self) -> Iterator[str]:
        """Yield the result as text, faults with their first samples."""
        yield f"{self.stores} stores: {self.right} right, {self.wrong.count} wrong, {self.missing.count} missing, {self.extra.count} extra"
        yield (
            f"not counted as errors: {self.delisted} prices no longer listed, {self.not_compared} of stores without a complete store-day, "
            f"{self.other_barcode.count} with another barcode of the product"
        )
        for name, finding in (("wrong", self.wrong), ("missing", self.missing), ("extra", self.extra)):
            for sample in finding.samples:
                yield f"  {name}: {sample}"
        yield from self.inferred.lines()
        yield from self.identity.lines()


def verify(rows: Iterable[PriceRow], truth: Truth, observed: Mapping[StoreKey, datetime], *, samples: int = 5) -> PriceComparison:
    """Compare every published row with the truth, and every offer of the truth with the published rows.

    Args:
        rows: ordered by retailer and store.
        truth: a ``World``'s bound method ``truth``, or :class:`TruthOverHttp`.
        observed: the instant of the last complete store-day of each store.
        samples: how many of each fault to keep as text.

    Raises:
        TerminalError: the rows are not ordered by store.
    """
    comparison, judge = PriceComparison(), IdentityJudge()
    seen: set[StoreKey] = set()
    for key, store_rows in groupby(rows, key=lambda row: (row["retailer"], row["store_id"])):
        if key in seen:
            raise TerminalError(f"the rows of {key[0]} {key[1]} are not consecutive. Order the published rows by retailer, store_id.")
        seen.add(key)
        at = observed.get(key)
        if at is None:
            comparison.not_compared += sum(1 for _ in store_rows)
        else:
            published = {row["sku"]: row for row in store_rows}
            _compare_store(comparison, key, published, _known(judge, truth(*key, at)), samples, judge)
            _compare_inferred(comparison.inferred, key, [row for row in published.values() if row["source"] == "inferred"], truth, samples)
    for key in sorted(observed.keys() - seen):
        _compare_store(comparison, key, {}, _known(judge, truth(*key, observed[key])), samples, judge)
    comparison.identity = judge.compare(samples)
    return comparison


def _known(judge: IdentityJudge, offers: Iterable[TruthOffer]) -> Iterator[TruthOffer]:
    for offer in offers:
        judge.know(offer.identity, offer.barcode)
        yield offer


def _compare_store(
    comparison: PriceComparison,
    key: StoreKey,
    published: Mapping[str, PriceRow],
    truth: Iterable[TruthOffer],
    samples: int,
    judge: IdentityJudge,
) -> None:
    comparison.stores += 1
    known = set()
    for offer in truth:
        known.add(offer.sku)
        row = published.get(offer.sku)
        where = f"{key[0]} {key[1]} SKU {offer.sku} {offer.name!r}"
        if row is not None and row["source"] == "inferred":
            pass  # its price is judged apart, its product here
        elif offer.price_cents is None:
            if row is None or not row["is_available"] or not row["is_listed"]:
                comparison.right += 1
            else:
                comparison.wrong.add(f"{where}: published as available at {row['price_cents']} cents, the truth is unavailable", samples)
        elif row is None or not row["is_listed"]:
            state = "has no row" if row is None else "is marked delisted"
            comparison.missing.add(f"{where}: {state}, the truth is {offer.price_cents} cents", samples)
        elif (found := _published_price(row)) != (true := _true_price(offer)):
            comparison.wrong.add(f"{where}: {_text(found)}, read {row['observed_at'].isoformat()}; the truth is {_text(true)}", samples)
        else:
            comparison.right += 1
        if row is not None and offer.identity is not None:
            judge.publish((key[0], offer.sku), offer.identity, offer.name, row["product_id"], row["barcode"])
        elif row is not None and _differs(row["barcode"], offer.barcode):
            comparison.other_barcode.add(f"{where}: {row['barcode']}, the truth is {offer.barcode}", samples)
    for row in published.values():
        if row["sku"] in known or row["source"] == "inferred":
            continue
        if row["is_listed"]:
            comparison.extra.add(f"{key[0]} {key[1]} SKU {row['sku']}: {row['price_cents']} cents, the store does not list it", samples)
        else:
            comparison.delisted += 1


def _compare_inferred(comparison: InferredComparison, key: StoreKey, rows: Sequence[PriceRow], truth: Truth, samples: int) -> None:
    listed = [row for row in rows if row["is_listed"] and row["is_available"]]
    judged = [row for row in listed if row["is_current"] and row["is_confirmed"]]
    comparison.unlisted += len(rows) - len(listed)
    comparison.uncertain += len(listed) - len(judged)
    if not judged:
        return
    offers = {offer.sku: offer for offer in truth(*key, max(row["observed_at"] for row in judged))}
    for row in judged:
        offer = offers.get(row["sku"])
        if offer is None or offer.price_cents is None:
            comparison.absent += 1
        elif (found := _published_price(row)) == (true := _true_price(offer)):
            comparison.right += 1
        else:
            comparison.wrong.add(f"{key[0]} {key[1]} SKU {row['sku']}: {_text(found)}, the truth is {_text(true)}", samples)


def _published_price(row: PriceRow) -> _Price:
    return row["price_cents"], row["price_basis"], row["was_price_cents"], row["multi_buy_quantity"], row["multi_buy_cents"]


def _true_price(offer: TruthOffer) -> _Price:
    deal = offer.multi_buy
    quantity, together = (deal.quantity, deal.total_cents) if deal else (None, None)
    return offer.price_cents, offer.price_basis, offer.was_price_cents, quantity, together


def _text(price: _Price) -> str:
    cents, basis, was, quantity, together = price
    deal = f", {quantity} for {together}" if quantity else ""
    return f"{cents} cents per {basis} (was {was}{deal})"


def _differs(published: str | None, true: str | None) -> bool:
    """Whether both barcodes are known, the true one is a GTIN (not an in-store code), and they differ."""
    gtin = usable(true or "")
    return published is not None and gtin is not None and published.zfill(14) != gtin


class HttpTruth:
    """The truth of a running sandbox, read line by line.

    Args:
        base_url: e.g. ``http://127.0.0.1:8700``.
    """

    def __init__(self, base_url: str, timeout_seconds: float = 60.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._session = requests.Session()

    def __call__(self, retailer: str, store_id: str, at: datetime) -> Iterator[TruthOffer]:
        """Yield the offers of a store at an instant.

        Raises:
            TerminalError: the sandbox does not respond, or has no such store.
        """
        url = f"{self.base_url}/_sandbox/truth/{retailer}/{store_id}"
        try:
            with self._session.get(url, params={"at": at.isoformat()}, stream=True, timeout=self.timeout_seconds) as response:
                if response.status_code != 200:
                    raise TerminalError(
                        f"{url} returned {response.status_code}: {response.text[:300]}. Verify against the world that was crawled."
                    )
                for line in response.iter_lines():
                    yield _DECODER.decode(line)
        except requests.RequestException as error:
            raise TerminalError(f"{url} does not respond: {error}. Start the sandbox: aisleflow sandbox serve.") from error
