"""Deterministic pseudo-random numbers: each is a hash of its arguments, so nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_RANGE = 2.0**64


def random_int(*about: object) -> int:
    """Return a 64-bit number that depends only on ``about``.

    >>> random_int("milk", 7) == random_int("milk", 7), random_int("milk", 7) == random_int("milk", 8)
    (True, False)
    """
    return int.from_bytes(blake2b("|".join(map(str, about)).encode(), digest_size=8).digest())


def random_share(*about: object) -> float:
    """Return a number in [0, 1): ``random_share(…) < 0.24`` is true for 24 percent of all arguments."""
    return random_int(*about) / _RANGE


def pick(options: Sequence[T], *about: object) -> T:
    """Return one of ``options``, always the same for the same ``about``."""
    return options[random_int(*about) % len(options)]
