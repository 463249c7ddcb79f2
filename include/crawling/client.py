"""The HTTP client for all sites.

An identifying User-Agent, a pause between requests, timeouts, bounded responses, ``Retry-After`` respected,
exponential backoff with full jitter, and a stop after repeated failures. No evasion of bot walls: a refusal
is recognised by its content and left to an operator. No request leaves this machine unless
``AISLEFLOW_ALLOW_LIVE`` is set; this applies to redirects too.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.limiter import InProcessRequestLimiter, RequestLimiter, min_interval_seconds
from include.crawling.responses import read_response
from include.crawling.robots import ROBOTS_BYTES_MAX, RobotsFile, RobotsRules, obeys_robots
from include.retailers.base import Page, Retailer
from include.retailers.errors import Blocked, LiveRequestsDisabled, SiteError, SiteUnavailable
from include.staging.landing import PageResponse, subset

log = logging.getLogger(__name__)

_CHUNK = 1 << 16


def base_url_of(retailer: Retailer, settings: Settings) -> str:
    """Return the base URL of a retailer's routes, without a trailing slash."""
    return (settings.site_url(retailer.name) or retailer.base_url).rstrip("/")


def is_this_machine(url: str) -> bool:
    """Return whether a URL's host is a loopback address.

    >>> is_this_machine("http://127.0.0.1:8800/coles"), is_this_machine("https://127.0.0.1.example.com/")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_allowed(url: str, settings: Settings) -> None:
    """Refuse a URL outside this machine unless live requests are allowed.

    Raises:
        LiveRequestsDisabled: they are not allowed.
    """
    if not settings.allow_live and not is_this_machine(url):
        raise LiveRequestsDisabled(
            f"no request to {urlsplit(url).hostname}: live requests are off. Set AISLEFLOW_ALLOW_LIVE=true to crawl the real site, "
            "or point AISLEFLOW_<RETAILER>_URL at the sandbox (`aisleflow sandbox serve`)."
        )


class _LiveHostGuard(HTTPAdapter):
    """Checks each hop, redirects included."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        check_allowed(request.url or "", self._settings)
        return super().send(request, *args, **kwargs)


