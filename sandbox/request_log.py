"""Request log of the sites: counts, and the last requests with arrival times, gaps and requests in flight.

traffic.count("woolworths", purpose="listing", store_id="1101")  number of requests
traffic.arrivals("coles")                                        the log, the newest 20,000 of all sites
traffic.repeated_requests("aldi")                                requests sent more than once: {"GET /v3/…": 2}
traffic.gaps_seconds("iga")                                      between consecutive arrivals
traffic.in_flight_max["coles"]                                   the highest number of requests in flight
"""

from __future__ import annotations

import time
from collections import Counter, deque
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import request_context

#: Requests kept in the log; about 6 MB.
LOG_LENGTH = 20_000


class RequestRecord(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        number: counts all requests since the start or the last reset, from 1.
        arrived_seconds: since then, by the monotonic clock.
        took_seconds: until the last part of the response was sent.
        route: name of the site's handler; ``purpose``: one of ``ALL_PURPOSES``, the same terms for all four retailers.
        line: method, path with query, and a hash of the body if there is one: equal for equal requests.
        status: 0 = the connection was cut before a response.
        in_flight: requests of this retailer in flight on arrival, this one included.
        faults: the kinds of faults applied to it.
    """

    number: int
    arrived_seconds: float
    took_seconds: float
    retailer: str
    route: str
    purpose: str
    store_id: str | None
    line: str
    status: int
    in_flight: int
    faults: tuple[str, ...] = ()


class Traffic:
    """Requests since the start or the last reset. Counts are complete; the log keeps the newest ``LOG_LENGTH``."""

    def __init__(self) -> None:
        self._in_flight: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Reset everything except the requests in flight."""
        self._counts: Counter[tuple[str, str, str, str | None, int]] = Counter()
        self._log: deque[RequestRecord] = deque(maxlen=LOG_LENGTH)
        self._number = 0
        self._begun = time.monotonic()
        self.in_flight_max: dict[str, int] = {}

    def begin_request(self, retailer: str) -> tuple[int, float, int]:
        """Record the arrival of a request; return its number, its instant, and the requests in flight with it."""
        self._number += 1
        self._in_flight[retailer] += 1
        in_flight = self._in_flight[retailer]
        self.in_flight_max[retailer] = max(in_flight, self.in_flight_max.get(retailer, 0))
        return self._number, time.monotonic(), in_flight

    def end_request(self, arrival: RequestRecord) -> None:
        """Record a finished request."""
        self._in_flight[arrival.retailer] -= 1
        self._counts[arrival.retailer, arrival.route, arrival.purpose, arrival.store_id, arrival.status] += 1
        self._log.append(arrival)

    def seconds_since_start(self, instant: float) -> float:
        """Return an instant of the monotonic clock as seconds since the start or the last reset."""
        return round(instant - self._begun, 6)

    def arrivals(
        self,
        retailer: str | None = None,
        *,
        purpose: str | None = None,
        route: str | None = None,
        store_id: str | None = None,
        after: int = 0,
    ) -> list[RequestRecord]:
        """Return the logged requests in order of arrival; ``after`` a number."""
        found = [
            entry
            for entry in list(self._log)
            if entry.number > after
            and (retailer is None or entry.retailer == retailer)
            and (purpose is None or entry.purpose == purpose)
            and (route is None or entry.route == route)
            and (store_id is None or entry.store_id == store_id)
        ]
        return sorted(found, key=lambda entry: entry.number)

    def count(
        self,
        retailer: str | None = None,
        *,
        purpose: str | None = None,
        route: str | None = None,
        store_id: str | None = None,
        status: int | None = None,
    ) -> int:
        """Return the number of finished requests since the start or the last reset."""
        filters = (retailer, route, purpose, store_id, status)
        return sum(
            count
            for key, count in list(self._counts.items())
            if all(wanted is None or wanted == found for wanted, found in zip(filters, key, strict=True))
        )

    def repeated_requests(self, retailer: str | None = None, *, purpose: str | None = None, store_id: str | None = None) -> dict[str, int]:
        """Return the requests that succeeded (200, no fault) more than once, with the number of successes."""
        found = Counter(
            (entry.line, entry.store_id)
            for entry in self.arrivals(retailer, purpose=purpose, store_id=store_id)
            if entry.status == 200 and not entry.faults
        )
        return {line: count for (line, _), count in found.items() if count > 1}

    def gaps_seconds(self, retailer: str) -> list[float]:
        """Return the time between consecutive arrivals."""
        return [later.arrived_seconds - one.arrived_seconds for one, later in pairwise(self.arrivals(retailer))]

    def report(self) -> dict[str, Any]:
        """Return the total, one row per retailer, route, store and status, and per retailer the most in flight and the shortest gap."""
        rows = [
            {"retailer": retailer, "route": route, "purpose": purpose, "store_id": store_id, "status": status, "requests": count}
            for (retailer, route, purpose, store_id, status), count in sorted(
                self._counts.items(), key=lambda entry: tuple(map(str, entry[0]))
            )
        ]
        gaps = {retailer: round(min(found), 6) for retailer in sorted(self.in_flight_max) if (found := self.gaps_seconds(retailer))}
        return {"total": self._counts.total(), "in_flight_max": dict(self.in_flight_max), "gap_seconds_min": gaps, "requests": rows}


class RequestCounter:
    """The outermost middleware around one site."""

    def __init__(self, app: ASGIApp, retailer: str, traffic: Traffic) -> None:
        self.app = app
        self.retailer = retailer
        self.traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it with its status."""
        status: int | None = None
        has_ended = False
        body = blake2b(digest_size=6)
        has_body = False

        async def record_body(take: Receive = receive) -> Message:
            message = await take()
            nonlocal has_body
            if message["type"] == "http.request" and (part := message.get("body")):
                has_body = True
                body.update(part)
            return message

        def end(status: int) -> None:
            nonlocal has_ended
            has_ended = True
            handler = getattr(scope.get("endpoint"), "__name__", "unknown")
            self.traffic.end_request(
                RequestRecord(
                    number,
                    self.traffic.seconds_since_start(arrived),
                    round(time.monotonic() - arrived, 6),
                    self.retailer,
                    handler,
                    request_context.purpose_of(handler),
                    request_context.store_id.get(),
                    request_line(scope, body.hexdigest() if has_body else None),
                    status,
                    in_flight,
                    request_context.faults.get(),
                )
            )

        async def record_end(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status is not None and not message.get("more_body"):
                end(status)  # before the last part is sent: a client that has the whole response finds it in the log
            await send(message)

        record_body.__dict__["transport"] = transport_of(receive)
        request_context.clear()
        number, arrived, in_flight = self.traffic.begin_request(self.retailer)
        status_without_response = 0  # the connection was cut
        try:
            await self.app(scope, record_body, record_end)
        except Exception as error:
            status_without_response = 0 if isinstance(error, ConnectionError) else 500
            raise
        finally:
            if not has_ended:
                end(status_without_response if status is None else status)


def request_line(scope: Scope, body_hash: str | None) -> str:
    """Return the text that identifies a request."""
    path = scope["path"].removeprefix(scope["root_path"])
    query = scope["query_string"].decode("latin-1")
    return f"{scope['method']} {path}{'?' if query else ''}{query}{f' {body_hash}' if body_hash else ''}"


def transport_of(receive: object) -> Any:
    """Return uvicorn's connection of a request, or ``None`` for an in-process client."""
    return getattr(receive, "transport", None) or getattr(getattr(receive, "__self__", None), "transport", None)
