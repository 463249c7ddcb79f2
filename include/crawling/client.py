"""One polite client for all four sites.

An honest User-Agent, a pause between requests, timeouts, bounded answers, ``Retry-After`` respected,
exponential backoff with full jitter, and a stop after repeated failures. No evasion of bot walls: a refusal
is recognised by its content and goes to a person. No request leaves this machine unless
``AISLEFLOW_ALLOW_LIVE`` is set; that holds for redirects too.
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
from include.crawling.judge import judge
from include.crawling.limiter import ROBOTS_BYTES_MAX, Manners, OwnManners, RobotsFile, RobotsRule, gap_seconds, obeys_robots
from include.retailers.base import Page, Retailer
from include.retailers.errors import Blocked, LiveRequestRefused, SiteGaveOut, SiteTrouble
from include.staging.landing import Answer, subset

log = logging.getLogger(__name__)

_CHUNK = 1 << 16


def base_url_of(retailer: Retailer, settings: Settings) -> str:
    """Return the address all of a retailer's routes hang under, without a trailing slash."""
    return (settings.site_url(retailer.name) or retailer.base_url).rstrip("/")


def is_this_machine(url: str) -> bool:
    """Say whether a URL's host is a loopback address.

    >>> is_this_machine("http://127.0.0.1:8800/coles"), is_this_machine("https://127.0.0.1.example.com/")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_allowed(url: str, settings: Settings) -> None:
    """Refuse an address beyond this machine unless live requests are allowed.

    Raises:
        LiveRequestRefused: it is not.
    """
    if not settings.allow_live and not is_this_machine(url):
        raise LiveRequestRefused(
            f"no request to {urlsplit(url).hostname}: live requests are off. Set AISLEFLOW_ALLOW_LIVE=true to crawl the real site, "
            "or point AISLEFLOW_<RETAILER>_URL at the sandbox (`aisleflow sandbox serve`)."
        )


class _Guard(HTTPAdapter):
    """Checks each hop, redirects included."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        check_allowed(request.url or "", self._settings)
        return super().send(request, *args, **kwargs)


