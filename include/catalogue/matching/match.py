"""Match two lists: which listings of the left one are which of the right one, how certainly, and why.

*Automatic* pairs may be joined without a person: an equal key, equal words, or a score that proved right in 98 of 100 recorded pairs. *Waiting* pairs are worth a
person's look. Pairs below are not reported. Each listing is in one pair at most, and the outcome does not depend on the order of the lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from include.catalogue.matching.aliases import aliases_from_names, learn_aliases, merge_aliases
from include.catalogue.matching.candidates import candidates
from include.catalogue.matching.exact import Method, exact_pairs
from include.catalogue.matching.features import FEATURES, Aliases, Comparison, compare
from include.catalogue.matching.listing import Described, Listing, describe
from include.catalogue.matching.model import Floats, first_scores, margins, probabilities
from include.catalogue.matching.pairs import Pairs
from include.catalogue.matching.words import WordStatistics, word_statistics

#: Receives what is done, the number of listings or pairs done so far, and of all.
Progress = Callable[[str, int, int], None]
_PROGRESS_STEPS = 20

AUTOMATIC_MIN = 0.9
WAITING_MIN = 0.2
#: Equal words of which the model makes two products likelier than one: a rival fits better.
WORDS_MIN = 0.5
#: Two brands of which nothing says that they are one are worth a look only where the rest makes one product likelier than two.
WAITING_APART_MIN = 0.5
#: Weight of words on both sides that the other one lacks, from which a person decides: each side says something else.
_LEFT_OVER_BOTH_MAX = 0.2


class Tier(StrEnum):
    """What may be done with a pair."""

    AUTOMATIC = "automatic"
    WAITING = "waiting"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Match:
    """A pair of listings (their ids), its probability between 0 and 1, and the reason in words."""

    left_id: str
    right_id: str
    score: float
    tier: Tier
    method: Method
    reason: str


def compare_lists(
    left: Iterable[Listing],
    right: Iterable[Listing],
    aliases: Aliases | None = None,
    progress: Progress | None = None,
    is_learning: bool = True,
) -> Pairs:
    """Compare each listing of the left list with its candidates of the right one.

    ``aliases`` are known ones; while ``is_learning``, further ones are taken from listings that share a barcode and from names that agree.
    """
    mine, other = describe(left, right)
    statistics = word_statistics(mine, other)
    known = merge_aliases(aliases or {}, learn_aliases(same_barcode(mine, other)) if is_learning else {})
    chosen = _candidates(mine, other, statistics, known, progress)
    if is_learning and (learnt := aliases_from_names(mine, other, chosen, statistics)):
        known = merge_aliases(known, learnt)
        chosen = _candidates(mine, other, statistics, known, progress)
    positions = [(position, at) for position, found in enumerate(chosen) for at in found]
    return compare_pairs(mine, other, positions, statistics, known, progress)


def _candidates(
    left: list[Described], right: list[Described], statistics: WordStatistics, aliases: Aliases, progress: Progress | None
) -> list[list[int]]:
    chosen = []
    for done, found in enumerate(candidates(left, right, statistics, aliases)):
        chosen.append(found)
        _report(progress, "finding candidates", done, len(left))
    return chosen


def _report(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress and done % (total // _PROGRESS_STEPS + 1) == 0:
        progress(what, done, total)


def compare_pairs(
    left: list[Described],
    right: list[Described],
    positions: Sequence[tuple[int, int]],
    statistics: WordStatistics,
    aliases: Aliases,
    progress: Progress | None = None,
) -> Pairs:
    """Compare described listings at some pairs of positions."""
    values = np.empty((len(positions), len(FEATURES)))
    for done, (mine, other) in enumerate(positions):
        values[done] = compare(left[mine], right[other], statistics, aliases).values
        _report(progress, "comparing", done, len(positions))
    left_at, right_at = (np.array([pair[side] for pair in positions], dtype=np.int64) for side in (0, 1))
    return Pairs(left, right, aliases, statistics, left_at, right_at, values)


def match(
    left: Iterable[Listing], right: Iterable[Listing], aliases: Aliases | None = None, progress: Progress | None = None
) -> list[Match]:
    """Match two lists; the pairs of the automatic and the waiting tier, the most certain first."""
    pairs = compare_lists(left, right, aliases, progress)
    return decide(pairs, score(pairs))


def score(pairs: Pairs) -> Floats:
    """The probability of each compared pair."""
    own = first_scores(pairs.values)
    return probabilities(own, margins(pairs.left_at, pairs.right_at, own))


def decide(pairs: Pairs, scores: Floats) -> list[Match]:
    """One pair for each listing at most: those with an equal key first, then those with equal words, then by probability."""
    exact = {row: method for row, method in exact_pairs(pairs).items() if method is Method.KEY or scores[row] >= WORDS_MIN}
    order = sorted(
        range(len(scores)),
        key=lambda row: (_METHODS.index(exact.get(row, Method.SCORE)), -scores[row], pairs.left_at[row], pairs.right_at[row]),
    )
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    found: list[Match] = []
    for row in order:
        mine, other = int(pairs.left_at[row]), int(pairs.right_at[row])
        tier = Tier.AUTOMATIC if row in exact else tier_of(float(scores[row]), pairs.values[row].tolist())
        if tier is Tier.NO or mine in taken_left or other in taken_right:
            continue
        taken_left.add(mine)
        taken_right.add(other)
        found.append(_match(pairs, row, float(scores[row]), tier, exact.get(row, Method.SCORE)))
    return sorted(found, key=lambda pair: (pair.tier is not Tier.AUTOMATIC, -pair.score, pair.left_id, pair.right_id))


def tier_of(probability: float, features: Sequence[float]) -> Tier:
    """The tier of a pair with these values of the features. A person decides about different brands and about words that contradict each other, whatever the probability."""
    values = dict(zip(FEATURES, features, strict=True))
    has_brand = any(values[name] for name in ("brand_equal", "brand_related", "brand_in_name", "brand_unknown"))
    if probability < (WAITING_MIN if has_brand else WAITING_APART_MIN):
        return Tier.NO
    is_contradicted = any(values[name] for name in ("opposite_words", "class_conflict", "number_conflict"))
    is_sure = probability >= AUTOMATIC_MIN and has_brand and not is_contradicted and values["left_over_both"] <= _LEFT_OVER_BOTH_MAX
    return Tier.AUTOMATIC if is_sure else Tier.WAITING


def same_barcode(left: Sequence[Described], right: Sequence[Described]) -> list[tuple[Described, Described]]:
    """Pairs of listings that share a barcode."""
    owner = {gtin: item for item in right for gtin in item.listing.gtins}
    return [(item, owner[gtin]) for item in left for gtin in item.listing.gtins if gtin in owner]


def _match(pairs: Pairs, row: int, probability: float, tier: Tier, method: Method) -> Match:
    mine, other = pairs.left[pairs.left_at[row]], pairs.right[pairs.right_at[row]]
    reason = explain(pairs.comparison(row))
    if method is Method.KEY:
        reason = f"equal key {next(key for key in mine.keys if key in other.keys)}; {reason}"
    return Match(mine.listing.id, other.listing.id, round(probability, 4), tier, method, reason)


def explain(comparison: Comparison) -> str:
    """A comparison in words: brands, sizes, and the words that only one side has."""
    values = dict(zip(FEATURES, comparison.values, strict=True))
    brand = next((text for name, text in _BRAND.items() if values[name]), "different brands")
    size = next((text for name, text in _SIZE.items() if values[name]), "sizes not comparable")
    words = [f"only {side}: {' '.join(only)}" for side, only in (("left", comparison.only_left), ("right", comparison.only_right)) if only]
    same = "same words in another order" if values["opposite_words"] else "same words"
    return "; ".join((brand, size, *(words or [same])))


_METHODS = tuple(Method)
_BRAND = {
    "brand_equal": "same brand",
    "brand_related": "related brands",
    "brand_in_name": "brand in the other's name",
    "brand_unknown": "brand missing",
}
_SIZE = {"size_equal": "same size", "size_other_reading": "sizes agree in another reading"}
