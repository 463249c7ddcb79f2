"""The errors of requests to a retailer's site, each with the next step."""

from __future__ import annotations

from collections.abc import Iterable

from include.errors import NeedsPersonError, TerminalError, TransientError

_LOOK = "Open it in a browser; when it answers again, clear the red task."
#: Length of a message's part that quotes a page.
_PROBLEM_MAX = 2_000


class ShapeChanged(TerminalError):
    """A page does not have the shape that its adapter reads."""

    def __init__(self, retailer: str, problem: str, url: str) -> None:
        super().__init__(
            f"{retailer}: {problem[:_PROBLEM_MAX]} at {url}. "
            f"Add a page of the new shape under tests/payloads/{retailer}/ and adapt include/retailers/{retailer}.py"
        )


class MissingField(KeyError):
    """A required key is missing in an object; converted by :func:`include.retailers.fields.reading`, which adds retailer and URL."""

    def __init__(self, field: str, found: Iterable[str]) -> None:
        super().__init__(field)
        self.field, self.found = field, sorted(found)


class UnexpectedType(TypeError):
    """A required value has a type that the adapter cannot read; converted like :class:`MissingField`."""


class Blocked(NeedsPersonError):
    """The site refuses automatic requests (bot wall). No retry, no evasion: an operator stores a session, or the store waits."""

    def __init__(self, retailer: str, wall_name: str, url: str) -> None:
        super().__init__(
            f"{retailer}: the site refuses automatic requests ({wall_name}) at {url}. "
            "No evasion is attempted: open the site in a browser, complete its check, store your session with "
            f"`aisleflow session set {retailer}` or wait, and clear the store's task; landed pages are kept."
        )


class RunAlreadyBlocked(Blocked):
    """The site refused other stores of this run, so this one was not crawled. It keeps its progress like a refused one."""

    def __init__(self, message: str) -> None:
        NeedsPersonError.__init__(self, message)


class RobotsDisallowed(TerminalError):
    """The site's robots.txt forbids a URL."""


class WrongStore(TerminalError):
    """The page is for another store than the requested one: its prices must not be written under this store."""


class RedirectRefused(TerminalError):
    """The site redirects to another host, or too often; nothing of such a page is used."""


class LiveRequestsDisabled(TerminalError):
    """A request would leave this machine although ``AISLEFLOW_ALLOW_LIVE`` is not set."""


class SiteError(TransientError):
    """The site gave no valid response: timeout, 429, 5xx, a truncated body or a body that is not JSON."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{message} {_LOOK}" if type(self) is SiteError else message)  # the others say what is next
        self.retry_after_seconds = retry_after_seconds


class SiteUnavailable(SiteError):
    """Several requests in a row failed in all attempts: no further request is sent for the store for now."""


class PageNotRequested(SiteUnavailable):
    """A page that was not requested, because the site became unavailable before."""


class BreakerOpen(TransientError):
    """The site was unavailable at several stores of this run: requests are paused, this store was not crawled."""


class UnexpectedStatus(TerminalError):
    """A status that a retry will not change: 4xx, or a 3xx that names no target."""

    def __init__(self, retailer: str, status: int, url: str, excerpt: str) -> None:
        super().__init__(
            f"{retailer}: status {status} at {url}: {excerpt!r}. "
            f"Look at the landed response, and adapt include/retailers/{retailer}.py if the route has changed."
        )
        self.status = status


class ErrorResponse(TerminalError):
    """A response with a success status that reports an error in its body (Aldi, GraphQL)."""


class NotLanded(TerminalError):
    """A page to be read from landing was never landed."""


class EmptyCrawl(TerminalError):
    """A crawl found no offer, for permanent reasons."""


class RetryableIncompleteCrawl(TransientError):
    """A store was crawled in part; the offers are staged, and a retry requests only the missing pages."""


class RetryableEmptyCrawl(TransientError):
    """A crawl found no offer, because the site was unavailable."""
