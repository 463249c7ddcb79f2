"""What an answer is, by its content first: a page, a refusal, or trouble that may pass."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

from include.retailers.base import Page
from include.retailers.errors import Blocked, SiteError, UnexpectedStatus
from include.retailers.fields import parse
from include.staging.landing import PageResponse

#: Signs of a bot wall, met in recorded refusals of the four sites.
_WALL_PATTERNS = {
    "Incapsula page": re.compile(rb"_Incapsula_Resource|Incapsula incident|Pardon Our Interruption", re.I),
    "Access Denied page": re.compile(rb"<title>\s*Access Denied|errors(\.|&#46;)edgesuite(\.|&#46;)net", re.I),
}


def read_response(retailer: str, page: Page, answer: PageResponse) -> Any:
    """Return the content of a good answer; say what is wrong with any other, by content first.

    Raises:
        Blocked: a bot wall, whatever the status. SiteError: 429, 5xx, or no JSON where JSON was asked for.
        UnexpectedStatus: another 4xx.
    """
    wall_name = next((name for name, pattern in _WALL_PATTERNS.items() if pattern.search(answer.body[:20_000])), None)
    if wall_name:
        raise Blocked(retailer, f"{wall_name}, status {answer.status}", answer.url)
    if answer.status in (408, 429) or answer.status >= 500:
        raise SiteError(f"{retailer}: status {answer.status} at {answer.url}.", _retry_after(answer))
    is_html = answer.body.lstrip()[:1] == b"<"
    if page.accept == "json" and is_html and answer.status in (200, 403):
        raise Blocked(retailer, f"HTML where JSON was asked for, status {answer.status}", answer.url)
    if page.accept == "text" and is_html and answer.status == 403:
        raise Blocked(retailer, "a page that forbids itself, status 403", answer.url)
    if answer.status >= 400:
        raise UnexpectedStatus(retailer, answer.status, answer.url, answer.body[:200].decode(errors="replace"))
    if page.accept == "text":
        return answer.body.decode(errors="replace")
    try:
        return parse(answer.body)
    except (ValueError, RecursionError) as error:
        raise SiteError(f"{retailer}: {len(answer.body)} bytes at {answer.url} are no JSON ({error}).") from error


def _retry_after(answer: PageResponse) -> float | None:
    """Read Retry-After: seconds, or an HTTP date."""
    retry_after = answer.headers.get("retry-after")
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - answer.observed_at).total_seconds())
    except (TypeError, ValueError):
        return None
