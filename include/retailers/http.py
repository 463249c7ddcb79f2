"""One polite client for all four sites.

An honest User-Agent, a pause between requests, timeouts, bounded answers, ``Retry-After`` respected,
exponential backoff with full jitter, and a stop after repeated failures. No evasion of bot walls: a refusal
is recognised by its content and goes to a person. No request leaves this machine unless
``AISLEFLOW_ALLOW_LIVE`` is set; that holds for redirects too.
"""

from __future__ import annotations

import ipaddress
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from include import clock
from include.config import Settings
from include.retailers.base import Page, Retailer
from include.retailers.errors import Blocked, LiveRequestRefused, SiteGaveOut, SiteTrouble, UnexpectedStatus
from include.retailers.fields import parse
from include.staging.landing import Answer, subset

log = logging.getLogger(__name__)

_CHUNK = 1 << 16
#: Signs of a bot wall, met in recorded refusals of the four sites.
_SIGNS = {
    "Incapsula page": re.compile(rb"_Incapsula_Resource|Incapsula incident|Pardon Our Interruption", re.I),
    "Access Denied page": re.compile(rb"<title>\s*Access Denied|errors(\.|&#46;)edgesuite(\.|&#46;)net", re.I),
}


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
    """Asks one retailer's site for pages. Use it from one thread."""

    def __init__(
        self,
        retailer: Retailer,
        settings: Settings,
        *,
        session_headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``session_headers`` are a person's browser session (``Cookie``, ``User-Agent``) for a walled site; they are never landed."""
        self.retailer, self.base_url, self._settings, self._sleep = retailer, base_url_of(retailer, settings), settings, sleep
        check_allowed(self.base_url, settings)
        self.requests = 0
        self._failed_in_a_row = 0
        self._free_at = 0.0
        # The sandbox needs no pause: it is ours.
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
            Blocked: the site refuses us. UnexpectedStatus: another 4xx.
            SiteTrouble: no proper answer in all attempts. SiteGaveOut: so for several requests in a row.
        """

        def once() -> tuple[Answer, Any]:
            answer = self._ask(page, values or {})
            if land is not None:
                land(answer)
            return answer, judge(self.retailer.name, page, answer)

        retrying = Retrying(
            retry=retry_if_exception_type(SiteTrouble),
            stop=stop_after_attempt(self._settings.request_attempts),
            wait=self._pause_before_retry,
            before_sleep=lambda state: log.info(
                "%s: %s; next attempt in %.1f s", self.retailer.name, _failure(state), state.next_action.sleep if state.next_action else 0
            ),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result = retrying(once)
        except SiteTrouble as error:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self._settings.give_up_after_requests:
                raise SiteGaveOut(
                    f"{self.retailer.name}: {self._failed_in_a_row} requests in a row failed, the last: {error} "
                    "The store is left alone; a later attempt goes on from its landed pages."
                ) from error
            raise
        self._failed_in_a_row = 0
        return result

    def _pause_before_retry(self, state: RetryCallState) -> float:
        error = _failure(state)
        asked = error.retry_after_seconds if isinstance(error, SiteTrouble) else None
        if asked is None:
            return wait_random_exponential(max=self._settings.backoff_seconds_max)(state)
        if asked > self._settings.retry_after_seconds_max:
            assert error is not None
            raise SiteGaveOut(
                f"{error} It asks to wait {asked:g} s, longer than AISLEFLOW_RETRY_AFTER_SECONDS_MAX="
                f"{self._settings.retry_after_seconds_max:g}: the store is left alone for now."
            ) from error
        return asked

    def _ask(self, page: Page, values: Mapping[str, str]) -> Answer:
        url = self.base_url + page.path.format_map(values)
        accept = "application/json" if page.accept == "json" else "text/html,application/xhtml+xml,*/*;q=0.5"
        headers = {"Accept": accept} | {name: value.format_map(values) for name, value in page.headers.items()}
        self._set_cookies(page.cookies)
        self._wait_for_turn()
        begun = time.monotonic()
        self.requests += 1
        timeouts = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        try:
            with self._http.request(
                page.method, url, params=dict(page.params), json=page.json, headers=headers, timeout=timeouts, stream=True
            ) as response:
                body = self._body(response, begun)
                return Answer(
                    method=page.method, url=url, params=dict(page.params), json=page.json,
                    status=response.status_code, headers=subset(response.headers), elapsed_seconds=round(time.monotonic() - begun, 3),
                    observed_at=clock.now(), body=body,
                )  # fmt: skip
        except requests.RequestException as error:
            raise SiteTrouble(f"{self.retailer.name}: no whole answer from {url} ({type(error).__name__}: {error}).") from error

    def _set_cookies(self, cookies: Mapping[str, str]) -> None:
        jar = self._http.cookies
        for known in [cookie for cookie in jar if cookie.name in cookies]:  # the site's own default would be sent beside ours
            jar.clear(known.domain, known.path, known.name)
        # An empty domain reaches every host, which loopback names need; the live session stays with its site.
        domain = "" if self._is_local else urlsplit(self.base_url).hostname or ""
        for name, value in cookies.items():
            jar.set(name, value, domain=domain)

    def _wait_for_turn(self) -> None:
        if not self._is_local:
            self._sleep(max(0.0, self._free_at - time.monotonic()))
            pause = self._settings.crawl_delay_seconds + random.uniform(0, self._settings.crawl_jitter_seconds)  # noqa: S311 - no secret
            self._free_at = time.monotonic() + pause

    def _body(self, response: requests.Response, begun: float) -> bytes:
        received, answer_of = bytearray(), f"{self.retailer.name}: the answer of {response.url}"
        for chunk in response.iter_content(_CHUNK):
            received += chunk
            if len(received) > self._settings.answer_bytes_max:
                raise SiteTrouble(f"{answer_of} is larger than AISLEFLOW_ANSWER_BYTES_MAX={self._settings.answer_bytes_max}.")
            if time.monotonic() - begun > self._settings.answer_seconds_max:
                raise SiteTrouble(f"{answer_of} took longer than AISLEFLOW_ANSWER_SECONDS_MAX={self._settings.answer_seconds_max:g}.")
        return bytes(received)


def judge(retailer: str, page: Page, answer: Answer) -> Any:
    """Return the content of a good answer; say what is wrong with any other, by content first.

    Raises:
        Blocked: a bot wall, whatever the status. SiteTrouble: 429, 5xx, or no JSON where JSON was asked for.
        UnexpectedStatus: another 4xx.
    """
    sign = next((name for name, pattern in _SIGNS.items() if pattern.search(answer.body[:20_000])), None)
    if sign:
        raise Blocked(retailer, f"{sign}, status {answer.status}", answer.url)
    if answer.status in (408, 429) or answer.status >= 500:
        raise SiteTrouble(f"{retailer}: status {answer.status} at {answer.url}.", _retry_after(answer))
    is_html = answer.body.lstrip()[:1] == b"<"
    if page.accept == "json" and is_html and answer.status in (200, 403):
        raise Blocked(retailer, f"HTML where JSON was asked for, status {answer.status}", answer.url)
    if answer.status >= 400:
        raise UnexpectedStatus(retailer, answer.status, answer.url, answer.body[:200].decode(errors="replace"))
    if page.accept == "text":
        return answer.body.decode(errors="replace")
    try:
        return parse(answer.body)
    except (ValueError, RecursionError) as error:
        raise SiteTrouble(f"{retailer}: {len(answer.body)} bytes at {answer.url} are no JSON ({error}).") from error


def _retry_after(answer: Answer) -> float | None:
    """Read Retry-After: seconds, or an HTTP date."""
    said = answer.headers.get("retry-after")
    if said is None:
        return None
    if said.strip().isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - answer.observed_at).total_seconds())
    except (TypeError, ValueError):
        return None


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