class PoliteClient:
    """Requests pages of one retailer's site. May be shared between threads: a store has up to ``AISLEFLOW_CONNECTIONS_PER_STORE``."""

    def __init__(
        self,
        retailer: Retailer,
        settings: Settings,
        *,
        limiter: RequestLimiter | None = None,
        session_headers: Mapping[str, str] | None = None,
        on_first_response: Callable[[], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare the client; no request is sent yet.

        Args:
            limiter: shared by all clients of this site; without it only this client's requests are limited.
            session_headers: an operator's browser session (``Cookie``, ``User-Agent``) for a site with a bot wall; never landed.
            on_first_response: called once, after the first valid response.
            sleep: waits for a number of seconds.
        """
        self.retailer, self.base_url, self._settings, self._sleep = retailer, base_url_of(retailer, settings), settings, sleep
        check_allowed(self.base_url, settings)
        self._limiter = limiter or InProcessRequestLimiter(settings.requests_in_flight, sleep)
        self.requests = 0
        self._consecutive_failures = 0
        self._retries = 0
        self._refused: Blocked | None = None
        self._on_first_response = on_first_response
        self._robots: RobotsRules | None = None
        self._lock = threading.RLock()
        self._connections = threading.BoundedSemaphore(settings.connections_per_store)
        self._is_local = is_this_machine(self.base_url)
        self._http = requests.Session()
        self._http.trust_env = not self._is_local
        guard = _LiveHostGuard(settings)
        self._http.mount("http://", guard)
        self._http.mount("https://", guard)
        self._http.headers.update({"User-Agent": settings.user_agent, "Accept-Language": "en-AU,en"})
        for name, value in (session_headers or {}).items():
            if name.lower() == "cookie":  # into the jar: as a header it would override the cookies that choose the store
                self._set_cookies(dict(pair.strip().split("=", 1) for pair in value.split(";") if "=" in pair))
            else:
                self._http.headers[name] = value

    @classmethod
    def of_run(cls, run: CrawlRun, on_first_response: Callable[[], None] | None = None) -> PoliteClient:
        """Return the client of one crawl."""
        headers = run.session.headers if run.session else None
        return cls(run.retailer, run.settings, limiter=run.limiter, session_headers=headers, on_first_response=on_first_response)

    def __enter__(self) -> PoliteClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections, and release the limiter."""
        self._http.close()
        self._limiter.close()

    def fetch(
        self, page: Page, values: Mapping[str, str] | None = None, on_response: Callable[[PageResponse], None] | None = None
    ) -> tuple[PageResponse, Any]:
        """Request a page until there is a valid response.

        Args:
            page: the request.
            values: session values for the names in the page's path and headers.
            on_response: called with every complete response before it is checked or read.

        Returns:
            The response and its content: parsed JSON, or text where the page accepts HTML.

        Raises:
            Blocked: the site refuses; from then on this is raised for every page without a request.
            RobotsDisallowed: its robots.txt forbids the page. UnexpectedStatus: another 4xx.
            SiteError: no valid response in all attempts. SiteUnavailable: the same for several requests in a row, or the store's
            retry budget is used up.
        """

        def once() -> tuple[PageResponse, Any]:
            if self._refused is not None:
                raise self._refused
            response = self._request_page(page, values or {})
            if on_response is not None:
                on_response(response)
            try:
                return response, read_response(self.retailer.name, page, response)
            except Blocked as error:
                self._refused = error  # other connections of this store stop too
                raise

        retrying = Retrying(
            retry=retry_if_exception_type(SiteError),
            stop=stop_after_attempt(self._settings.request_attempts),
            wait=self._retry_wait_seconds,
            before_sleep=lambda state: log.info("%s: %s; the request is repeated", self.retailer.name, _failure(state)),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result = retrying(once)
        except SiteUnavailable:
            raise
        except SiteError as error:
            with self._lock:
                self._consecutive_failures += 1
                failed = self._consecutive_failures
            if failed >= self._settings.max_failed_requests_in_a_row:
                raise SiteUnavailable(
                    f"{self.retailer.name}: {failed} requests in a row failed, the last: {error} "
                    "The store's crawl ends; retry later, it continues from its landed pages."
                ) from error
            raise
        with self._lock:
            self._consecutive_failures = 0
            callback, self._on_first_response = self._on_first_response, None
        if callback is not None:
            callback()
        return result

    def _retry_wait_seconds(self, state: RetryCallState) -> float:
        error = _failure(state)
        requested_wait_seconds = error.retry_after_seconds if isinstance(error, SiteError) else None
        if requested_wait_seconds is not None and requested_wait_seconds > self._settings.retry_after_seconds_max:
            raise SiteUnavailable(
                f"{error} It requires a wait of {requested_wait_seconds:g} s, longer than AISLEFLOW_RETRY_AFTER_SECONDS_MAX="
                f"{self._settings.retry_after_seconds_max:g}: the store's crawl ends; retry later."
            ) from error
        if requested_wait_seconds is not None:
            self._limiter.pause(requested_wait_seconds)  # all clients wait, including the next attempt
        if state.attempt_number >= self._settings.request_attempts:  # called before the decision to stop
            return 0
        with self._lock:
            self._retries += 1
            is_exhausted = self._retries > self._settings.retry_budget
        if is_exhausted:
            raise SiteUnavailable(
                f"{error} The store's AISLEFLOW_RETRY_BUDGET={self._settings.retry_budget} repeated requests are used up: its crawl ends; retry later."
            ) from error
        return 0 if requested_wait_seconds is not None else wait_random_exponential(max=self._settings.backoff_seconds_max)(state)

    def _request_page(self, page: Page, values: Mapping[str, str]) -> PageResponse:
        url = self.base_url + page.path.format_map(values)
        accept = "application/json" if page.accept == "json" else "text/html,application/xhtml+xml,*/*;q=0.5"
        headers = {"Accept": accept} | {name: value.format_map(values) for name, value in page.headers.items()}
        rules = self._robots_rules()
        if rules is not None:
            rules.check(requests.Request(page.method, url, params=dict(page.params)).prepare().url or url)
        gap = max(min_interval_seconds(self._settings, self._is_local), rules.delay_seconds if rules else 0)
        return self._send(page, url, headers, gap)

    def _robots_rules(self) -> RobotsRules | None:
        if not obeys_robots(self._settings.robots, self._is_local):
            return None
        with self._lock:
            if self._robots is None:
                self._robots = RobotsRules(self.retailer.name, self._limiter.robots(self._fetch_robots_file), self._settings.user_agent)
            return self._robots

    def _fetch_robots_file(self) -> RobotsFile:
        parts = urlsplit(self.base_url)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        response = self._send(
            Page(path="/robots.txt", accept="text"), address, {"Accept": "text/plain"}, min_interval_seconds(self._settings, self._is_local)
        )
        return RobotsFile(address, response.status, response.body[:ROBOTS_BYTES_MAX].decode(errors="replace").replace("\0", ""))

    def _send(self, page: Page, url: str, headers: Mapping[str, str], gap: float) -> PageResponse:
        timeouts = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        with self._connections, self._limiter.acquire(gap):
            started = time.monotonic()
            with self._lock:  # cookies and request together: another thread's are not mixed in
                self.requests += 1
                self._set_cookies(page.cookies)
                request = requests.Request(page.method, url, params=dict(page.params), json=page.json, headers=dict(headers))
                prepared = self._http.prepare_request(request)
                network = self._http.merge_environment_settings(prepared.url, {}, True, None, None)
            try:
                with self._http.send(prepared, timeout=timeouts, **network) as response:
                    body = self._body(response, started)
                    return PageResponse(
                        method=page.method, url=url, params=dict(page.params), json=page.json,
                        status=response.status_code, headers=subset(response.headers), elapsed_seconds=round(time.monotonic() - started, 3),
                        observed_at=clock.now(), body=body,
                    )  # fmt: skip
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise SiteError(f"{self.retailer.name}: no complete response from {url} ({type(error).__name__}: {error}).") from error

    def _set_cookies(self, cookies: Mapping[str, str]) -> None:
        jar = self._http.cookies
        for known in [cookie for cookie in jar if cookie.name in cookies]:  # the site's own default would be sent in addition
            jar.clear(known.domain, known.path, known.name)
        # An empty domain matches every host, which loopback names need; the live session is limited to its site.
        domain = "" if self._is_local else urlsplit(self.base_url).hostname or ""
        for name, value in cookies.items():
            jar.set(name, value, domain=domain)

    def _body(self, response: requests.Response, started: float) -> bytes:
        """Read a body in chunks as they arrive, so that a slow response is abandoned in time."""
        received, response_of = bytearray(), f"{self.retailer.name}: the response of {response.url}"
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            received += chunk
            if len(received) > self._settings.response_bytes_max:
                raise SiteError(f"{response_of} is larger than AISLEFLOW_RESPONSE_BYTES_MAX={self._settings.response_bytes_max}.")
            if time.monotonic() - started > self._settings.response_seconds_max:
                raise SiteError(f"{response_of} took longer than AISLEFLOW_RESPONSE_SECONDS_MAX={self._settings.response_seconds_max:g}.")
        return bytes(received)


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
