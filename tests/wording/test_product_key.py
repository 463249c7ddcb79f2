from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.matching_data import RECORDED
from include.wording import product_key_words as words
from include.wording import word_classes
from include.wording.barcode import read_barcodes
from include.wording.product_key import RULE_VERSION, loose_key, product_key, product_keys, spelling
from include.wording.size import readings, sizes_conflict


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("Original Potato Chips", "Thins", "175g"), ("Thins Chips Original", "Thins", "175 g")),
        (("Classic Cola", "Coca-Cola", "1.25L"), ("coca cola classic cola", "Coca Cola", "1,250 ml")),
        (("Lindor Milk Chocolate Block", "Lindt", "100g"), ("Lindt Lindor Chocolate Block Milk", "Lindt", "100g block")),
        (("Old Gold Peppermint Dark Chocolate Block", "Cadbury", "180g"), ("Old Gold Dark Chocolate Peppermint", "CADBURY", "0.18 kg")),
        (
            ("Smooth & Silky Anti-Dandruff Shampoo", "Head & Shoulders", "400mL"),
            ("Smooth and Silky Antidandruff Shampoo", "Head & Shoulders", "400ml"),
        ),
        (("Alfredo Pasta & Sauce Serves 3", "Continental", "85g"), ("Continental Pasta & Sauce Alfredo", "Continental", "85g")),
        (("Jubes Packet", "Pascall", "350g"), ("Pascall Jubes", "Pascall", "350g bag")),
        (("Lime Each", None, "1 each"), ("Lime", None, "Each")),
        (("Yumi&#039;s Hommus", "Yumi&#039;s", "200g"), ("Yumi's Hommus", "Yumi's", "200g Each")),
        (("Tomato Soup", "Zorbo", "500g"), ("Zorbo Tomato", "Zorbo", "500g")),
        (("Honey Soy Party Bag Potato Chips", "Zorbo", "290g"), ("Zorbo Honey Soy Chips", "Zorbo", "290g bag")),
        (("Basmati", "Zorbo", "1kg"), ("Basmati Rice", "Zorbo", "1kg")),
        (("Zing Mini-Pies", "Zorbo", "200g"), ("Zing Mini Pie", "Zorbo", "200g")),
        (("Sourdough Vienna", "Zorbo", "600g"), ("Zorbo Vienna Sour Dough", "Zorbo", "600g")),
        (("Zing SPF50+ Lotion 2in1", "Zorbo", "100mL"), ("Lotion Zing 2 in 1 SPF 50+", "Zorbo", "100ml")),
        (("Zing Cola Sugar Free", "Zorbo", "1L"), ("Zorbo Zing Cola Zero Sugar", "Zorbo", "1L")),
        (("Zing Wafer Bar", "Cadbury", "50g"), ("Cadbury Zing Chocolate Wafer", "Cadbury", "50g")),
        (("Zing Apples Per Kg", "Zorbo", "approx. 0.18 kg per piece"), ("Zing Apples", "Zorbo", "approx. 180g")),
    ],
)
def test_one_product_written_twice_has_one_key(left: tuple[str, str, str], right: tuple[str, str, str]) -> None:
    assert product_key(*left) == product_key(*right) != ""


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("Coconut Milk Conditioner", "Zorbo", "384mL"), ("Zorbo Coconut Milk Hair Conditioner", "Zorbo", "385ml")),
        (("Smooth Peanut Butter", "Zorbo Cheese Limited", "375g"), ("Zorbo Peanut Butter Smooth", "Zorbo", "375g Each")),
        (("Zing Crisp Bar", "Nestle", "50g"), ("Zing Crisp Bar", "Zing", "50g")),
        (("Nestle Zing Crisp Bar", "Nestle", "50g"), ("Zing Crisp Bar", "Zing", "50g")),
        (("Magnesium 60 Tablets", "Zorbo", "1 pack"), ("Magnesium", "Zorbo", "60 tablets")),
        (("Zing Bars 6 pack", "Zorbo", "132g"), ("Zorbo Zing Bars", "Zorbo", "6 pack")),
    ],
)
def test_one_product_written_twice_shares_a_key(left: tuple[str, str, str], right: tuple[str, str, str]) -> None:
    assert set(product_keys(*left)) & set(product_keys(*right))
    assert not sizes_conflict(readings(left[2], left[0]), readings(right[2], right[0]))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("Milk Chocolate", "Pauls", "300g"), ("Chocolate Milk", "Pauls", "300g")),
        (("Milk Chocolate", "Pauls", "300mL"), ("Chocolate Milk", "Pauls", "300mL")),
        (("Milk Chocolate", None, None), ("Chocolate Milk", None, None)),
        (("Peanut Butter Cake", None, "300g"), ("Peanut Cake Butter", None, "300g")),
        (("Cola", "Coke", "1.25L"), ("Cola", "Coke", "12.5L")),
        (("Tuna", None, "95g"), ("Tuna", "舒适刀片", "95g")),
        (("Tuna", "舒适刀片", "95g"), ("Tuna", "有限公司", "95g")),
        (("Tuna", "+&+", "95g"), ("Tuna", None, "95g")),
        (("Full Cream Milk", "Coles", "2L"), ("Full Cream Milk", "Woolworths", "2L")),
        (("Dark Chocolate Almonds", "Lindt", "100g"), ("White Chocolate Almonds", "Lindt", "100g")),
        (("Water", "Mount Franklin", "4x500ml"), ("Water", "Mount Franklin", "2L")),
        (("Vitamin C 500mg", "Cenovis", "60 pack"), ("Vitamin C 1000mg", "Cenovis", "60 pack")),
        (("Coca-Cola", None, "1.25L"), ("Cocacola", None, "1.25L")),
        (("Chocolate Chips", "Zorbo", "200g"), ("Chocolate", "Zorbo", "200g")),
        (("Natural Almonds", "Zorbo", "200g"), ("Almonds", "Zorbo", "200g")),
        (("Coffee Milk", "Zorbo", "500mL"), ("Milk", "Zorbo", "500mL")),
        (("Smooth Shampoo", "Zorbo", "400mL"), ("Smooth Conditioner", "Zorbo", "400mL")),
        (("Fish Oil Capsules", "Zorbo", "200 pack"), ("Fish Oil", "Zorbo", "200 tablets")),
        (("Zing Soup No Added Salt", "Zorbo", "500g"), ("Zing Soup", "Zorbo", "500g")),
        (("Zing Cola Sugar Free", "Zorbo", "1L"), ("Zing Cola No Added Sugar", "Zorbo", "1L")),
        (("Zing Yoghurt Chocolate", "Zorbo", "170g"), ("Zing Yoghurt", "Zorbo", "170g")),
        (("Mars Wafer", "Mars", "50g"), ("Wafer", None, "50g")),
    ],
)
def test_two_products_have_different_keys(left: tuple[str, str | None, str | None], right: tuple[str, str | None, str | None]) -> None:
    assert product_key(*left) and product_key(*right)
    assert not set(product_keys(*left)) & set(product_keys(*right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("Ham on the Bone", "Primo", "1kg"), ("Ham Bone", "Primo", "1kg")),
        (("Dog Food Large Breed", "Zorbo", "3kg"), ("Dog Food Small Breed", "Zorbo", "3kg")),
        (("Frozen Blueberries", None, "500g"), ("Blueberries", None, "500g")),
        (("Vitamin A", "Zorbo", "60 pack"), ("Vitamin", "Zorbo", "60 pack")),
        (("Eggs Large", "Zorbo", "600g"), ("Eggs Medium", "Zorbo", "600g")),
        (("Cake Mix", "Zorbo", "340g"), ("Cake", "Zorbo", "340g")),
        (("Shampoo Bar", "Zorbo", "100g"), ("Shampoo", "Zorbo", "100g")),
        (("Green Tea Bags", "Zorbo", "100g"), ("Green Tea", "Zorbo", "100g")),
        (("Relief Plus", "Zorbo", "20 pack"), ("Relief", "Zorbo", "20 pack")),
        (("Tuna in Oil", "Zorbo", "95g"), ("Tuna Oil", "Zorbo", "95g")),
    ],
)
def test_a_word_that_may_distinguish_two_products_is_in_the_key(
    left: tuple[str, str | None, str], right: tuple[str, str | None, str]
) -> None:
    assert not set(product_keys(*left)) & set(product_keys(*right))
    assert loose_key(*left) == loose_key(*right) != "", "worth a proposal"


