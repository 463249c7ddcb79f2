"""Test parameters of which some run always, and all in the campaign."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], count: int) -> list[Any]:
    """Return all values as parameters: ``count`` of them, evenly spread, run always, the others only in the campaign.

    >>> [value for value in sampled("abcdef", 2) if isinstance(value, str)]
    ['a', 'd']
    """
    every = list(values)
    kept = {len(every) * number // count for number in range(count)}
    return [value if number in kept else pytest.param(value, marks=pytest.mark.campaign) for number, value in enumerate(every)]
