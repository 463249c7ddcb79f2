"""Faults on command: what the sandbox's sites do wrong, for whom, how often, and until when.

In a test, with the sites in a thread of the same process::

    with running(world) as sandbox:                                  # sandbox.running
        sandbox.url, sandbox.faults, sandbox.traffic
        fault = sandbox.faults.add("too_many", retailer="coles", purpose="listing", nth=3, retry_after=1)
        sandbox.faults.add("error", retailer="iga", status=503, share=0.1, seed=3)    # a tenth of the requests
        sandbox.faults.add("reset", store="1101", since=5)                            # the fifth and all after it
        sandbox.faults.add("wall", retailer="woolworths", session="me=known")         # until that cookie is shown
        sandbox.faults.in_force()[0]["applied"]                                       # how often it struck
        sandbox.faults.clear(fault)                                                   # one; without argument all
        sandbox.faults.latency_seconds = 0.1                                          # of every answer

The same over HTTP for a running sandbox: ``RemoteFaults(url)`` (``sandbox.remote``), ``aisleflow sandbox
fault add|list|clear``, or a scenario file (:func:`read_scenario`) given to ``aisleflow sandbox serve --faults``.

**Which requests.** ``retailer``, ``store`` (the store id) and ``purpose`` (home, tree, listing, search, detail,
barcodes, promotions, stores, or the name of a site's handler) narrow; nothing given = every request. Of those
``nth`` takes one (from 1), ``since`` that one and all after it, ``share`` a part, ``times`` at most so many;
otherwise the fault lasts until it is cleared. ``share`` is decided by a hash of seed, request, and how often
the same request came before: parallel crawls do not change it, and a repeated request has a new chance.

**Which faults.** See :data:`KINDS`. Several may strike one request: edits of the answer add up, then the first that
replaces the answer wins, then transport faults. The truth (``/_sandbox/truth``) never changes.
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

#: Requests remembered to tell a repeated one.
_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """What a request was for. ``what`` is the same text for the same request; ``is_later_page``: there is a page before."""

    retailer: str
    route: str
    purpose: str
    store_id: str | None
    what: str
    cookies: Mapping[str, str] = field(default_factory=dict)
    is_later_page: bool = True


@dataclass(slots=True)
class _Entry:
    """A fault with its memory."""

    key: str
    fault: Fault
    matched: int = 0
    applied: int = 0
    before: OrderedDict[int, int] = field(default_factory=OrderedDict)

    def applies_to(self, asked: SandboxRequest) -> bool:
        fault, kind = self.fault, KINDS[self.fault.kind]
        if (fault.retailer or kind.retailer) not in (None, asked.retailer) or fault.store not in (None, asked.store_id):
            return False
        purposes = (fault.purpose,) if fault.purpose else kind.purposes
        if purposes and asked.purpose not in purposes and asked.route not in purposes:
            return False
        if fault.kind == "same_page" and not asked.is_later_page:
            return False
        self.matched += 1
        times = 1 if fault.kind == "new_build" and not (fault.nth or fault.since or fault.times) else fault.times
        if times is not None and self.applied >= times:
            return False
        if (fault.nth is not None and self.matched != fault.nth) or (fault.since is not None and self.matched < fault.since):
            return False
        if fault.share < 1 and seeded_random.random_share(fault.seed, asked.what, asked.store_id, self._was_seen(asked)) >= fault.share:
            return False
        if fault.kind == "wall":
            name, _, value = (fault.session or SESSION).partition("=")
            if asked.cookies.get(name) == value:
                return False
        self.applied += 1
        return True

    def _was_seen(self, asked: SandboxRequest) -> int:
        key = seeded_random.random_int(asked.retailer, asked.what, asked.store_id)
        count = self.before.pop(key, 0)
        self.before[key] = count + 1
        if len(self.before) > _REMEMBERED:
            self.before.popitem(last=False)
        return count


class FaultRegistry:
    """The faults in force. Any thread may add and clear; the server's thread asks :meth:`striking`.

    Attributes:
        latency_seconds: how long every answer of a site takes at least.
        on_new_build: what makes Coles deploy; the application sets it.
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
        """Whether no fault is in force."""
        return not self._entries

    def add(self, kind: str, **options: Any) -> str:
        """Put a fault in force; return its key, for :meth:`clear`.

        Raises:
            ConfigurationError: no such fault.
        """
        return self.put(fault_of({"kind": kind} | options))

    def put(self, fault: Fault) -> str:
        """Put a fault in force; return its key."""
        self._number += 1
        key = f"f{self._number}"
        self._entries = {**self._entries, key: _Entry(key, check(fault))}
        return key

    def active_faults(self) -> list[dict[str, Any]]:
        """Return every fault in force, with how many requests it was asked about and struck."""
        return [
            {"key": entry.key} | msgspec.to_builtins(entry.fault) | {"matched": entry.matched, "applied": entry.applied}
            for entry in self._entries.values()
        ]

    def clear(self, *keys: str) -> int:
        """End faults by their keys, all without; return how many.

        Raises:
            ConfigurationError: no such fault is in force.
        """
        if unknown := [key for key in keys if key not in self._entries]:
            raise ConfigurationError(f"no fault {', '.join(unknown)} is in force; in force: {', '.join(self._entries) or 'none'}.")
        kept = {key: entry for key, entry in self._entries.items() if keys and key not in keys}
        ended = len(self._entries) - len(kept)
        self._entries = kept
        return ended

    def matching_faults(self, asked: SandboxRequest) -> list[Fault]:
        """Return the faults that strike a request, in the order in which they were added; it counts as one more request."""
        return [entry.fault for entry in self._entries.values() if entry.applies_to(asked)]


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """What a scenario file holds: ``latency_seconds``, and ``fault`` tables."""

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
        raise ConfigurationError(f"{path} is no scenario of faults: {error}. docs/sandbox.md shows one.") from error
