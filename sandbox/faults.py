"""Fault injection into the sandbox's sites: scope, rate and lifetime of each fault.

In a test, with the sites in a thread of the same process::

    with running(world) as sandbox:                                  # sandbox.running
        sandbox.url, sandbox.faults, sandbox.traffic
        fault = sandbox.faults.add("too_many", retailer="coles", purpose="listing", nth=3, retry_after=1)
        sandbox.faults.add("error", retailer="iga", status=503, share=0.1, seed=3)    # a tenth of the requests
        sandbox.faults.add("reset", store="1101", since=5)                            # the fifth and all later ones
        sandbox.faults.add("wall", retailer="woolworths", session="me=known")         # until that cookie is sent
        sandbox.faults.active_faults()[0]["applied"]                                  # number of affected requests
        sandbox.faults.clear(fault)                                                   # one; all without argument
        sandbox.faults.latency_seconds = 0.1                                          # of every response

The same over HTTP for a running sandbox: ``FaultClient(url)`` (``sandbox.remote``), ``aisleflow sandbox
fault add|list|clear``, or a scenario file (:func:`read_scenario`) given to ``aisleflow sandbox serve --faults``.

**Which requests.** ``retailer``, ``store`` (the store id) and ``purpose`` (home, tree, listing, search, detail,
barcodes, promotions, stores, or the name of a site's handler) select requests; without them all match. Of those
``nth`` takes one (from 1), ``since`` that one and all later ones, ``share`` a part, ``times`` at most that number;
otherwise the fault stays active until it is cleared. ``share`` is decided by a hash of seed, request, and how often
the request was sent before: parallel crawls do not change it, and a repeated request is decided anew.

**Which faults.** See :data:`KINDS`. Several may apply to one request: edits of the response add up, then the first that
replaces the response wins, then transport faults. The truth (``/_sandbox/truth``) never changes.
"""

from __future__ import annotations

import tomllib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from include.errors import ConfigurationError
from sandbox import seeded_random
from sandbox.fault_kinds import KINDS, SESSION, Fault, check, fault_of

__all__ = ["KINDS", "Fault", "FaultRegistry", "SandboxRequest", "fault_of", "read_scenario"]

#: Requests remembered to detect repeated ones.
_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One request and its purpose. ``line`` identifies it; ``is_later_page``: it has a previous page."""

    retailer: str
    route: str
    purpose: str
    store_id: str | None
    line: str
    cookies: Mapping[str, str] = field(default_factory=dict)
    is_later_page: bool = True


@dataclass(slots=True)
class _Entry:
    """A fault and its request counters."""

    key: str
    fault: Fault
    matched: int = 0
    applied: int = 0
    before: OrderedDict[int, int] = field(default_factory=OrderedDict)

    def applies_to(self, request: SandboxRequest) -> bool:
        fault, kind = self.fault, KINDS[self.fault.kind]
        if (fault.retailer or kind.retailer) not in (None, request.retailer) or fault.store not in (None, request.store_id):
            return False
        purposes = (fault.purpose,) if fault.purpose else kind.purposes
        if purposes and request.purpose not in purposes and request.route not in purposes:
            return False
        if fault.kind == "same_page" and not request.is_later_page:
            return False
        self.matched += 1
        times = 1 if fault.kind == "new_build" and not (fault.nth or fault.since or fault.times) else fault.times
        if times is not None and self.applied >= times:
            return False
        if (fault.nth is not None and self.matched != fault.nth) or (fault.since is not None and self.matched < fault.since):
            return False
        if (
            fault.share < 1
            and seeded_random.random_share(fault.seed, request.line, request.store_id, self._was_seen(request)) >= fault.share
        ):
            return False
        if fault.kind == "wall":
            name, _, value = (fault.session or SESSION).partition("=")
            if request.cookies.get(name) == value:
                return False
        self.applied += 1
        return True

    def _was_seen(self, request: SandboxRequest) -> int:
        key = seeded_random.random_int(request.retailer, request.line, request.store_id)
        count = self.before.pop(key, 0)
        self.before[key] = count + 1
        if len(self.before) > _REMEMBERED:
            self.before.popitem(last=False)
        return count


class FaultRegistry:
    """The active faults. Any thread may add and clear; the server's thread calls :meth:`matching_faults`.

    Attributes:
        latency_seconds: minimum duration of every response of a site.
        on_new_build: callback that makes Coles deploy; set by the application.
    """

    def __init__(self, faults: Sequence[Fault] = (), latency_seconds: float = 0.0) -> None:
        self._entries: dict[str, _Entry] = {}
        self._number = 0
        self.latency_seconds = latency_seconds
        self.on_new_build: Callable[[], None] = lambda: None
        for one in faults:
            self.put(one)

    @property
    def has_no_faults(self) -> bool:
        """Whether no fault is active."""
        return not self._entries

    def add(self, kind: str, **options: Any) -> str:
        """Activate a fault; return its key, for :meth:`clear`.

        Raises:
            ConfigurationError: no such fault.
        """
        return self.put(fault_of({"kind": kind} | options))

    def put(self, fault: Fault) -> str:
        """Activate a fault; return its key."""
        self._number += 1
        key = f"f{self._number}"
        self._entries = {**self._entries, key: _Entry(key, check(fault))}
        return key

    def active_faults(self) -> list[dict[str, Any]]:
        """Return the active faults, each with the numbers of matched and of affected requests."""
        return [
            {"key": entry.key} | msgspec.to_builtins(entry.fault) | {"matched": entry.matched, "applied": entry.applied}
            for entry in self._entries.values()
        ]

    def clear(self, *keys: str) -> int:
        """Clear faults by their keys, all of them without keys; return the number cleared.

        Raises:
            ConfigurationError: no such fault is active.
        """
        if unknown := [key for key in keys if key not in self._entries]:
            raise ConfigurationError(f"no fault {', '.join(unknown)} is active; active: {', '.join(self._entries) or 'none'}.")
        kept = {key: entry for key, entry in self._entries.items() if keys and key not in keys}
        ended = len(self._entries) - len(kept)
        self._entries = kept
        return ended

    def matching_faults(self, request: SandboxRequest) -> list[Fault]:
        """Count a request and return the faults that apply to it, in the order in which they were added."""
        return [entry.fault for entry in self._entries.values() if entry.applies_to(request)]


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """Content of a scenario file: ``latency_seconds``, and ``fault`` tables."""

    latency_seconds: float = 0.0
    fault: list[Fault] = []


def read_scenario(path: Path) -> FaultRegistry:
    """Read a TOML (or JSON) file of faults::

        latency_seconds = 0.1
        [[fault]]
        kind = "too_many"
        retailer = "coles"
        since = 20
        times = 5

    Raises:
        ConfigurationError: no such file, or not of this form.
    """
    try:
        text = path.read_bytes()
        values = msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text.decode())
        scenario = msgspec.convert(values, Scenario)
        return FaultRegistry(scenario.fault, scenario.latency_seconds)
    except OSError as error:
        raise ConfigurationError(f"the faults cannot be read from {path}: {error.strerror}. Give --faults a TOML or JSON file.") from error
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not a valid fault scenario: {error}. docs/sandbox.md shows one.") from error
