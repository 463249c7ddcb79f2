"""Lists, after the tests, long modules that are still below the limit."""

from __future__ import annotations

import pytest

from tests.project.files import name_of, sources

LINES_WISHED = 300


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counted = {
        name_of(path): path.read_text().count("\n")
        for path in sources("include", "sandbox", "dags", "plugins", "tests", "docs", "benchmarks")
    }
    long = {name: lines for name, lines in counted.items() if lines > LINES_WISHED}
    if long:
        terminalreporter.write_sep("-", f"modules over {LINES_WISHED} lines")
        for name, lines in sorted(long.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{lines:5} {name}")
