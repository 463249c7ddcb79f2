"""Client for the faults, latency and request log of a sandbox in another process on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import requests

from include import clock
from include.errors import ConfigurationError, TransientError
from sandbox.faults import Fault
from sandbox.request_log import RequestRecord
from sandbox.token import HEADER, known_token

_TIMEOUT_SECONDS = 10


class FaultClient:
    """The commands of ``FaultRegistry`` for the sandbox at an address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False

    def add(self, kind: str, **options: Any) -> str:
        """Activate a fault; return its key.

        Raises:
            ConfigurationError: no such fault. TransientError: the sandbox does not respond.
        """
        return self.put([{"kind": kind} | options])[0]

    def put(self, faults: Sequence[Fault | dict[str, Any]]) -> list[str]:
        """Activate several faults; return their keys."""
        keys: list[str] = self._request("POST", "/faults", msgspec.to_builtins(list(faults)))["keys"]
        return keys

    def active_faults(self) -> list[dict[str, Any]]:
        """Return the active faults, each with the numbers of matched and of affected requests."""
        found: list[dict[str, Any]] = self._request("GET", "/faults")["faults"]
        return found

    def clear(self, *keys: str) -> int:
        """Clear faults by their keys, all of them without keys; return the number cleared."""
        responses = [self._request("DELETE", f"/faults/{key}") for key in keys] if keys else [self._request("DELETE", "/faults")]
        return sum(int(response["cleared"]) for response in responses)

    @property
    def latency_seconds(self) -> float:
        """Minimum duration of every response of a site."""
        return float(self._request("GET", "/latency")["seconds"])

    @latency_seconds.setter
    def latency_seconds(self, seconds: float) -> None:
        self._request("POST", "/latency", {"seconds": seconds})

    def report(self) -> dict[str, Any]:
        """Return the request counts of the sites."""
        found: dict[str, Any] = self._request("GET", "/requests")
        return found

    def reset(self) -> None:
        """Reset the counts and the log."""
        self._request("POST", "/requests")

    def arrivals(self, retailer: str | None = None, *, after: int = 0) -> list[RequestRecord]:
        """Return the logged requests."""
        query = f"?after={after}" + (f"&retailer={retailer}" if retailer else "")
        return [msgspec.json.decode(line, type=RequestRecord) for line in self._send("GET", f"/requests/log{query}").content.splitlines()]

    def _request(self, method: str, path: str, body: object = None) -> Any:
        return self._send(method, path, body).json()

    def _send(self, method: str, path: str, body: object = None) -> requests.Response:
        token = known_token(clock.home())
        headers = {HEADER: token} if token else {}
        try:
            response = self._http.request(method, f"{self.url}/_sandbox{path}", json=body, headers=headers, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise TransientError(
                f"no sandbox responds at {self.url} ({type(error).__name__}). Start one: aisleflow sandbox serve."
            ) from error
        if response.status_code in (400, 403, 404):
            raise ConfigurationError(response.json().get("error", response.text[:200]))
        if not response.ok:
            raise TransientError(f"the sandbox at {self.url} returned {response.status_code} for {method} {path}.")
        return response
