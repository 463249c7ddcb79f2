"""Chance that can be asked again: every number is a hash of what it is about, so nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_RANGE = 2.0**64


def random_int(*about: object) -> int:
    """Return a 64-bit number that depends on ``about`` and on nothing else.

    >>> random_int("milk", 7) == random_int("milk", 7), random_int("milk", 7) == random_int("milk", 8)
    (True, False)
    """
    return int.from_bytes(blake2b("|".join(map(str, about)).encode(), digest_size=8).digest())


def random_share(*about: object) -> float:
    """Return a number in [0, 1): ``share(…) < 0.24`` is true for 24 percent of all things."""
    return random_int(*about) / _RANGE


def pick(options: Sequence[T], *about: object) -> T:
    """Return one of ``options``, always the same one for the same ``about``."""
    return options[random_int(*about) % len(options)]
