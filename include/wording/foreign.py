"""Foreign text: what a retailer, a site or a file wrote, rendered for the place where people or programs read it.

The same text does different harm in different places: an escape sequence drives a terminal, a bracket is markup in Markdown, and a
leading ``=`` is a formula in a spreadsheet. Every output of foreign text goes through :func:`render`.
"""

from __future__ import annotations

from enum import Enum

_MARKUP = frozenset("\\*_`~<>[]#|&")
#: First characters that make a spreadsheet compute a cell; the wide forms do in some locales.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


class Medium(Enum):
    """Where a text is shown."""

    TERMINAL = "terminal"
    MARKDOWN = "Markdown"
    SPREADSHEET = "spreadsheet"


def render(text: str, medium: Medium) -> str:
    """Render one foreign text; the result of ``TERMINAL`` and ``MARKDOWN`` is one line of printable characters.

    Control characters, line ends, invisible and direction-changing characters become visible escapes. In Markdown, characters of markup
    are escaped too. For a spreadsheet only the beginning matters: a text that would be a formula gets a leading apostrophe, all else
    stays as it is, because programs read the file as well.

    >>> render("R1 \\x1b[2J\\n", Medium.TERMINAL), render("[red]R1", Medium.TERMINAL)
    ('R1 \\\\x1b[2J\\\\n', '[red]R1')
    >>> render("<b>*R1*", Medium.MARKDOWN)
    '\\\\<b\\\\>\\\\*R1\\\\*'
    >>> render("=cmd|' /C calc'!A0", Medium.SPREADSHEET), render("Milk 2L", Medium.SPREADSHEET)
    ("'=cmd|' /C calc'!A0", 'Milk 2L')
    """
    if medium is Medium.SPREADSHEET:
        return f"'{text}" if text.startswith(_FORMULA) else text
    printable = text if text.isprintable() else "".join(map(_printable, text))
    if medium is Medium.TERMINAL:
        return printable
    return "".join(f"\\{character}" if character in _MARKUP else character for character in printable)


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace() and character > "\x85":  # a wide or non-breaking space, not a line end
        return " " if character not in "\u2028\u2029" else character.encode("unicode_escape").decode()
    return character.encode("unicode_escape").decode()
