"""Normalisation of the retailers' texts. Pure functions, standard library only."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

# Only entities that end in a semicolon are certainly entities: html.unescape alone turns "fish&chips&notes" into "fish&chips¬es".
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Control characters and invisible ones from word processors: zero-width space, soft hyphen, byte order mark.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b\u00ad\ufeff]")

# PostgreSQL stores no NUL, UTF-8 has no half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# One UTF-8 continuation byte (0x80-0xBF) as it looks after a wrong decoding as Latin-1 or Windows-1252.
_CONTINUATION = f"[\x80-\xbf{bytes(range(0x80, 0xA0)).decode('cp1252', errors='ignore')}]"
# Two-byte sequences only after Â and Ã: an upper-case É before ® or ™ is correct text ("NESTLÉ®").
_DAMAGE = re.compile(f"\ufffd|[ÂÃ]{_CONTINUATION}|[â-ï]{_CONTINUATION}{{2}}|ð{_CONTINUATION}{{3}}")

_APOSTROPHES = "'`\u2019\u2018\u02bc\u00b4\uff07"
_NOT_LETTERS = {code: " " for code in range(128) if not chr(code).isalnum()} | {ord(mark): None for mark in _APOSTROPHES[:2]}
_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "þ": "th", "\u0131": "i"} | dict.fromkeys(_APOSTROPHES, "")
)


def storable(text: str) -> str:
    """Return a text that UTF-8 and PostgreSQL can store: NUL and lone surrogates are replaced by U+FFFD.

    >>> storable("Firle\\x00 East"), storable("\\ud800"), storable("Crème")
    ('Firle\\ufffd East', '\\ufffd', 'Crème')
    """
    return _UNSTORABLE.sub("\ufffd", text)


def clean(text: str | None) -> str | None:
    """Clean a text: HTML entities decoded, white space collapsed, NUL is white space, ends trimmed; None for an empty text.

    Other characters stay unchanged: :func:`is_damaged` reports a damaged accent, and it is not guessed.

    >>> clean("  Yumi&#039;s  Quality\\u00a0Foods ")
    "Yumi's Quality Foods"
    >>> clean("Fish &amp;amp; Chips"), clean("R&D bars"), clean(" \\t")
    ('Fish & Chips', 'R&D bars', None)
    """
    if text is None:
        return None
    while "&" in text and (decoded := _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)) != text:
        text = decoded  # sources encode twice
    if not text.isprintable():
        text = _INVISIBLE.sub("", text.replace("\x00", " "))
    return " ".join(text.split()) or None


@lru_cache(maxsize=32_768)
def fold(text: str) -> str:
    """Words for comparison: lower case, Latin accents folded, apostrophes deleted, other punctuation replaced by a space.

    Letters and digits of every script stay, so a text with a letter never becomes empty. Folding is idempotent.

    >>> fold("Kellogg's  Coca-Cola"), fold("NESTLÉ Crème"), fold("1.25L"), fold("12.5L")
    ('kelloggs coca cola', 'nestle creme', '1 25l', '12 5l')
    >>> fold("Yumi&#039;s"), fold("舒适刀片(广州)有限公司"), fold("\\uff30\\uff06\\uff27")
    ('yumis', '舒适刀片 广州 有限公司', 'p g')
    >>> fold(" !? ")
    ''
    """
    if "&" in text:
        text = clean(text) or ""
    if text.isascii():
        return " ".join(text.lower().translate(_NOT_LETTERS).split())
    folded = _fold_any_script(text)
    while (again := _fold_any_script(folded)) != folded:
        folded = again  # a few letters decompose into others that fold again
    return folded


def _fold_any_script(text: str) -> str:
    text = _INVISIBLE.sub("", text).translate(_LETTERS_WITHOUT_DECOMPOSITION)
    text = unicodedata.normalize("NFKD", text.casefold())
    text = text.translate(_LETTERS_WITHOUT_DECOMPOSITION)
    # U+0300-U+036F are the accents of Latin, Greek and Cyrillic; the marks of other scripts are vowels and stay.
    text = unicodedata.normalize("NFKC", "".join(char for char in text if not "\u0300" <= char <= "\u036f"))
    return " ".join("".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in text).split())


def is_damaged(text: str | None) -> bool:
    """Whether the text was certainly decoded wrongly: U+FFFD, or UTF-8 read as Latin-1 or Windows-1252.

    >>> is_damaged("NestlÃ©"), is_damaged("Kelloggâ€™s"), is_damaged("Nestl\\ufffd")
    (True, True, True)
    >>> is_damaged("Nestlé"), is_damaged("NESTLÉ®"), is_damaged("Ärla 5 °C"), is_damaged(None)
    (False, False, False, False)
    """
    return text is not None and not text.isascii() and _DAMAGE.search(text) is not None
