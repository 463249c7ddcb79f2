"""What can go wrong between us and a retailer's site, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from include.errors import NeedsPersonError, TerminalError, TransientError


class ShapeChanged(TerminalError):
    """A page no longer has the shape its adapter reads."""

    def __init__(self, retailer: str, problem: str, url: str) -> None:
        super().__init__(
            f"{retailer}: {problem} at {url}. "
            f"Add a page of the new shape under tests/payloads/{retailer}/ and adapt include/retailers/{retailer}.py"
        )


class MissingField(KeyError):
    """A required key is not in an object; caught by the reading border, which knows retailer and address."""

    def __init__(self, field: str, found: Iterable[str]) -> None:
        super().__init__(field)
        self.field, self.found = field, sorted(found)


class UnexpectedType(TypeError):
    """A required value is there, but of a type the adapter cannot read; caught like :class:`MissingField`."""


class Blocked(NeedsPersonError):
    """The site refuses us (bot wall). No retry, no evasion: a person opens a session, or the store waits."""

    def __init__(self, retailer: str, wall_name: str, url: str) -> None:
        super().__init__(
            f"{retailer}: the site refuses automatic requests ({wall_name}) at {url}. "
            "Nothing is evaded: open the site in a browser to see what it asks, put your session with "
            f"`aisleflow session set {retailer}` or wait, and clear the store's task; landed pages are kept."
        )


class RunAlreadyBlocked(Blocked):
    """The site refused other stores of this run, so this one was not asked for. It keeps its place like a refused one."""

    def __init__(self, message: str) -> None:
        NeedsPersonError.__init__(self, message)


class RobotsDisallowed(TerminalError):
    """The site's robots.txt forbids an address."""


class WrongStore(TerminalError):
    """The page shows another store than the one asked for: its prices must not be written under this one."""


class LiveRequestsDisabled(TerminalError):
    """A request would leave this machine although ``AISLEFLOW_ALLOW_LIVE`` is not set."""


class SiteError(TransientError):
    """The site did not answer properly: timeout, 429, 5xx, a body cut short or no JSON."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SiteUnavailable(SiteError):
    """Several requests in a row failed although each was tried again: the store is left alone for now."""


class PageNotRequested(SiteUnavailable):
    """A page that was not asked for any more, because the site gave out before."""


class BreakerOpen(TransientError):
    """The site gave out at several stores of this run: it rests, this store was not asked for."""


class UnexpectedStatus(TerminalError):
    """A client error (4xx) that trying again will not change."""

    def __init__(self, retailer: str, status: int, url: str, excerpt: str) -> None:
        super().__init__(
            f"{retailer}: status {status} at {url}: {excerpt!r}. "
            f"Look at the landed answer, and adapt include/retailers/{retailer}.py if the route has changed."
        )
        self.status = status


class ErrorResponse(TerminalError):
    """An answer with a good status that says in its body that the request was wrong (Aldi, GraphQL)."""


class NotLanded(TerminalError):
    """A page was to be read from landing, but it was never landed."""


class EmptyCrawl(TerminalError):
    """A crawl ended without a single offer, for reasons that will be the same next time."""


class RetryableIncompleteCrawl(TransientError):
    """A store was crawled in part, and a retry asks only for what is missing. What there is, is staged."""


class RetryableEmptyCrawl(TransientError):
    """A crawl ended without a single offer, because the site gave out."""
