"""Counts what the sites were asked: per retailer, route, store and status."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.sandbox.site import asked_store


class Counters:
    """Requests counted since the start or the last reset."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str | None, int]] = Counter()

    def add(self, retailer: str, route: str, store_id: str | None, status: int) -> None:
        """Count one request."""
        self._counts[retailer, route, store_id, status] += 1

    def reset(self) -> None:
        """Forget all."""
        self._counts.clear()

    def report(self) -> dict[str, object]:
        """Return the total, and one row per retailer, route, store and status; store ``None`` = no shelf was asked for."""
        rows = [
            {"retailer": retailer, "route": route, "store_id": store_id, "status": status, "requests": count}
            for (retailer, route, store_id, status), count in sorted(self._counts.items(), key=lambda entry: tuple(map(str, entry[0])))
        ]
        return {"total": self._counts.total(), "requests": rows}


class CountRequests:
    """Middleware around one site."""

    def __init__(self, app: ASGIApp, retailer: str, counters: Counters) -> None:
        self.app = app
        self.retailer = retailer
        self.counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        asked_store.set(None)
        try:
            await self.app(scope, receive, note_status)
        finally:
            endpoint = scope.get("endpoint")
            self.counters.add(self.retailer, getattr(endpoint, "__name__", "unknown"), asked_store.get(), status or 500)
