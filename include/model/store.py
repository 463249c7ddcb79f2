"""A store: its reference in a crawl, and its record from discovery."""

from __future__ import annotations

from dataclasses import dataclass


def read_store_id(value: object) -> str | None:
    """Return the store id in a file: text is trimmed, a whole number becomes its digits; everything else names no store.

    >>> read_store_id(" G102 "), read_store_id(1147)
    ('G102', '1147')
    >>> read_store_id(None), read_store_id(True), read_store_id(1.5), read_store_id({"a": 1}), read_store_id(" ")
    (None, None, None, None, None)
    """
    if type(value) is int:
        return str(value)
    return str(value).strip() or None if type(value) is str else None


@dataclass(frozen=True, slots=True)
class StoreRef:
    """The store an offer was seen in. ``state`` is upper case (``NSW``); it decides the time zone."""

    retailer: str
    store_id: str
    name: str | None = None
    state: str | None = None
    online_store_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRecord(StoreRef):
    """A store from a store finder or a directory; discovery cleans state, postcode and position."""

    suburb: str | None = None
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    division: str | None = None
    is_supermarket: bool = True
    is_trading: bool = True
