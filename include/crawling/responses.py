"""Classifies a response, by its content first: a page, a refusal, or a transient error."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

from include.retailers.base import Page
from include.retailers.bounds import parse
from include.retailers.errors import Blocked, SiteError, UnexpectedStatus
from include.staging.landing import PageResponse

#: Patterns of a bot wall, from recorded refusals of the four sites.
_WALL_PATTERNS = {
    "Incapsula page": re.compile(rb"_Incapsula_Resource|Incapsula incident|Pardon Our Interruption", re.I),
    "Access Denied page": re.compile(rb"<title>\s*Access Denied|errors(\.|&#46;)edgesuite(\.|&#46;)net", re.I),
}


def read_response(retailer: str, page: Page, response: PageResponse) -> Any:
    """Return the content of a valid response; raise for any other.

    Raises:
        Blocked: a bot wall, regardless of the status. SiteError: 429, 5xx, or a body that is not JSON where JSON was requested.
        UnexpectedStatus: another 4xx, or a 3xx without a target.
    """
    wall_name = next((name for name, pattern in _WALL_PATTERNS.items() if pattern.search(response.body[:20_000])), None)
    if wall_name:
        raise Blocked(retailer, f"{wall_name}, status {response.status}", response.url)
    if response.status in (408, 429) or response.status >= 500:
        raise SiteError(f"{retailer}: status {response.status} at {response.url}.", _retry_after(response))
    is_html = response.body.lstrip()[:1] == b"<"
    if page.accept == "json" and is_html and response.status in (200, 403):
        raise Blocked(retailer, f"HTML where JSON was requested, status {response.status}", response.url)
    if page.accept == "text" and is_html and response.status == 403:
        raise Blocked(retailer, "an HTML page with status 403", response.url)
    if response.status >= 300:
        raise UnexpectedStatus(retailer, response.status, response.url, response.body[:200].decode(errors="replace"))
    if page.accept == "text":
        return response.body.decode(errors="replace")
    try:
        return parse(response.body)
    except ValueError as error:
        raise SiteError(f"{retailer}: {len(response.body)} bytes at {response.url} are not JSON ({error}).") from error


def _retry_after(response: PageResponse) -> float | None:
    """Read Retry-After: seconds, or an HTTP date."""
    retry_after = response.headers.get("retry-after")
    if retry_after is None:
        return None
    if (seconds := retry_after.strip()).isascii() and seconds.isdigit():
        return float(seconds)  # a number of any length ends as infinity
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - response.observed_at).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
