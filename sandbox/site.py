"""Helpers of the four sites: JSON responses, number formats, ids from names, bounded request bodies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from include import clock
from sandbox import request_context, seeded_random
from sandbox.world import SandboxStore, Shelf, ShelfOffer, World

Json = dict[str, Any]

BODY_BYTES_MAX = 64 * 1024
#: Recent searches, whose next pages are likely requested soon.
_SEARCHES_KEPT = 16

_ENCODER = msgspec.json.Encoder()


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(_ENCODER.encode(body), status, headers, media_type="application/json")


def html_response(body: str, status: int = 200) -> Response:
    """Return an HTML response."""
    return Response(body, status, media_type="text/html")


async def json_body(request: Request) -> Json:
    """Read a JSON object from a request body.

    Raises:
        HTTPException: 413 for a body above 64 KiB, 400 for one that is not a JSON object.
    """
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > BODY_BYTES_MAX:
            raise HTTPException(413, f"the request body is larger than {BODY_BYTES_MAX} bytes")
    try:
        body = msgspec.json.decode(bytes(received))
    except msgspec.DecodeError as error:
        raise HTTPException(400, f"the request body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "the request body is not a JSON object")
    return body


def number(value: object, default: int, *, least: int = 0) -> int:
    """Read a whole number from a parameter; ``default`` for anything else.

    >>> number("3", 1), number(None, 1), number("-2", 1), number("x", 1)
    (3, 1, 0, 1)
    """
    try:
        return max(least, int(str(value)))
    except ValueError:
        return default


def dollars(cents: int) -> int | float:
    """Return dollars as a JavaScript serialiser writes them: 5, not 5.0.

    >>> dollars(500), dollars(550)
    (5, 5.5)
    """
    return cents // 100 if cents % 100 == 0 else cents / 100


def dollar_text(cents: int) -> str:
    """Return a price as text.

    >>> dollar_text(1205), dollar_text(132_000)
    ('$12.05', '$1,320.00')
    """
    return f"${cents // 100:,}.{cents % 100:02d}"


def slug(text: str) -> str:
    """Return a name as used in the sites' URLs.

    >>> slug("Dairy, Eggs & Fridge"), slug("Crème Dallow's")
    ('dairy-eggs-fridge', 'creme-dallow-s')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def opaque(kind: str, *about: object) -> str:
    """Return an opaque token, equal for equal arguments: 16 hex digits."""
    return f"{seeded_random.random_int(kind, *about):016x}"


def uuid(*about: object) -> str:
    """Return a deterministic text in UUID format."""
    text = opaque("a", *about) + opaque("b", *about)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def distance_km(store: SandboxStore, latitude: float, longitude: float) -> float:
    """Return the great-circle distance from a store to a point, in kilometres."""
    a, b = radians(store.latitude), radians(latitude)
    half = sin((a - b) / 2) ** 2 + cos(a) * cos(b) * sin(radians(store.longitude - longitude) / 2) ** 2
    return round(2 * 6371 * asin(sqrt(half)), 3)


def shelf_now(world: World, store: SandboxStore) -> Shelf:
    """Return the shelf of a store at the current time of the installation's clock, reduced by active faults."""
    request_context.store_id.set(store.store_id)
    shelf, filtered = world.shelf(store.retailer, store.store_id, clock.now()), request_context.shelf_filter.get()
    return filtered(shelf) if filtered else shelf


@lru_cache(_SEARCHES_KEPT)
def skus_found(shelf: Shelf, text: str) -> Sequence[str]:
    """Return the SKUs whose brand, name and size have a word that begins with each word of a text; all SKUs for an empty text."""
    parts = text.lower().split()
    return [offer.sku for offer in shelf.offers() if _matches(offer, parts)] if parts else shelf.skus()


def suggestions(shelf: Shelf, text: str) -> list[str]:
    """Return up to ten product names that match a search text."""
    return list(dict.fromkeys(offer.label for sku in skus_found(shelf, text) if (offer := shelf.offer(sku))))[:10]


def _matches(offer: ShelfOffer, parts: Sequence[str]) -> bool:
    words = f"{offer.brand or ''} {offer.label} {offer.pack or ''}".lower().split()
    return all(any(word.startswith(part) for word in words) for part in parts)
