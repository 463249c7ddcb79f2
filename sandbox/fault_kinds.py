"""The kinds of faults and their options; ``Fault``: one fault with its scope and rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from include.errors import ConfigurationError
from sandbox.world import RETAILERS

#: The cookie that passes a bot wall.
SESSION = "sandbox_session=open"


class Kind(msgspec.Struct, frozen=True):
    """A kind of fault: its effect, its options beside those that select requests, and the requests it applies to by default."""

    about: str
    options: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    retailer: str | None = None


_SHELF = ("tree", "listing", "search", "promotions")
_ROWS = ("listing", "search", "detail", "barcodes")

KINDS: dict[str, Kind] = {
    "too_many": Kind("429; retry_after adds a Retry-After header in seconds, http_date sends it as a date", ("retry_after", "http_date")),
    "error": Kind("500, or another status; retry_after as above", ("status", "retry_after", "http_date")),
    "slow": Kind("the response starts after `seconds` (2)", ("seconds",)),
    "trickle": Kind("the body is sent in 20 pieces over `seconds` (5)", ("seconds",)),
    "cut": Kind("the connection closes after `part` (0.5) of the body", ("part",)),
    "garbage": Kind("the header says gzip, the body is not gzip data"),
    "content_type": Kind("the correct body with another `content_type` (text/plain)", ("content_type",)),
    "reset": Kind("the connection is reset without a response"),
    "wall": Kind(
        "the retailer's bot wall for requests without the `session` cookie (sandbox_session=open); `form` page or script, `status` 200 or 403",
        ("session", "form", "status"),
    ),
    "renamed_field": Kind("`field` is renamed to `to` (field_v2) in `rows` (all) of the products", ("field", "to", "rows")),
    "price_text": Kind("prices are text in `rows` (all) of the products; `field` names another field", ("field", "rows"), _ROWS),
    "price_times_100": Kind("prices are multiplied by 100 in `rows` (all) of the products", ("field", "rows"), _ROWS),
    "category_gone": Kind(
        "a category (`category` = part of its name; the largest) is missing from tree and listings", ("category",), _SHELF
    ),
    "same_page": Kind("the previous page is returned again", (), ("listing", "search")),
    "no_rows": Kind("the usual total, but no products", (), ("listing", "search")),
    "tenth": Kind("the site lists only `part` (0.1) of its products", ("part",), _SHELF),
    "empty_tree": Kind("the category tree has no categories", (), ("tree", "home")),
    "wrong_store": Kind(
        "responses are those of another store than the selected one", (), ("home", "tree", "listing", "search", "detail", "barcodes")
    ),
    "new_build": Kind("Coles deploys: the build id changes and the old one returns 404; once by default", (), ("data",), "coles"),
}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault; the docstring of ``sandbox.faults`` explains the fields."""

    kind: str
    retailer: str | None = None
    purpose: str | None = None
    store: str | None = None
    nth: int | None = None
    since: int | None = None
    times: int | None = None
    share: float = 1.0
    seed: int = 7
    seconds: float | None = None
    status: int | None = None
    retry_after: int | None = None
    http_date: bool = False
    field: str | None = None
    to: str | None = None
    rows: float = 1.0
    category: str | None = None
    part: float | None = None
    content_type: str | None = None
    session: str | None = None
    form: str | None = None


_CHOICE = ("kind", "retailer", "purpose", "store", "nth", "since", "times", "share", "seed")


def check(fault: Fault) -> Fault:
    """Return the fault if it is valid.

    Raises:
        ConfigurationError: an unknown kind or retailer, an option this kind does not have, a number out of range.
    """
    kind = KINDS.get(fault.kind)
    if kind is None:
        raise ConfigurationError(f"unknown fault {fault.kind!r}; known: {', '.join(KINDS)}.")
    if fault.retailer is not None and fault.retailer not in RETAILERS:
        raise ConfigurationError(f"unknown retailer {fault.retailer!r}; known: {', '.join(RETAILERS)}.")
    given = set(msgspec.to_builtins(fault)) - set(_CHOICE)
    if wrong := sorted(given - set(kind.options)):
        raise ConfigurationError(f"the fault {fault.kind!r} has no option {', '.join(wrong)}; it has: {', '.join(kind.options) or 'none'}.")
    if fault.kind == "renamed_field" and not fault.field:
        raise ConfigurationError("renamed_field needs the name of the field: field=….")
    if not (0 < fault.share <= 1 and 0 < fault.rows <= 1 and 0 <= (fault.part or 0) <= 1):
        raise ConfigurationError("share, rows and part are between 0 and 1.")
    if any(number is not None and number < 1 for number in (fault.nth, fault.since, fault.times)):
        raise ConfigurationError("nth, since and times count from 1.")
    if (fault.seconds or 0) < 0 or (fault.retry_after or 0) < 0 or not 200 <= (fault.status or 500) <= 599:
        raise ConfigurationError("seconds and retry_after are not negative, status is between 200 and 599.")
    if fault.form not in (None, "page", "script"):
        raise ConfigurationError("form is page or script.")
    if fault.session is not None and not all(fault.session.partition("=")):
        raise ConfigurationError("session is one cookie, name=value.")
    return fault


def fault_of(values: Mapping[str, Any]) -> Fault:
    """Read a fault from names and values.

    >>> fault_of({"kind": "too_many", "retailer": "coles", "nth": 3}).nth
    3

    Raises:
        ConfigurationError: the values are not a valid fault.
    """
    try:
        found = msgspec.convert(dict(values), Fault)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the fault is not valid: {error}. See docs/sandbox.md for the kinds and their options.") from error
    return check(found)
