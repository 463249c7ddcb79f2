"""A site's robots.txt, by RFC 9309: groups by agent, ``*`` and ``$`` in paths, the longest rule decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from protego import Protego

from include.retailers.errors import RobotsDisallowed, SiteError

#: RFC 9309: at least 500 kB of a robots.txt have to be read.
ROBOTS_BYTES_MAX = 500_000


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """The response to ``/robots.txt``."""

    address: str
    status: int
    body: str

    @property
    def is_unavailable(self) -> bool:
        """Whether the file is unavailable (5xx, 429): RFC 9309 then allows nothing, and it is requested again later."""
        return self.status >= 500 or self.status == 429


class RobotsRules:
    """The rules of a site's robots.txt.

    Raises:
        SiteError: the file is unavailable, so nothing is allowed for now.
        RobotsDisallowed: it requires a pause longer than ``delay_seconds_max``.
    """

    def __init__(self, retailer: str, file: RobotsFile, user_agent: str, delay_seconds_max: float = 300) -> None:
        if file.is_unavailable:
            raise SiteError(
                f"{retailer}: status {file.status} at {file.address}: a site is not crawled while its robots.txt is unavailable."
            )
        self._retailer, self._file, self._user_agent = retailer, file, user_agent
        # an HTML page in place of the file, or no file, contains no rule (RFC 9309); 401 and 403 are treated as a refusal
        is_file = file.status < 400 and not file.body.lstrip().startswith("<")
        self._rules = Protego.parse(file.body if is_file else "User-agent: *\nDisallow: /" if file.status in (401, 403) else "")

        #: The pause that the file requires (``Crawl-delay``).
        self.delay_seconds = float(self._rules.crawl_delay(self._user_agent) or 0)
        if self.delay_seconds > delay_seconds_max:
            raise RobotsDisallowed(
                f"{retailer}: {file.address} requires {self.delay_seconds:g} s between two requests, more than {delay_seconds_max:g} s "
                "(AISLEFLOW_RETRY_AFTER_SECONDS_MAX): no store could be crawled. Ask the site's owner, or raise the setting."
            )

    def check(self, url: str) -> None:
        """Refuse a URL, query included, that the file forbids.

        Raises:
            RobotsDisallowed: the file forbids it.
        """
        if not self._rules.can_fetch(url, self._user_agent):
            parts = urlsplit(url)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            raise RobotsDisallowed(
                f"{self._retailer}: {self._file.address} forbids {path} to this crawler (status {self._file.status}). No request is sent. "
                "Ask the site's owner, or set AISLEFLOW_ROBOTS=never on your own responsibility (docs/crawling-policy.md)."
            )


def obeys_robots(setting: Literal["live", "always", "never"], is_local: bool) -> bool:
    """Whether a site's robots.txt is requested and obeyed.

    >>> obeys_robots("live", is_local=True), obeys_robots("live", is_local=False), obeys_robots("always", is_local=True)
    (False, True, True)
    """
    return setting == "always" or (setting == "live" and not is_local)
