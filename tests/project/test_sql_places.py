"""Where SQL may stand: the ledger's tables are written by the ledger alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.project.files import ROOT, name_of, sources

_LEDGER_WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(?:ONLY\s+)?ops\.(?:staged_file|quarantined_offer|decision)\b", re.I
)


def _code() -> list[Path]:
    return sources("include", "dags", "plugins", "sandbox")


def _texts(path: Path) -> list[str]:
    """Return the string literals of a module, f-strings and joined ones as one text each."""
    return [
        "".join(part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]


def test_only_the_ledger_writes_the_ledger() -> None:
    writers = {name_of(path) for path in _code() if any(_LEDGER_WRITES.search(text) for text in _texts(path))}
    writers |= {
        name_of(path)
        for path in sorted((ROOT / "sql").rglob("*.sql"))
        if path.parent.name != "migrations" and _LEDGER_WRITES.search(re.sub("--.*", "", path.read_text()))
    }
    assert writers, "the pattern finds nothing: it is broken"
    assert {name for name in writers if not name.startswith(("include/ledger/", "sql/ledger/"))} == set(), (
        "ops.staged_file, ops.quarantined_offer and ops.decision are written by include/ledger alone: add a function there and call it"
    )
