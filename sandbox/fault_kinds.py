"""The kinds of faults, and one fault: what it does, whom it strikes, how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from include.errors import ConfigurationError
from sandbox.world import RETAILERS

#: The cookie that opens a wall.
SESSION = "sandbox_session=open"


class Kind(msgspec.Struct, frozen=True):
    """A kind of fault: what it does, which options it has beside those that choose requests, and what it strikes by itself."""

    about: str
    options: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    retailer: str | None = None


_SHELF = ("tree", "listing", "search", "promotions")
_ROWS = ("listing", "search", "detail", "barcodes")

KINDS: dict[str, Kind] = {
    "too_many": Kind("429; with retry_after a Retry-After in seconds, with http_date the same as a date", ("retry_after", "http_date")),
    "error": Kind("500, or another status; retry_after as above", ("status", "retry_after", "http_date")),
    "slow": Kind("the answer comes after `seconds` (2)", ("seconds",)),
    "trickle": Kind("the body comes in 20 pieces over `seconds` (5)", ("seconds",)),
    "cut": Kind("the connection closes after `part` (0.5) of the body", ("part",)),
    "garbage": Kind("says gzip, and the body is none"),
    "content_type": Kind("the right body under another `content_type` (text/plain)", ("content_type",)),
    "reset": Kind("the connection is reset without an answer"),
    "wall": Kind(
        "the retailer's own bot wall for everybody without the `session` cookie (sandbox_session=open); `form` page or script, `status` 200 or 403",
        ("session", "form", "status"),
    ),
    "renamed_field": Kind("`field` is called `to` (field_v2) in `rows` (all) of the products", ("field", "to", "rows")),
    "price_text": Kind("prices are text in `rows` (all) of the products; `field` names another field", ("field", "rows"), _ROWS),
    "price_times_100": Kind("prices are a hundredfold in `rows` (all) of the products", ("field", "rows"), _ROWS),
    "category_gone": Kind("a category (`category` = part of its name; the largest) is not in tree and listings", ("category",), _SHELF),
    "same_page": Kind("the page before is answered once more", (), ("listing", "search")),
    "no_rows": Kind("the announced total, and no products", (), ("listing", "search")),
    "tenth": Kind("the site shows `part` (0.1) of its goods, as if there were no more", ("part",), _SHELF),
    "empty_tree": Kind("the category tree has no categories", (), ("tree", "home")),
    "wrong_store": Kind("answers for another store than the chosen one", (), ("home", "tree", "listing", "search", "detail", "barcodes")),
    "new_build": Kind(
        "Coles deploys: the build id changes and the old one answers 404; once, unless said otherwise", (), ("data",), "coles"
    ),
}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault; see the module's docstring for what the fields mean."""

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
    """Return the fault if it makes sense.

    Raises:
        ConfigurationError: an unknown kind or retailer, an option this kind does not have, a number out of range.
    """
    kind = KINDS.get(fault.kind)
    if kind is None:
        raise ConfigurationError(f"there is no fault {fault.kind!r}; known: {', '.join(KINDS)}.")
    if fault.retailer is not None and fault.retailer not in RETAILERS:
        raise ConfigurationError(f"there is no retailer {fault.retailer!r}; known: {', '.join(RETAILERS)}.")
    given = set(msgspec.to_builtins(fault)) - set(_CHOICE)
    if wrong := sorted(given - set(kind.options)):
        raise ConfigurationError(f"the fault {fault.kind!r} has no option {', '.join(wrong)}; it has: {', '.join(kind.options) or 'none'}.")
    if fault.kind == "renamed_field" and not fault.field:
        raise ConfigurationError("renamed_field needs the name of the field: field=….")
    if not (0 < fault.share <= 1 and 0 < fault.rows <= 1 and 0 <= (fault.part or 0) <= 1):
        raise ConfigurationError("share, rows and part are parts of 1.")
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
        ConfigurationError: it is none.
    """
    try:
        found = msgspec.convert(dict(values), Fault)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"this is no fault: {error}. See docs/sandbox.md for the kinds and their options.") from error
    return check(found)