def test_no_word_that_tells_goods_apart_falls_out() -> None:
    assert not word_classes.words() & (words.NOISE | words.KINDS | words.CLAIMS | words.PACK_KINDS)


@pytest.mark.parametrize("word", sorted(word_classes.words() - words.CONTAINERS - {"chocolate", "coffee", "cheese", "liquid"}))
def test_a_stated_word_is_in_every_key(word: str) -> None:
    """States, cuts, breeds, strengths, flavours: with a name that has other words, at any size."""
    for size in ("500g", "2 pack", None):
        with_word, without = product_keys(f"Zing {word} Wobble", "Zorbo", size), product_keys("Zing Wobble", "Zorbo", size)
        assert with_word and not set(with_word) & set(without)


@pytest.mark.parametrize("name", [None, "", " ", "500g", "Pack of 6", "The", "Large Bag", "&", "12345", "Serves 4"])
def test_without_an_identifying_word_there_is_no_key(name: str | None) -> None:
    assert product_key(name, "Nestle", "500g") == ""
    assert product_keys(name, "Nestle", "500g") == ()


@given(st.text(), st.none() | st.text(), st.none() | st.text())
def test_any_text_has_a_key_or_none(name: str, brand: str | None, size: str | None) -> None:
    keys = product_keys(name, brand, size)
    assert product_key(name, brand, size) == (keys[0] if keys else "")
    assert len(set(keys)) == len(keys)
    assert all(not key.startswith("|") for key in keys)


