"""The score of a pair: a logistic model over the features, then over its own score and the margins to the best rivals.

``python -m benchmarks.matching fit`` learns the coefficients from the recorded pairs and prints them in this form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from include.catalogue.matching.features import FEATURES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Feature -> log-odds of one unit.
COEFFICIENTS = {
    "constant": -4.42, "brand_equal": 1.91, "brand_related": 0.85, "brand_in_name": 1.31, "brand_unknown": 0.24, "brand_apart": -2.38,
    "size_equal": 1.21, "size_other_reading": 0.47, "size_unknown": -1.67,
    "words_shared": 0.76, "words_shared_share": 0.43, "words_contained": 2.10, "all_words": 0.58, "no_words": 1.83,
    "left_over_left": -0.88, "left_over_right": -1.42, "left_over_both": -1.71, "opposite_words": -1.66, "telling_words": -2.76,
    "class_conflict": -1.67, "class_one_sided": -0.42, "number_conflict": -0.69, "number_one_sided": 0.15,
}  # fmt: skip
#: Log-odds of the final score: constant, the first score, the smaller and the larger margin.
MARGIN_COEFFICIENTS = (-0.77, 0.66, 0.50, 0.03)
MARGIN_MAX = 6.0


def first_scores(values: Floats, coefficients: Floats | None = None) -> Floats:
    """Log-odds of pairs (rows of feature values), each pair for itself."""
    if coefficients is None:
        coefficients = np.array([COEFFICIENTS[name] for name in ("constant", *FEATURES)])
    scores: Floats = coefficients[0] + np.einsum("ij,j->i", values, coefficients[1:])
    return scores


def margins(left: Integers, right: Integers, scores: Floats) -> Floats:
    """Rows of two numbers for each pair: the smaller and the larger of its margins to the best rival pair of either listing, within ±6."""
    found = np.column_stack([_margins(left, scores), _margins(right, scores)])
    return np.sort(found, axis=1)


def probabilities(scores: Floats, pair_margins: Floats, coefficients: tuple[float, ...] = MARGIN_COEFFICIENTS) -> Floats:
    """Probability of each pair to be one product, given that the two lists are catalogues of whole retailers."""
    constant, own, smaller, larger = coefficients
    log_odds = constant + own * scores + smaller * pair_margins[:, 0] + larger * pair_margins[:, 1]
    return 1.0 / (1.0 + np.exp(-log_odds))


def _margins(listings: Integers, scores: Floats) -> Floats:
    """Score minus the best other score of the same listing."""
    if not len(scores):
        return scores
    order = np.lexsort((-scores, listings))
    ordered = scores[order]
    is_first = np.r_[True, np.diff(listings[order]) != 0]
    starts = np.flatnonzero(is_first)
    group = np.cumsum(is_first) - 1
    is_single = np.diff(np.r_[starts, len(order)]) == 1
    second = np.where(is_single, -np.inf, ordered[np.minimum(starts + 1, len(order) - 1)])
    rival = np.where(is_first, second[group], ordered[starts][group])
    found = np.empty_like(scores)
    found[order] = np.clip(ordered - rival, -MARGIN_MAX, MARGIN_MAX)
    return found
