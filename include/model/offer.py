"""The offer line: the offer of one store for one SKU at one time, how it is written and read.

One line of a staged file is ``{"product": {…}, "metadata": {…}}`` in UTF-8. The writer side
(:class:`Offer`) is filled by a retailer's adapter; the reader side
(:func:`decode`) is tolerant: a known key may have any type, and the rule catalogue decides.

Money never becomes a binary fraction: prices are :class:`~decimal.Decimal` when written, and JSON
numbers are read as their text (:class:`Number`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from include.model.store import StoreRef


class Number(str):
    """A JSON number with a fraction or exponent, as its text in the file."""

    __slots__ = ()


#: What one pays the price for: an item, or a unit of its measure.
PriceBasis = Literal["each", "kg", "L", "m"]
PRICE_BASES: tuple[PriceBasis, ...] = get_args(PriceBasis)


@dataclass(frozen=True, slots=True)
class MultiBuy:
    """``quantity`` items for ``price`` dollars together."""

    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The offer of one store for one SKU at one time, in the retailer's wording.

    ``price_current`` is in dollars for one ``price_basis``; ``None`` means unavailable (the key is still written). ``normalized_brand``, ``sizes`` and
    ``normalized_name_brand_size`` are the writer's reading of the texts (:mod:`include.crawling.cleaning`), ``extra`` has further product keys: both are
    kept in the file and not read by ingestion.
    """

    sku: str
    name: str
    observed_at: datetime
    price_current: Decimal | None
    brand: str | None = None
    size: str | None = None
    barcode: str | None = None
    description: str | None = None
    url: str | None = None
    image_url: str | None = None
    category_path: Sequence[str] = ()
    price_was: Decimal | None = None
    price_basis: PriceBasis = "each"
    multi_buy: MultiBuy | None = None
    is_on_special: bool = False
    is_available: bool = True
    per_unit_price_string: str | None = None
    normalized_brand: str | None = None
    sizes: Sequence[str] = ()
    normalized_name_brand_size: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class LineProduct(msgspec.Struct, gc=False):
    """The product keys ingestion reads. Each may have any type: the rule catalogue checks it, not the parser."""

    sku: Any = None
    name: Any = None
    brand: Any = None
    size: Any = None
    barcode: Any = None
    description: Any = None
    url: Any = None
    image_url: Any = None
    category_path: Any = None
    price_current: Any = msgspec.UNSET
    price_was: Any = None
    price_basis: Any = None
    multi_buy_quantity: Any = None
    multi_buy_price: Any = None
    is_on_special: Any = None
    is_available: Any = None
    per_unit_price_string: Any = None
    scraped_date: Any = None


class LineMetadata(msgspec.Struct, gc=False):
    """The metadata keys ingestion reads."""

    company: Any = None
    store_id: Any = None
    store_name: Any = None
    state: Any = None
    scraped_date: Any = None
    scraped_at: Any = None


class Line(msgspec.Struct, gc=False):
    """One decoded line."""

    product: LineProduct
    metadata: LineMetadata


class _LineParts(msgspec.Struct, gc=False):
    product: msgspec.Raw
    metadata: msgspec.Raw


#: Maximum bytes of a line besides its two parts, with spaces; a further key needs at least 12 bytes.
_FRAME_BYTES = 32

_decoder = msgspec.json.Decoder(Line, float_hook=Number)
_parts_decoder = msgspec.json.Decoder(_LineParts)
_product_decoder = msgspec.json.Decoder(LineProduct, float_hook=Number)
_metadata_decoder = msgspec.json.Decoder(LineMetadata, float_hook=Number)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(raw: bytes) -> Line:
    """Read one line.

    Raises:
        msgspec.DecodeError: not JSON, or not an object with a ``product`` and a ``metadata`` object.
        RecursionError: nested deeper than the parser allows.
        UnicodeDecodeError: not UTF-8.

    >>> decode(b'{"product": {"sku": 7, "price_current": 4.10}, "metadata": {"company": "aldi"}}').product.price_current
    '4.10'
    """
    return _decoder.decode(raw)


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Return the JSON of a line's ``product`` and of its ``metadata``, for :func:`decode_product` and :func:`decode_metadata`.

    Stores of one retailer repeat most products byte for byte, and one store-day its metadata: results computed from either
    part can be reused for the next line with the same bytes.

    Raises:
        As :func:`decode`, except for errors inside the two parts, which are not parsed yet.

    >>> split(b'{"product": {"sku": 7}, "metadata": {"company": "aldi"}}')
    (b'{"sku": 7}', b'{"company": "aldi"}')
    """
    parts = _parts_decoder.decode(raw)
    product, metadata = bytes(parts.product), bytes(parts.metadata)
    if len(raw) - len(product) - len(metadata) > _FRAME_BYTES:
        _decoder.decode(raw)  # a part may occur twice: each occurrence has to be valid
    return product, metadata


def decode_product(raw: bytes) -> LineProduct:
    """Read the ``product`` of a line. Raises as :func:`decode`."""
    return _product_decoder.decode(raw)


def decode_metadata(raw: bytes) -> LineMetadata:
    """Read the ``metadata`` of a line. Raises as :func:`decode`."""
    return _metadata_decoder.decode(raw)


def encode(offer: Offer, store: StoreRef) -> bytes:
    """Write one line, without the newline. Key order is fixed, so equal offers give equal bytes."""
    saved = offer.price_was - offer.price_current if offer.price_was is not None and offer.price_current is not None else None
    product = {
        "sku": offer.sku,
        "name": offer.name,
        "brand": offer.brand,
        "barcode": offer.barcode,
        "description": offer.description,
        "size": offer.size,
        "image_url": offer.image_url,
        "url": offer.url,
        "category_path": list(offer.category_path),
        "price_current": offer.price_current,
        "price_was": offer.price_was,
        "price_save_amount": saved,
        "price_basis": offer.price_basis,
        "multi_buy_quantity": offer.multi_buy.quantity if offer.multi_buy else None,
        "multi_buy_price": offer.multi_buy.price if offer.multi_buy else None,
        "is_on_special": offer.is_on_special,
        "is_available": offer.is_available,
        "per_unit_price_string": offer.per_unit_price_string,
        "normalized_brand": offer.normalized_brand,
        "sizes": list(offer.sizes),
        "normalized_name_brand_size": offer.normalized_name_brand_size,
        **offer.extra,
    }
    metadata = {
        "company": store.retailer,
        "store_id": store.store_id,
        "store_name": store.name,
        "state": store.state,
        "scraped_at": offer.observed_at.isoformat(),
    }
    return _encoder.encode({"product": product, "metadata": metadata})
