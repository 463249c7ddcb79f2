from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.wording.text import clean, fold, is_damaged


def test_punctuation_is_spaced_and_apostrophes_deleted() -> None:
    assert fold("Coca-Cola") == fold("coca cola") == "coca cola"
    assert fold("Kellogg's") == fold("Kellogg\u2019s") == fold("Kelloggs")
    assert fold("1.25L") != fold("12.5L")
    assert fold("snake_case") == "snake case"


@pytest.mark.parametrize("text", ["舒适刀片", "Ｐ＆Ｇジャパン", "Ήλιος", "Кефир", "हिन्दी", "ไทย", "한국", "שלום"])
def test_no_script_is_folded_to_an_empty_text(text: str) -> None:
    assert fold(text)
    assert fold(text) != fold("")


def test_vowel_marks_stay_and_accents_are_removed() -> None:
    assert fold("Crème Brûlée Ærø Straße") == "creme brulee aero strasse"
    assert fold("ไทย") != fold("ไทยี")
    assert fold("パン") != fold("ハン")


def test_folding_twice_changes_no_character() -> None:
    changed = [code for code in range(0x20000) if fold.__wrapped__(once := fold.__wrapped__(chr(code))) != once]
    assert changed == []


def test_invisible_characters_are_removed() -> None:
    assert fold("zero\u200bwidth caf\u00ade") == "zerowidth cafe"


@given(st.text())
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_case_and_outer_spaces_do_not_matter(text: str) -> None:
    assert fold(f"  {text}\t") == fold(text)
    if text.isascii() and "&" not in text:  # an entity's name is case-sensitive
        assert fold(text.upper()) == fold(text)


@given(st.text(st.characters(categories=["L"]), min_size=1).filter(lambda text: any(unicodedata.category(char) != "Lm" for char in text)))
def test_a_letter_is_never_removed(text: str) -> None:
    assert fold(text)


def test_clean_decodes_and_trims_only() -> None:
    assert clean("Obela Fresh Dips &amp; Spreads\r\n Pty") == "Obela Fresh Dips & Spreads Pty"
    assert clean("HEINZ WATTIE&#039;S") == "HEINZ WATTIE'S"
    assert clean("zero\u200bwidth\x00") == "zerowidth"
    assert clean("NestlÃ©") == "NestlÃ©"
    assert clean("a &lt b &para c") == "a &lt b &para c"  # without a semicolon it may not be an entity
    assert clean("\u00a0") is None and clean(None) is None


@given(st.text())
def test_clean_is_idempotent(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text("éèêëàâäçñöüÉ", min_size=1))
def test_utf8_read_as_latin1_or_windows1252_is_detected(text: str) -> None:
    assert is_damaged(text.encode().decode("latin-1"))
    assert not is_damaged(text)


@pytest.mark.parametrize("text", ["Donâ€™t", "Jalapeño Ã±", "5\ufffdC", "ï¿½", "ðŸ˜€", "æ—¥"])
def test_damage_is_detected(text: str) -> None:
    assert is_damaged(text)


@pytest.mark.parametrize("text", ["NESTLÉ®", "CAFÉ™", "PÂTÉ", "São Tomé", "Würze 5–10 %", "日本", "«Crème» …", "Smørrebrød", ""])
def test_correct_text_is_not_reported(text: str) -> None:
    assert not is_damaged(text)
