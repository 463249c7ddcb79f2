"""The HTTP client for all sites.

An identifying User-Agent, a pause between requests, timeouts, bounded responses, ``Retry-After`` respected,
exponential backoff with full jitter, and a stop after repeated failures. No evasion of bot walls: a refusal
is recognised by its content and left to an operator. No request leaves this machine unless
``AISLEFLOW_ALLOW_LIVE`` is set. A redirect inside the site is one more request, with its pause, its place in the
budget and its look into robots.txt; one that leaves the site is not followed, so no header or cookie crosses a host.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.limiter import InProcessRequestLimiter, RequestLimiter, min_interval_seconds
from include.crawling.responses import read_response
from include.crawling.robots import ROBOTS_BYTES_MAX, RobotsFile, RobotsRules, obeys_robots
from include.crawling.transport import SiteSession, check_allowed, is_this_machine, read_body, redirect_target
from include.retailers.base import Page, Retailer
from include.retailers.bounds import REDIRECT_BYTES_MAX, REDIRECTS_MAX
from include.retailers.errors import Blocked, RedirectRefused, SiteError, SiteUnavailable
from include.staging.landing import PageResponse, subset

log = logging.getLogger(__name__)


def base_url_of(retailer: Retailer, settings: Settings) -> str:
    """Return the base URL of a retailer's routes, without a trailing slash."""
    return (settings.site_url(retailer.name) or retailer.base_url).rstrip("/")


