"""Faults, latency and the request log of a sandbox that runs elsewhere on this machine, over its own routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import requests

from include.errors import ConfigurationError, TransientError
from sandbox.counting import RequestRecord
from sandbox.faults import Fault

_TIMEOUT_SECONDS = 10


class FaultClient:
    """The same commands as ``FaultRegistry`` has, for the sandbox at an address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False

    def add(self, kind: str, **options: Any) -> str:
        """Put a fault in force; return its key.

        Raises:
            ConfigurationError: no such fault. TransientError: no sandbox answers.
        """
        return self.put([{"kind": kind} | options])[0]

    def put(self, faults: Sequence[Fault | dict[str, Any]]) -> list[str]:
        """Put several faults in force; return their keys."""
        keys: list[str] = self._ask("POST", "/faults", msgspec.to_builtins(list(faults)))["keys"]
        return keys

    def active_faults(self) -> list[dict[str, Any]]:
        """Return the faults in force, with how often each was asked about and struck."""
        found: list[dict[str, Any]] = self._ask("GET", "/faults")["faults"]
        return found

    def clear(self, *keys: str) -> int:
        """End faults by their keys, all without; return how many."""
        answers = [self._ask("DELETE", f"/faults/{key}") for key in keys] if keys else [self._ask("DELETE", "/faults")]
        return sum(int(answer["cleared"]) for answer in answers)

    @property
    def latency_seconds(self) -> float:
        """How long every answer of a site takes at least."""
        return float(self._ask("GET", "/latency")["seconds"])

    @latency_seconds.setter
    def latency_seconds(self, seconds: float) -> None:
        self._ask("POST", "/latency", {"seconds": seconds})

    def report(self) -> dict[str, Any]:
        """Return what the sites were asked, counted."""
        found: dict[str, Any] = self._ask("GET", "/requests")
        return found

    def reset(self) -> None:
        """Set the counts and the log back to nothing."""
        self._ask("POST", "/requests")

    def arrivals(self, retailer: str | None = None, *, after: int = 0) -> list[RequestRecord]:
        """Return the logged requests."""
        query = f"?after={after}" + (f"&retailer={retailer}" if retailer else "")
        return [msgspec.json.decode(line, type=RequestRecord) for line in self._send("GET", f"/requests/log{query}").content.splitlines()]

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return self._send(method, path, body).json()

    def _send(self, method: str, path: str, body: object = None) -> requests.Response:
        try:
            answer = self._http.request(method, f"{self.url}/_sandbox{path}", json=body, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise TransientError(
                f"no sandbox answers at {self.url} ({type(error).__name__}). Start one: aisleflow sandbox serve."
            ) from error
        if answer.status_code in (400, 403, 404):
            raise ConfigurationError(answer.json().get("error", answer.text[:200]))
        if not answer.ok:
            raise TransientError(f"the sandbox at {self.url} answers {answer.status_code} to {method} {path}.")
        return answer
