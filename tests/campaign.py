"""The report of `make campaign`: what was run, with which seeds, how often, with what outcome. Printed, and kept in ``build/campaign.md``.

A pytest plugin (``-p tests.campaign``). Tests report facts by the fixture ``record_property``: numbers are added up, words are counted.
"""

from __future__ import annotations

import platform
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPORT = Path(__file__).parents[1] / "build" / "campaign.md"


@dataclass
class Part:
    """All rounds of one test function."""

    title: str
    outcomes: Counter[str] = field(default_factory=Counter)
    seeds: list[str] = field(default_factory=list)
    seconds: float = 0.0
    numbers: Counter[str] = field(default_factory=Counter)
    words: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


class Campaign:
    """Follows the tests and writes the report."""

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._began = config, time.monotonic()
        self._parts: dict[str, Part] = {}
        self._failed: list[tuple[str, str]] = []
        self._rounds = self._done = 0
        self._setup: dict[str, float] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the rounds."""
        self._rounds = len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep one outcome, and report the progress of the campaign."""
        if report.when == "setup":
            self._setup[report.nodeid] = report.duration
        if report.when != "call" and report.passed:
            return
        place, _, name = report.nodeid.partition("::")
        title, _, seed = name.rstrip("]").partition("[")
        part = self._parts.setdefault(f"{place}::{title}", Part(title.removeprefix("test_").replace("_", " ")))
        outcome = {"passed": "passed", "skipped": "skipped"}.get(report.outcome, "FAILED")
        part.outcomes[outcome] += 1
        part.seconds += report.duration + self._setup.get(report.nodeid, 0.0)
        if seed:
            part.seeds.append(seed)
        for key, value in report.user_properties:
            if isinstance(value, int | float):
                part.numbers[key] += value  # type: ignore[assignment]
            else:
                part.words[key][str(value)] += 1
        if outcome == "FAILED":
            self._failed.append((report.nodeid, report.longreprtext))
        self._done += 1
        self._tell(f"[{self._done} of {self._rounds}] {name}: {outcome}, {report.duration:.1f} s, {self._minutes()} so far")

    def _tell(self, line: str) -> None:
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)

    def _minutes(self) -> str:
        seconds = round(time.monotonic() - self._began)
        return f"{seconds // 60} min {seconds % 60:02} s"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the report and print it."""
        text = self.text()
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(text)
        terminalreporter.write_line(text)
        terminalreporter.write_line(f"report: {REPORT}")

    def text(self) -> str:
        """Return the report as Markdown."""
        result = f"{len(self._failed)} of {self._done} rounds FAILED" if self._failed else f"all {self._done} rounds passed"
        lines = ["# Campaign", "", f"{result}, in {self._minutes()}, on {platform.machine()} with Python {platform.python_version()}.", "",
                 "| what | rounds | outcome | seconds | seeds | counted |", "|---|---:|---|---:|---|---|"]  # fmt: skip
        for part in self._parts.values():
            counted = [f"{value:,.10g} {key}" for key, value in part.numbers.items() if key != "seconds"]
            counted += [f"{count} x {word}" for words in part.words.values() for word, count in sorted(words.items())]
            outcome = ", ".join(f"{count} {name}" for name, count in part.outcomes.items())
            lines.append(
                f"| {part.title} | {part.outcomes.total()} | {outcome} | {part.seconds:,.0f} | {spans(part.seeds)} | {'; '.join(counted)} |"
            )
        for nodeid, reason in self._failed:
            messages = [line[2:].strip() for line in reason.splitlines() if line.startswith("E ")] or reason.splitlines()[-3:]
            lines += ["", f"## {nodeid}", "", "```", *(line[:2_000] for line in messages[:20]), "```"]
        return "\n".join(lines) + "\n"


def spans(seeds: list[str]) -> str:
    """Write seeds in short.

    >>> spans(["7", "1", "2", "3", "quit-4"])
    '1-3, 7, quit-4'
    """
    numbers = sorted(int(seed) for seed in seeds if re.fullmatch(r"\d+", seed))
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    others = [seed for seed in seeds if not re.fullmatch(r"\d+", seed)]
    return ", ".join(["-".join(map(str, span)) for span in found] + others)


def pytest_configure(config: pytest.Config) -> None:
    """Follow this run."""
    config.pluginmanager.register(Campaign(config), "aisleflow-campaign")
