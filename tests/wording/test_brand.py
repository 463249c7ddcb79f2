from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.wording.brand import fold_brand, own_label_of
from include.wording.brand_own_labels import OWN_LABELS
from include.wording.text import fold


def test_spellings_of_one_brand_are_equal_when_folded() -> None:
    assert fold_brand("Oral B") == fold_brand("ORAL-B ") == "oral b"
    assert fold_brand("Captain's") == fold_brand("CAPTAINS")
    assert fold_brand("Yumi&#039;s") == fold_brand("Yumi's")


@pytest.mark.parametrize("brand", [None, "", "  ", "Unbranded", "N/A", "Licensee name withheld for privacy reasons"])
def test_no_brand(brand: str | None) -> None:
    assert fold_brand(brand) == ""


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1))
def test_a_brand_never_folds_to_no_brand(brand: str) -> None:
    if fold(brand) not in {"unbranded", "branded", "unknown", "none", "null"}:
        assert fold_brand(brand)


@pytest.mark.parametrize(
    ("brand", "retailer"),
    [
        ("Coles", "coles"), ("COLES KITCHEN", "coles"), ("I'm Perfect", "coles"), ("Woolworths Gold", "woolworths"),
        ("Macro", "woolworths"), ("Community Co", "iga"), ("Black & Gold", "iga"), ("Black and Gold", "iga"),
        ("CHOCEUR", "aldi"), ("chefs' cupboard", "aldi"),
        ("Macro Mike", None), ("Coles Limited", None), ("Colestown", None), ("Cadbury", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_own_labels(brand: str | None, retailer: str | None) -> None:
    assert own_label_of(brand) == retailer


def test_the_table_is_written_in_folded_brands() -> None:
    assert all(fold_brand(label) == label for label in OWN_LABELS)


def test_no_other_retailer_sells_an_own_label(shared_data: Path) -> None:
    for path in sorted((shared_data / "store-days").glob("*.jsonl.gz")):
        retailer = path.name.split("-")[0]
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            labels = {own_label_of(json.loads(line)["product"].get("brand")) for line in lines}
        assert labels == {retailer, None}
