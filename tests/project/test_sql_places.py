"""The location of SQL: in `sql/`, except single rows by key; only the ledger writes the ledger's tables."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.project.files import ROOT, name_of, sources

_LEDGER_WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(?:ONLY\s+)?ops\.(?:staged_file|quarantined_offer|decision)\b", re.I
)


_CODE = sources("include", "dags", "plugins", "sandbox")


def _texts(path: Path) -> list[str]:
    """Return the string literals of a module, f-strings and joined ones as one text each."""
    return [
        "".join(part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]


def test_only_the_ledger_writes_the_ledger() -> None:
    writers = {name_of(path) for path in _CODE if any(_LEDGER_WRITES.search(text) for text in _texts(path))}
    writers |= {
        name_of(path)
        for path in sorted((ROOT / "sql").rglob("*.sql"))
        if path.parent.name != "migrations" and _LEDGER_WRITES.search(re.sub("--.*", "", path.read_text()))
    }
    assert writers, "the pattern finds nothing: it is broken"
    assert {name for name in writers if not name.startswith(("include/ledger/", "sql/ledger/"))} == set(), (
        "ops.staged_file, ops.quarantined_offer and ops.decision are written by include/ledger alone: add a function there and call it"
    )


#: What makes a statement more than a read or write of one row by its key.
_SET_WORK = re.compile(
    r"\b(?:JOIN|GROUP BY|ORDER BY|DISTINCT|HAVING|UNION|EXISTS|LATERAL|LIMIT|unnest|count\(|sum\(|max\(|min\(|MERGE)\b|\b(?:ANY|ALL) ?\(|\bUPDATE\b.*\bFROM\b|INSERT INTO.*\bSELECT\b",
    re.I | re.S,
)
_BY_KEY = re.compile(r"\bWHERE \(?(?:file_id|store_key|retailer|version_num)\b|\bVALUES \(", re.I)
#: Only the session, locks and a transaction's own tables.
_OF_THE_SESSION = re.compile(
    r"^(?:SELECT (?:set_config|pg_\w*advisory\w*)\(|SELECT \w+\(hashtextextended\(|SELECT 1$|SET CONSTRAINTS |ANALYZE |DROP TABLE |CREATE TEMPORARY TABLE (?:IF NOT EXISTS )?\w+ \()",
    re.I,
)
#: Complete statements that are in code nevertheless, with the reason.
_MAY_STAND = {
    "include/ingestion/checks/marking.py": "one table made from the rule catalogue's predicates",
    "include/warehouse/engine.py": "runs what it is given by name",
    "include/warehouse/slow_statements.py": "explains a statement of sql/",
    "include/warehouse/migrations.py": "runs the migrations",
    "include/embedded/postgres_roles.py": "databases of the cluster: no warehouse yet",
    "include/embedded/installation.py": "Airflow's own database",
}


def _executed(path: Path) -> list[tuple[int, str | None]]:
    """Return line and text of everything given to ``.execute``; ``None``: the text is not written there."""
    found: list[tuple[int, str | None]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("execute", "executemany")
            and node.args
        ):
            continue
        if ast.unparse(node.func.value) == "super()":  # an Airflow operator's
            continue
        text = node.args[0]
        if isinstance(text, ast.Call) and ast.unparse(text.func) == "statement":
            continue
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            found.append((node.lineno, text.value))
        elif isinstance(text, ast.JoinedStr):
            found.append((node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "x" for part in text.values)))  # type: ignore[misc]
        else:
            found.append((node.lineno, None))
    return found


def test_statements_are_in_sql_except_single_rows_by_key() -> None:
    wrong = [
        f"{name_of(path)}:{line}: {text}"
        for path in _CODE
        if name_of(path) not in _MAY_STAND
        for line, text in _executed(path)
        if text is None or not (_OF_THE_SESSION.search(text) or (_BY_KEY.search(text) and not _SET_WORK.search(text)))
    ]
    assert wrong == [], "move these into sql/<subject>/<verb_object>.sql with its header, and call connection.run(...)"


def test_the_rule_about_statements_can_fail() -> None:
    for text in (
        "SELECT a FROM ops.x",
        "SELECT a FROM ops.x WHERE file_id = ANY(%s)",
        "DELETE FROM ops.x",
        "UPDATE a SET b = c.b FROM c WHERE file_id = 1",
    ):
        assert not _OF_THE_SESSION.search(text) and not (_BY_KEY.search(text) and not _SET_WORK.search(text)), text
    assert _BY_KEY.search("SELECT a FROM ops.x WHERE file_id = %s FOR UPDATE")


def test_exceptions_are_needed() -> None:
    assert [name for name in _MAY_STAND if not _executed(ROOT / name)] == []