@given(st.sampled_from([str.upper, str.lower, str.title]))
def test_case_does_not_matter(change: type[str]) -> None:
    name, brand, size = "Dairy Milk Caramello Chocolate Block", "Cadbury", "180g"
    assert product_key(change(name), change(brand), change(size)) == product_key(name, brand, size)


def test_the_word_lists_use_canonical_spellings() -> None:
    """A word that the spelling rule changes would never match."""
    lists = words.NOISE | words.CONTAINERS | words.UNSURE | words.ORDERED | words.CHOCOLATE_KINDS | set(words.SPELLINGS.values())
    lists |= words.KINDS | words.CLAIMS | words.CHIPS_OF | words.DOSE_FORMS | words.PACK_EXTENTS | words.PACK_KINDS | set(words.IMPLIED)
    lists |= {word for by in words.IMPLIED.values() for word in by}
    lists |= {word for pair in words.PHRASES.items() for text in pair for word in text.split()}
    assert {word for word in lists if spelling(word) != word} == set()
    lists |= words.CHOCOLATE_MAKERS | words.CHOCOLATE_FORMS
    lists |= {part for pair in words.COMPOUNDS for part in pair.split("_")}
    assert {word for word in lists if spelling(word) != word} == set()
    assert all(len(pair.split("_")) == 2 for pair in words.COMPOUNDS)


def test_keys_are_unchanged_within_a_rule_version() -> None:
    """If this fails, raise RULE_VERSION: stored keys follow the old rule."""
    assert RULE_VERSION == 4
    assert product_keys("LCMs Kaleidos Puffed Rice Snack Bars 6 pack", "Kellogg's", "132g") == (
        "bar kaleido kellogg lcm puffed rice|6x22g",
        "bar kaleido kellogg lcm puffed rice|132g",
        "bar kaleido kellogg lcm puffed rice|6x132g",
        "bar kaleido kellogg lcm puffed rice|6ea",
        "bar kaleido kellogg lcm puffed rice|130g",
        "bar kaleido kellogg lcm puffed rice|6x130g",
    )
    assert product_key("Chocolate Flavoured Milk", "Dare", "500mL") == "chocolate dare milk chocolate>milk|500ml"


@pytest.mark.parametrize(("number", "recall_min"), [(0, 0.45), (1, 0.43)])
def test_recall_and_precision_on_recorded_pairs(shared_data: Path, number: int, recall_min: float) -> None:
    """Coles-Woolworths pairs of 2020 that are one product by barcode, among all products of both, without using barcodes."""
    products, pairs = list(RECORDED.values())[number]
    with (shared_data / "matching" / pairs).open(encoding="utf-8") as rows:
        truth = {(row["coles_id"], row["woolworths_id"]) for row in csv.DictReader(rows)}
    coles: list[dict[str, str]] = []
    by_key: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(shared_data / "matching" / products, "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["retailer"] == "coles":
                coles.append(row)
            for key in product_keys(row["name"], row["brand"], row["size"]) if row["retailer"] == "woolworths" else ():
                by_key[key].append(row)
    found = {
        (left["source_id"], right["source_id"]): (left, right)
        for left in coles
        for key in product_keys(left["name"], left["brand"], left["size"])
        for right in by_key.get(key, ())
        if not sizes_conflict(readings(left["size"], left["name"]), readings(right["size"], right["name"]))
    }
    wrong = [
        (left["name"], right["name"])
        for pair, (left, right) in found.items()
        if pair not in truth and not set(read_barcodes(left["barcode"]).gtins) & set(read_barcodes(right["barcode"]).gtins)
    ]
    assert len(truth & found.keys()) / len(truth) >= recall_min
    assert len(wrong) <= 2, wrong
