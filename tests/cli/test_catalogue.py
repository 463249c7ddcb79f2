"""``aisleflow catalogue match``: lists as files, mistakes named, pairs written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.catalogue.matching import csv_lists
from include.cli.main import app

LEFT = 'id,brand,name,size,price,unit price\n1,Zorbo,"Apple Zing, Tub",170g,2.50,\n2,Zorbo,Pear Zing,Each,3.40,$1.13 each\n=3,Quux,Garden Hose,15m,,\n'
RIGHT = "name,size,id,brand,colour\nZorbo Zing Apple,170 g,a,Zorbo,red\nPear Zing,3 pack,b,ZORBO,\nGarden Hose,15m,=c,Quux,green\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "left.csv").write_text(LEFT)
    (tmp_path / "right.csv").write_text(RIGHT)
    return [str(tmp_path / "left.csv"), str(tmp_path / "right.csv"), "-o", str(tmp_path / "out.csv")]


def run(*arguments: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["catalogue", "match", *arguments])
    return answer.exit_code, answer.output


def test_two_lists_are_matched(files: list[str], tmp_path: Path) -> None:
    code, output = run(*files, "--json")
    assert code == 0, output
    counts = json.loads(output[output.index("{") :])
    assert (counts["left"], counts["right"], counts["automatic_by_key"] + counts["automatic_by_score"]) == (3, 3, 3)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as rows:
        found = list(csv.DictReader(rows))
    assert tuple(found[0]) == csv_lists.OUT_COLUMNS
    assert {(row["left_id"], row["right_id"]) for row in found} == {("1", "a"), ("2", "b"), ("'=3", "'=c")}, "a formula gets an apostrophe"
    assert all(row["tier"] == "automatic" and 0 <= float(row["score"]) <= 1 and row["reason"] for row in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column id and no column name"),
        ("sku,name\n1,Milk\n", "no column id"),
        ("id,name\n1,Milk\n1,Tea\n", "line 3: the id '1' is also on line 2"),
        ("id,name\n,Milk\n", "line 2: id is empty"),
        ("id,name\n1, \n", "line 2: name is empty"),
        ("id,name\n1,Milk,2L\n", "line 2: more fields than columns"),
        ("id,name,price\n1,Milk,1e999999999\n", "line 2: '1e999999999' is no price"),
        ("id,name,price\n1,Milk,cheap\n", "'cheap' is no price"),
        ("id,name,retailer\n1,Milk,corner\n", "unknown retailer 'corner'"),
        ('id,name\n1,"Milk\n', "after line 1: this is no CSV"),
        ('id,name\n1,Milk\n2,"12" Pizza"\n', "after line 2: this is no CSV"),
        ('"id,name\n1,Milk\n', "this is no CSV"),
        ("id,name,size,Size\n1,Milk,1L,2L\n", "the column size twice"),
        ("id,name,price\n1,Milk,$\n", "line 2: '$' is no price"),
        ('id,name,price\n1,Milk,"12,50"\n', "line 2: '12,50' is no price"),
        (f"id,name\n1,{'x' * 2_001}\n", "name has more than 2,000 characters"),
        (b"id,name\n1,Cr\xe8me\n", "no UTF-8 text"),
    ],
)
def test_a_mistake_is_named(files: list[str], tmp_path: Path, text: str | bytes, message: str) -> None:
    (tmp_path / "left.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    code, output = run(*files)
    assert code == 1 and message in output, output
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_other_delimiters_a_byte_order_mark_and_prices_with_signs(files: list[str], tmp_path: Path, delimiter: str) -> None:
    left = [
        ["id", "Name", "size", "price", "Unit Price", "notes", "notes"],
        ["1", "Pear Zing", "Each", "$1,003.40", "$334.47 each", "", ""],
        ["2", "Plum, Red", "", "$ .50", "", "", ""],
    ]
    text = "\r\n".join(delimiter.join(f'"{field}"' for field in row) for row in left)
    (tmp_path / "left.csv").write_text(f"\ufeff{text}\r\n\r\n", encoding="utf-8")
    assert [(item.name, item.price_cents) for item in csv_lists.read_list(tmp_path / "left.csv")] == [
        ("Pear Zing", 100340),
        ("Plum, Red", 50),
    ]
    code, output = run(*files)
    assert code == 0 and "1 by score" in output, output


def test_a_list_without_products_has_no_pairs(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text("id,name\n")
    code, output = run(*files)
    assert code == 0 and "0 and 3 products: 0 pairs" in output
    assert (tmp_path / "out.csv").read_text() == f"{','.join(csv_lists.OUT_COLUMNS)}\n"


def test_a_list_beyond_the_bound_is_refused(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lists, "ROWS_MAX", 2)
    code, output = run(*files)
    assert code == 1 and "more than 2 products" in output


def test_a_list_is_never_overwritten_and_a_folder_is_no_list(files: list[str], tmp_path: Path) -> None:
    code, output = run(*files[:3], files[1])
    assert code == 2 and "is one of the lists" in output
    assert (tmp_path / "right.csv").read_text() == RIGHT
    code, output = run(str(tmp_path), *files[1:])
    assert code == 1 and "is no file" in output


def test_a_missing_list_and_a_missing_folder_are_named(files: list[str], tmp_path: Path) -> None:
    code, output = run(str(tmp_path / "none.csv"), *files[1:])
    assert code == 1 and "none.csv cannot be read" in output
    code, output = run(*files[:3], str(tmp_path / "none" / "out.csv"))
    assert code == 1 and "cannot be written" in output
