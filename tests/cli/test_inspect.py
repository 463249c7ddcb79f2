"""``aisleflow inspect …``, ``catalogue tables`` and ``catalogue duplicates`` as a user sees them: sections, unknown things, a narrow terminal, JSON."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from include.catalogue.tables import write_tables
from include.cli.main import app
from include.cli.output import print_sections
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, C, tea
from tests.ingestion.store_days import StoreDays
from tests.warehouse.looking import one, product_of

#: A name with everything that a terminal, markup, JSON or a table of bytes could take for its own.
HOSTILE = 'Zorbo \u202egreen\x1b[2J "Tea" \\N\t[/b]' + "x" * 300


@pytest.fixture
def call(warehouse: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on the test's warehouse and storage."""
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def known(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Warehouse:
    """A tea of three retailers and a rice of two; two products share a barcode, two share everything else."""
    lines = {
        "coles": [tea("c", A), tea("r", C, name="Zorbo Rice")], "iga": [tea("i", A, name=HOSTILE), tea("s", C, name="Zorbo Long Rice")], "woolworths": [tea("w", B), tea("x", A, size="250g")],
    }  # fmt: skip
    for retailer, found in lines.items():
        store_day(retailer, lines=found, complete=False)
        pipeline.ingest(warehouse, storage, retailer)
    write_tables(warehouse, storage)
    return warehouse


def test_each_command_shows_its_sections_and_hides_nothing_in_json(call: Callable[..., Result], known: Warehouse) -> None:
    shown = {
        ("inspect", "product", "coles:c"): ("product", "skus", "barcodes", "keys"), ("inspect", "store", "woolworths:1"): ("store", "files"),
        ("inspect", "file", str(one(known, "SELECT min(file_id) FROM ops.staged_file"))): ("file", "manifest", "checks"),
        ("inspect", "sku", "iga:i"): ("sku",), ("inspect", "barcode", A): ("claims",), ("catalogue", "duplicates"): ("counts", "equal_products", "shared_barcodes"),
    }  # fmt: skip
    for arguments, sections in shown.items():
        plain, as_json = call(*arguments), call(*arguments, "--json")
        assert (plain.exit_code, as_json.exit_code) == (0, 0), (arguments, plain.output, as_json.output)
        titles = [line.rstrip() for line in plain.stdout.splitlines()]
        found = json.loads(as_json.stdout)
        assert set(sections) <= set(titles) and set(sections) <= found.keys(), (arguments, titles, found.keys())
        assert all(line.isprintable() for line in plain.stdout.splitlines()), "foreign text drives nothing"
        if arguments[0] == "inspect" and arguments[1] in ("product", "sku"):
            assert HOSTILE in str(found) or "x" * 300 in as_json.stdout, "JSON has the whole name"


def test_tables_are_shown_with_their_entries(call: Callable[..., Result], known: Warehouse) -> None:
    plain, as_json = call("catalogue", "tables", "--show"), call("catalogue", "tables", "--show", "--write", "--json")
    assert plain.exit_code == as_json.exit_code == 0, plain.output + as_json.output
    found = json.loads(as_json.stdout)
    assert found["changed"] == [], "writing again changes nothing"
    (entry,) = [row for row in found["entries"] if row["table"] == "product"]
    assert entry["variation"] in plain.stdout and entry["canonical"] in plain.stdout and found["tables"][1]["etag"] in plain.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("product", "coles:nothing"), 1, "aisleflow prices"), (("sku", "coles:nothing"), 1, "aisleflow prices"), (("sku", "corner:1"), 2, "known"),
        (("store", "coles:COL:9"), 1, "aisleflow store list"), (("store", "COL:9"), 2, "retailer:store_id"), (("file", "nothing"), 1, "aisleflow store files"),
        (("barcode", "9310072001234"), 1, "aisleflow inspect sku"), (("barcode", "tea"), 1, "not digits"), (("match", "coles:c", "coles:c"), 1, "itself"),
        (("match", "coles", "iga:i"), 1, "retailer:sku"),
    ],
)  # fmt: skip
def test_what_is_unknown_says_where_to_look(arguments: tuple[str, ...], code: int, message: str, call: Callable[..., Result]) -> None:
    answer = call("inspect", *arguments)
    assert answer.exit_code == code and message in answer.stderr, answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("columns", [80, 300])
def test_many_columns_are_names_and_values_on_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    rows: list[dict[str, Any]] = [{f"column{n}": f"a value {n}" for n in range(12)} | {"product_ids": [5693, 6358]} for _ in range(2)]
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    print_sections("a thing", {"skus": rows, "few": [{"a": 1, "b": 2}]})
    shown = terminal.getvalue()
    assert ("skus, 2 of 2" in shown) == (columns == 80) and "few" in shown and "few, 1 of 1" not in shown
    assert "a value 11" in shown and "5693, 6358" in shown


def test_an_empty_warehouse_has_nothing_to_show(call: Callable[..., Result], tmp_path: Path) -> None:
    duplicates, tables = call("catalogue", "duplicates"), call("catalogue", "tables", "--json")
    assert duplicates.exit_code == tables.exit_code == 0
    assert [row["etag"] for row in json.loads(tables.stdout)["tables"]] == [None, None]


def test_a_product_without_skus_is_shown(call: Callable[..., Result], known: Warehouse) -> None:
    """A merge leaves one behind; its number is still in logs."""
    number = product_of(known, "w", "woolworths")
    with known.transaction() as connection:
        connection.execute(
            "UPDATE core.sku SET product_id = %s, home_product_id = NULL WHERE sku = 'w'", (product_of(known, "c", "coles"),)
        )
    answer = call("inspect", "product", str(number))
    assert answer.exit_code == 0, answer.output
