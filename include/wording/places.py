"""Store locations: cleans the states, postcodes and coordinates of store finders and directories.

The rules and exceptions come from a directory of 5,701 stores: spaces after a state, a postcode in the
state's field, postcodes without their leading zero, and (0, 0) for an unknown position.
"""

from __future__ import annotations

from typing import Any

from include.clock import STATE_ZONES

#: First and last postcode of each state's ranges (post boxes and large receivers included).
_POSTCODES: tuple[tuple[int, int, str], ...] = (
    (200, 299, "ACT"), (800, 999, "NT"), (1000, 2599, "NSW"), (2600, 2618, "ACT"), (2619, 2899, "NSW"), (2900, 2920, "ACT"),
    (2921, 2999, "NSW"), (3000, 3999, "VIC"), (4000, 4999, "QLD"), (5000, 5999, "SA"), (6000, 6999, "WA"), (7000, 7999, "TAS"),
    (8000, 8999, "VIC"), (9000, 9999, "QLD"),
)  # fmt: skip

#: The continent, Tasmania and the islands with shops, in degrees north and east.
_SOUTH, _NORTH, _WEST, _EAST = -44.0, -9.0, 112.0, 154.0


def postcode(value: Any) -> str | None:
    """Return a postcode as four digits; three digits get a leading zero.

    >>> postcode("800"), postcode(" 3151"), postcode(2620), postcode("ACT")
    ('0800', '3151', '2620', None)
    """
    digits = str(value if value is not None else "").strip()
    return digits.zfill(4) if digits.isascii() and digits.isdigit() and len(digits) in (3, 4) else None


def state(value: Any) -> str | None:
    """Return one of the eight states in upper case, ``None`` for anything else.

    >>> state("act "), state("2913")
    ('ACT', None)
    """
    found = str(value or "").strip().upper()
    return found if found in STATE_ZONES else None


def state_of_postcode(code: str | None) -> str | None:
    """Return the state of a postcode.

    >>> state_of_postcode("0800"), state_of_postcode("2617"), state_of_postcode("6018"), state_of_postcode(None)
    ('NT', 'ACT', 'WA', None)
    """
    return next((name for first, last, name in _POSTCODES if first <= int(code) <= last), None) if code else None


def state_and_postcode(raw_state: Any, raw_postcode: Any) -> tuple[str | None, str | None]:
    """Return state and postcode of an address; a postcode in the state's field is moved, and a missing state is derived from the postcode.

    >>> state_and_postcode("6018", None), state_and_postcode("ACT ", "2617"), state_and_postcode(None, "800"), state_and_postcode(None, None)
    (('WA', '6018'), ('ACT', '2617'), ('NT', '0800'), (None, None))
    """
    code = postcode(raw_postcode) or postcode(raw_state)
    return state(raw_state) or state_of_postcode(code), code


def position(latitude: Any, longitude: Any) -> tuple[float | None, float | None]:
    """Return a position in degrees, ``(None, None)`` if it is missing, not a number or outside Australia ((0, 0) often means "unknown").

    >>> position("-37.85", "145.1"), position(0, 0), position("37.85", "145.1"), position("x", None)
    ((-37.85, 145.1), (None, None), (None, None), (None, None))
    """
    try:
        found = float(latitude), float(longitude)
    except (TypeError, ValueError):
        return None, None
    return found if _SOUTH <= found[0] <= _NORTH and _WEST <= found[1] <= _EAST else (None, None)
