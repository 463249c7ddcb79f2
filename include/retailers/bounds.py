"""Bounds of all that a site sends: numbers, JSON, categories, redirects.

A page beyond them is unreadable, and the error names the bound. Size and time of a response are settings
(``AISLEFLOW_RESPONSE_BYTES_MAX``, ``AISLEFLOW_RESPONSE_SECONDS_MAX``), and so is the number of requests of a store; ``include/crawling/transport.py``
enforces them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.retailers.errors import MissingField

if TYPE_CHECKING:
    from include.retailers.base import Category

#: Redirects followed for one page; each is a request of its own.
REDIRECTS_MAX = 3
#: Of a redirect's body, which is not used; its connection is closed beyond.
REDIRECT_BYTES_MAX = 65_536
#: Of all cookies of a site: each request sends them.
COOKIES_BYTES_MAX = 65_536
#: Values of one JSON document. The largest recorded page has about 100,000.
JSON_VALUES_MAX = 2_000_000
#: Digits of a number before or after its point. Longer ones stay text: computing with 1e400000 takes minutes.
DIGITS_MAX = 18
#: Announced products of a category, and products of a store.
PRODUCTS_MAX = 500_000
#: Categories of a store, and the length of their keys, percent-encoded: they name landed pages.
CATEGORIES_MAX, CATEGORY_KEY_MAX = 10_000, 200
#: Length of a product number.
SKU_MAX = 200

#: Escapes of JSON, one by one: a pair of surrogates stays, a single one and NUL fit into no file and no database.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)


class Fields(dict[str, Any]):
    """A JSON object whose error for a missing key lists the keys found."""

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        raise MissingField(key, self)


def parse(body: bytes) -> Any:
    """Read JSON with exact money: numbers with a fraction are :class:`~decimal.Decimal`, objects :class:`Fields`.

    Raises:
        ValueError: not JSON, not UTF-8, nested too deep, more than :data:`JSON_VALUES_MAX` values, or an object with a key twice.

    >>> parse(b'{"now": 4.10, "total": 12, "far": 1e400000}')
    {'now': Decimal('4.10'), 'total': 12, 'far': '1e400000'}
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > JSON_VALUES_MAX:
        raise ValueError(f"more than {JSON_VALUES_MAX:,} values")
    if b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body:
        body = _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], body)
    try:
        return json.loads(body, parse_float=_fraction, parse_int=_whole, parse_constant=str, object_pairs_hook=_fields)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def bounded_categories(found: Iterable[Category]) -> dict[str, Category]:
    """Return the categories of a tree by key; a category may be in two departments.

    Raises:
        ValueError: too many, or a key or name that is no text or too long.
    """
    nodes: dict[str, Category] = {}
    for node in found:
        if not isinstance(node.key, str) or not 0 < len(quote(node.key, safe="")) <= CATEGORY_KEY_MAX:
            raise ValueError(
                f"the key {str(node.key)[:80]!r} of a category is not a text of 1 to {CATEGORY_KEY_MAX} characters, percent-encoded"
            )
        if not all(isinstance(part, str) for part in (*node.path, *node.address.values())):
            raise ValueError(f"category {node.key!r} has a name or an address that is not a text")
        nodes[node.key] = node
        if len(nodes) > CATEGORIES_MAX:
            raise ValueError(f"more than {CATEGORIES_MAX:,} categories")
    return nodes


def _fields(pairs: Sequence[tuple[str, Any]]) -> Fields:
    found = Fields(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"key {twice[:80]!r} occurs twice in an object: which value is meant is unknown")
    return found


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= DIGITS_MAX else text


def _fraction(text: str) -> Decimal | str:
    if len(text) > 2 * DIGITS_MAX + 8:
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent beyond the type's range
        return text
    return value if abs(value.adjusted()) < DIGITS_MAX else text