class PoliteClient:
    """Asks one retailer's site for pages. May be shared between threads: a store has up to ``AISLEFLOW_CONNECTIONS_PER_STORE``."""

    def __init__(
        self,
        retailer: Retailer,
        settings: Settings,
        *,
        manners: Manners | None = None,
        session_headers: Mapping[str, str] | None = None,
        on_first_answer: Callable[[], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare the client; nothing is asked for yet.

        Args:
            manners: what is shared with everybody who asks this site; without it they are kept among this client's requests alone.
            session_headers: a person's browser session (``Cookie``, ``User-Agent``) for a walled site; never landed.
            on_first_answer: called once, when the site has given a good answer.
            sleep: how to wait.
        """
        self.retailer, self.base_url, self._settings, self._sleep = retailer, base_url_of(retailer, settings), settings, sleep
        check_allowed(self.base_url, settings)
        self._manners = manners or OwnManners(settings.requests_in_flight, sleep)
        self.requests = 0
        self._failed_in_a_row = 0
        self._retries = 0
        self._refused: Blocked | None = None
        self._on_first_answer = on_first_answer
        self._robots: RobotsRule | None = None
        self._lock = threading.RLock()
        self._connections = threading.BoundedSemaphore(settings.connections_per_store)
        self._is_local = is_this_machine(self.base_url)
        self._http = requests.Session()
        self._http.trust_env = not self._is_local
        guard = _Guard(settings)
        self._http.mount("http://", guard)
        self._http.mount("https://", guard)
        self._http.headers.update({"User-Agent": settings.user_agent, "Accept-Language": "en-AU,en"})
        for name, value in (session_headers or {}).items():
            if name.lower() == "cookie":  # into the jar: as a header it would keep out the cookies that choose the store
                self._set_cookies(dict(pair.strip().split("=", 1) for pair in value.split(";") if "=" in pair))
            else:
                self._http.headers[name] = value

    def __enter__(self) -> PoliteClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._manners.close()

    def fetch(
        self, page: Page, values: Mapping[str, str] | None = None, land: Callable[[Answer], None] | None = None
    ) -> tuple[Answer, Any]:
        """Ask for a page until it is answered.

        Args:
            page: what to ask for.
            values: what the session gives for names in the page's path and headers.
            land: called with every whole answer before it is judged or read.

        Returns:
            The answer and its content: parsed JSON, or text where the page accepts HTML.

        Raises:
            Blocked: the site refuses us; from then on every page is, without being asked for.
            RobotsForbid: its robots.txt forbids the page. UnexpectedStatus: another 4xx.
            SiteTrouble: no proper answer in all attempts. SiteGaveOut: so for several requests in a row, or the store's
            retries are spent.
        """

        def once() -> tuple[Answer, Any]:
            if self._refused is not None:
                raise self._refused
            answer = self._ask(page, values or {})
            if land is not None:
                land(answer)
            try:
                return answer, judge(self.retailer.name, page, answer)
            except Blocked as error:
                self._refused = error  # other connections of this store stop too
                raise

        retrying = Retrying(
            retry=retry_if_exception_type(SiteTrouble),
            stop=stop_after_attempt(self._settings.request_attempts),
            wait=self._pause_before_retry,
            before_sleep=lambda state: log.info("%s: %s; the request is made again", self.retailer.name, _failure(state)),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result = retrying(once)
        except SiteGaveOut:
            raise
        except SiteTrouble as error:
            with self._lock:
                self._failed_in_a_row += 1
                failed = self._failed_in_a_row
            if failed >= self._settings.give_up_after_requests:
                raise SiteGaveOut(
                    f"{self.retailer.name}: {failed} requests in a row failed, the last: {error} "
                    "The store is left alone; a later attempt goes on from its landed pages."
                ) from error
            raise
        with self._lock:
            self._failed_in_a_row = 0
            told, self._on_first_answer = self._on_first_answer, None
        if told is not None:
            told()
        return result

    def _pause_before_retry(self, state: RetryCallState) -> float:
        error = _failure(state)
        asked = error.retry_after_seconds if isinstance(error, SiteTrouble) else None
        if asked is not None and asked > self._settings.retry_after_seconds_max:
            raise SiteGaveOut(
                f"{error} It asks to wait {asked:g} s, longer than AISLEFLOW_RETRY_AFTER_SECONDS_MAX="
                f"{self._settings.retry_after_seconds_max:g}: the store is left alone for now."
            ) from error
        if asked is not None:
            self._manners.rest(asked)  # everybody waits, and so does the next attempt
        if state.attempt_number >= self._settings.request_attempts:  # asked before the decision to stop
            return 0
        with self._lock:
            self._retries += 1
            is_spent = self._retries > self._settings.retry_budget
        if is_spent:
            raise SiteGaveOut(
                f"{error} The store's AISLEFLOW_RETRY_BUDGET={self._settings.retry_budget} repeated requests are spent: it is left alone for now."
            ) from error
        return 0 if asked is not None else wait_random_exponential(max=self._settings.backoff_seconds_max)(state)

    def _ask(self, page: Page, values: Mapping[str, str]) -> Answer:
        url = self.base_url + page.path.format_map(values)
        accept = "application/json" if page.accept == "json" else "text/html,application/xhtml+xml,*/*;q=0.5"
        headers = {"Accept": accept} | {name: value.format_map(values) for name, value in page.headers.items()}
        rule = self._robots_rule()
        if rule is not None:
            rule.check(url)
        gap = max(gap_seconds(self._settings, self._is_local), rule.delay_seconds if rule else 0)
        return self._send(page, url, headers, gap)

    def _robots_rule(self) -> RobotsRule | None:
        if not obeys_robots(self._settings.robots, self._is_local):
            return None
        with self._lock:
            if self._robots is None:
                self._robots = RobotsRule(self.retailer.name, self._manners.robots(self._ask_for_robots), self._settings.user_agent)
            return self._robots

    def _ask_for_robots(self) -> RobotsFile:
        parts = urlsplit(self.base_url)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        answer = self._send(
            Page(path="/robots.txt", accept="text"), address, {"Accept": "text/plain"}, gap_seconds(self._settings, self._is_local)
        )
        return RobotsFile(address, answer.status, answer.body[:ROBOTS_BYTES_MAX].decode(errors="replace").replace("\0", ""))

    def _send(self, page: Page, url: str, headers: Mapping[str, str], gap: float) -> Answer:
        timeouts = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        with self._connections, self._manners.turn(gap):
            begun = time.monotonic()
            with self._lock:  # cookies and request together: another thread's are not mixed in
                self.requests += 1
                self._set_cookies(page.cookies)
                request = requests.Request(page.method, url, params=dict(page.params), json=page.json, headers=dict(headers))
                prepared = self._http.prepare_request(request)
                network = self._http.merge_environment_settings(prepared.url, {}, True, None, None)
            try:
                with self._http.send(prepared, timeout=timeouts, **network) as response:
                    body = self._body(response, begun)
                    return Answer(
                        method=page.method, url=url, params=dict(page.params), json=page.json,
                        status=response.status_code, headers=subset(response.headers), elapsed_seconds=round(time.monotonic() - begun, 3),
                        observed_at=clock.now(), body=body,
                    )  # fmt: skip
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise SiteTrouble(f"{self.retailer.name}: no whole answer from {url} ({type(error).__name__}: {error}).") from error

    def _set_cookies(self, cookies: Mapping[str, str]) -> None:
        jar = self._http.cookies
        for known in [cookie for cookie in jar if cookie.name in cookies]:  # the site's own default would be sent beside ours
            jar.clear(known.domain, known.path, known.name)
        # An empty domain reaches every host, which loopback names need; the live session stays with its site.
        domain = "" if self._is_local else urlsplit(self.base_url).hostname or ""
        for name, value in cookies.items():
            jar.set(name, value, domain=domain)

    def _body(self, response: requests.Response, begun: float) -> bytes:
        """Read a body as it comes in, each piece at once: one that trickles is given up in time."""
        received, answer_of = bytearray(), f"{self.retailer.name}: the answer of {response.url}"
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            received += chunk
            if len(received) > self._settings.answer_bytes_max:
                raise SiteTrouble(f"{answer_of} is larger than AISLEFLOW_ANSWER_BYTES_MAX={self._settings.answer_bytes_max}.")
            if time.monotonic() - begun > self._settings.answer_seconds_max:
                raise SiteTrouble(f"{answer_of} took longer than AISLEFLOW_ANSWER_SECONDS_MAX={self._settings.answer_seconds_max:g}.")
        return bytes(received)


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
