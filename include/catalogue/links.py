"""Decisions about pairs of SKUs, as facts that grouping reads: a person or the matcher joined them, or a person keeps them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of SKUs with the decision in force about it. ``score`` is the matcher's probability; None: a person decided.

    ``undone``: the matcher joined it and a person undid that, so no score joins it, not even over others.
    """

    left_sku_key: int
    right_sku_key: int
    decision_id: int
    choice: Literal["join", "apart", "undone"]
    score: float | None = None
