"""Learns the coefficients of the matcher from pairs with a known verdict: regularised logistic regression by Newton's method."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.matching_data import Lists
from include.catalogue.matching.features import FEATURES
from include.catalogue.matching.model import Floats, Integers, first_scores, margins
from include.catalogue.matching.pairs import Pairs

_UNKNOWN = -1
#: Pairs whose first score is lower are no rivals of anything; they would only flatten the second step.
_SCORE_MIN = -6.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Compared pairs with their verdicts: 1 one product, 0 two, -1 unknown. ``own`` marks those of the listings that count here."""

    lists: Lists
    pairs: Pairs
    verdicts: Integers
    own: np.typing.NDArray[np.bool_]
    true_pairs: int

    @property
    def is_known(self) -> np.typing.NDArray[np.bool_]:
        """The rows to learn from."""
        known: np.typing.NDArray[np.bool_] = self.own & (self.verdicts != _UNKNOWN)
        return known


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Those of both steps, in the order of :mod:`include.catalogue.matching.model`."""

    first: Floats
    second: tuple[float, ...]

    def __str__(self) -> str:
        named = (f'"{name}": {value:.2f}' for name, value in zip(("constant", *FEATURES), self.first, strict=True))
        return f"COEFFICIENTS = {{{', '.join(named)}}}\nMARGIN_COEFFICIENTS = ({', '.join(f'{value:.2f}' for value in self.second)})"


def judge(lists: Lists, pairs: Pairs, own_left: Collection[str] | None = None) -> Judged:
    """Judge compared pairs by the barcodes; with ``own_left`` only those left listings count, the others are rivals."""
    ids = [
        (pairs.left[mine].listing.id, pairs.right[other].listing.id)
        for mine, other in zip(pairs.left_at.tolist(), pairs.right_at.tolist(), strict=True)
    ]
    verdicts = [_UNKNOWN if (verdict := lists.verdict(*pair)) is None else int(verdict) for pair in ids]
    own = [own_left is None or mine in own_left for mine, _ in ids]
    true_pairs = sum(own_left is None or mine in own_left for mine, _ in lists.pairs)
    return Judged(lists, pairs, np.array(verdicts), np.array(own), true_pairs)


def fit(sets: Sequence[Judged]) -> Coefficients:
    """Fit both steps on the same pairs."""
    first = _logistic(np.vstack([s.pairs.values[s.is_known] for s in sets]), np.concatenate([s.verdicts[s.is_known] for s in sets]), 1.0)
    rows, verdicts = [], []
    for found in sets:
        own = first_scores(found.pairs.values, first)
        chosen = found.is_known & (own > _SCORE_MIN)
        rows.append(np.column_stack([own, margins(found.pairs.left_at, found.pairs.right_at, own)])[chosen])
        verdicts.append(found.verdicts[chosen])
    return Coefficients(first, tuple(_logistic(np.vstack(rows), np.concatenate(verdicts), 0.3).tolist()))


def _logistic(values: Floats, verdicts: Integers, ridge: float) -> Floats:
    rows = np.column_stack([np.ones(len(values)), values])
    found = np.zeros(rows.shape[1])
    penalty = np.diag([1e-6, *[ridge] * values.shape[1]])
    for _ in range(50):
        likely = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30, 30)))
        gradient = rows.T @ (verdicts - likely) - penalty @ found
        step = np.linalg.solve((rows * (likely * (1.0 - likely))[:, None]).T @ rows + penalty, gradient)
        found += step
        if np.abs(step).max() < 1e-6:
            return found
    raise ArithmeticError("the fit does not settle: are there pairs of both verdicts?")
