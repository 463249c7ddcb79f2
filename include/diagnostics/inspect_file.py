"""Everything known about one staged file: its ledger row, manifest, checks, refused lines and decisions."""

from __future__ import annotations

import re
from typing import Any

from include.errors import TerminalError
from include.ledger.decisions import decisions_of
from include.warehouse.engine import Warehouse

#: Of a check; the rest is in the row of the file.
_CHECK_COLUMNS = ("rule_id", "severity", "is_passed", "checked", "failed", "detail")
_HASH = re.compile(r"[0-9a-f]{12,64}")


def inspect_file(warehouse: Warehouse, text: str) -> dict[str, Any]:
    """Return the sections ``file``, ``manifest``, ``checks``, ``refused`` and ``decisions`` of one staged file; of several with one hash only ``files``.

    Args:
        text: its number in the ledger, the path or name of a staged file, or at least 12 digits of its content's hash.

    Raises:
        TerminalError: there is none.
    """
    file_id = int(text) if text.isdecimal() and len(text) < 12 else None
    found = None if file_id is not None else _HASH.search(text.rsplit("--", 1)[-1])
    values = {"file_id": file_id, "hash_start": found[0] if found else None}
    with warehouse.transaction() as connection:
        rows = [dict(row) for row in connection.run("inspection/describe_file", values).fetchall()]
        if len(rows) != 1:
            return _several(rows, text)
        number = rows[0]["file_id"]
        reasons = connection.run("diagnostics/list_reasons", {"file_ids": [number], "night": None}).fetchall()
        results = connection.run("ledger/list_results", {"file_id": number}).fetchall()
        decisions = decisions_of(connection, number)
    manifest = rows[0].pop("manifest")
    return {
        "file": rows[0],
        "manifest": manifest,
        "checks": [{name: row[name] for name in _CHECK_COLUMNS} for row in results],
        "refused": [dict(row) for row in reasons],
        "decisions": decisions,
    }


def _several(rows: list[dict[str, Any]], text: str) -> dict[str, Any]:
    if not rows:
        raise TerminalError(
            f"the ledger has no file {text!r}. Give its number, its path, or 12 digits of its hash; `aisleflow store files RETAILER:STORE` lists numbers."
        )
    return {"files": [{name: row[name] for name in ("file_id", "retailer", "store_id", "night", "run_key", "state")} for row in rows]}