class PoliteClient:
    """Requests pages of one retailer's site. May be shared between threads: a store has up to ``AISLEFLOW_CONNECTIONS_PER_STORE``."""

    def __init__(
        self,
        retailer: Retailer,
        settings: Settings,
        *,
        limiter: RequestLimiter | None = None,
        requests_max: int | None = None,
        on_first_response: Callable[[], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare the client; no request is sent yet.

        Args:
            limiter: shared by all clients of this site; without it only this client's requests are limited.
            requests_max: requests of this client; without it those of a night (``AISLEFLOW_NIGHTLY_REQUESTS``).
            on_first_response: called once, after the first valid response.
            sleep: waits for a number of seconds.
        """
        self.retailer, self.base_url, self._settings, self._sleep = retailer, base_url_of(retailer, settings), settings, sleep
        check_allowed(self.base_url, settings)
        self._limiter = limiter or InProcessRequestLimiter(settings.requests_in_flight, sleep)
        self.requests, self._requests_max = 0, requests_max or settings.nightly_requests
        self._consecutive_failures = 0
        self._retries = 0
        self._refused: Blocked | None = None
        self._on_first_response = on_first_response
        self._robots: RobotsRules | None = None
        self._lock = threading.RLock()
        self._connections = threading.BoundedSemaphore(settings.connections_per_store)
        self._is_local = is_this_machine(self.base_url)
        self._http = SiteSession(settings)
        self._http.trust_env = not self._is_local

    @classmethod
    def of_run(cls, run: CrawlRun, on_first_response: Callable[[], None] | None = None) -> PoliteClient:
        """Return the client of one crawl."""
        limit = run.settings.store_requests_max
        client = cls(run.retailer, run.settings, limiter=run.limiter, requests_max=limit, on_first_response=on_first_response)
        if run.session:
            client.use_session(run.session.headers)
        return client

    def use_session(self, headers: Mapping[str, str]) -> None:
        """Send an operator's browser session (``Cookie``, ``User-Agent``) with every request, for a site with a bot wall; never landed."""
        for name, value in headers.items():
            if name.lower() == "cookie":  # into the jar: as a header it would override the cookies that choose the store
                self._set_cookies(dict(pair.strip().split("=", 1) for pair in value.split(";") if "=" in pair))
            else:
                self._http.headers[name] = value

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
            RobotsDisallowed: its robots.txt forbids the page or the target of a redirect. UnexpectedStatus: another 4xx.
            RedirectRefused: it redirects to another host, or more than three times.
            SiteError: no valid response in all attempts. SiteUnavailable: the same for several requests in a row, a budget of
            requests or retries is used up, or the site's certificate is not valid.
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
            retry=retry_if_exception(lambda error: isinstance(error, SiteError) and not isinstance(error, SiteUnavailable)),
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
        url = self.base_url + _filled(page.path, values)
        accept = "application/json" if page.accept == "json" else "text/html,application/xhtml+xml,*/*;q=0.5"
        headers = {"Accept": accept} | {name: _filled(value, values) for name, value in page.headers.items()}
        return self._follow(page, url, headers, self._robots_rules())

    def _follow(self, page: Page, url: str, headers: Mapping[str, str], rules: RobotsRules | None) -> PageResponse:
        """Send a request, and one more for each redirect; every one is paced, counted and checked."""
        for _ in range(REDIRECTS_MAX + 1):
            if rules is not None:
                rules.check(requests.Request(page.method, url, params=dict(page.params)).prepare().url or url)
            gap = max(min_interval_seconds(self._settings, self._is_local), rules.delay_seconds if rules else 0)
            response = self._send(page, url, headers, gap)
            if isinstance(response, PageResponse):
                return response
            status, url = response
            page = replace(page, params={}) if status in (307, 308) else replace(page, method="GET", params={}, json=None)
        raise RedirectRefused(
            f"{self.retailer.name}: more than {REDIRECTS_MAX} redirects in a row, the last to {url[:200]!r}. Open the page in a browser; if it loads "
            f"there, adapt its route in include/retailers/{self.retailer.name}.py, otherwise wait until the site is mended."
        )

    def _robots_rules(self) -> RobotsRules | None:
        if not obeys_robots(self._settings.robots, self._is_local):
            return None
        with self._lock:
            if self._robots is None:
                self._robots = RobotsRules(
                    self.retailer.name,
                    self._limiter.robots(self._fetch_robots_file),
                    self._settings.user_agent,
                    self._settings.retry_after_seconds_max,
                )
            return self._robots

    def _fetch_robots_file(self) -> RobotsFile:
        parts = urlsplit(self.base_url)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        response = self._follow(Page(path="/robots.txt", accept="text"), address, {"Accept": "text/plain"}, None)
        return RobotsFile(address, response.status, response.body[:ROBOTS_BYTES_MAX].decode(errors="replace").replace("\0", ""))

    def _send(self, page: Page, url: str, headers: Mapping[str, str], gap: float) -> PageResponse | tuple[int, str]:
        """Send one request; return the response, or the status and the target of a redirect."""
        timeouts = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        with self._connections, self._limiter.acquire(gap):
            started = time.monotonic()
            with self._lock:  # cookies and request together: another thread's are not mixed in
                if self.requests >= self._requests_max:
                    raise SiteUnavailable(
                        f"{self.retailer.name}: {self.requests} requests were sent, as many as AISLEFLOW_STORE_REQUESTS_MAX or AISLEFLOW_NIGHTLY_REQUESTS "
                        "allow here. Look at the landed pages for a list that never ends; raise the setting if the store really has that many."
                    )
                self.requests += 1
                self._set_cookies(page.cookies)
                request = requests.Request(page.method, url, params=dict(page.params), json=page.json, headers=dict(headers))
                prepared = self._http.prepare_request(request)
                network = self._http.merge_environment_settings(prepared.url, {}, True, None, None)
            try:
                with self._http.send(prepared, timeout=timeouts, **network) as response:
                    if (target := redirect_target(response, self.base_url)) is not None:
                        self._drain(response)
                        return response.status_code, target
                    body = read_body(response, self._settings.response_bytes_max)
                    return PageResponse(
                        method=page.method, url=url, params=dict(page.params), json=page.json,
                        status=response.status_code, headers=subset(response.headers), elapsed_seconds=round(time.monotonic() - started, 3),
                        observed_at=clock.now(), body=body,
                    )  # fmt: skip
            except requests.exceptions.SSLError as error:
                raise SiteUnavailable(
                    f"{self.retailer.name}: no trusted connection to {url} ({str(error)[:300]}). Its certificate is expired, for another host, or of an unknown "
                    "authority; nothing was sent. Open the address in a browser: retry when it is mended, and look at this machine's clock and network."
                ) from error
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                if time.monotonic() - started >= self._settings.response_seconds_max:
                    limit = f"AISLEFLOW_RESPONSE_SECONDS_MAX={self._settings.response_seconds_max:g}"
                    raise SiteError(f"{self.retailer.name}: the response of {url} took longer than {limit}.") from error
                raise SiteError(
                    f"{self.retailer.name}: no complete response from {url} ({type(error).__name__}: {str(error)[:300]})."
                ) from error

    @staticmethod
    def _drain(response: requests.Response) -> None:
        """Read the body of a redirect so that its connection can be used again; a long or damaged one is closed with the response."""
        with suppress(SiteError, urllib3.exceptions.HTTPError):
            read_body(response, REDIRECT_BYTES_MAX)

    def _set_cookies(self, cookies: Mapping[str, str]) -> None:
        jar = self._http.cookies
        for known in [cookie for cookie in jar if cookie.name in cookies]:  # the site's own default would be sent in addition
            jar.clear(known.domain, known.path, known.name)
        # An empty domain matches every host, which loopback names need; the live session is limited to its site.
        domain = "" if self._is_local else urlsplit(self.base_url).hostname or ""
        for name, value in cookies.items():
            jar.set(name, value, domain=domain)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Return a page's text with its session values; other braces, which come from the site, stay as they are."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
