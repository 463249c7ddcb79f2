"""The compared pairs of two lists, as columns."""

from __future__ import annotations

from dataclasses import dataclass

from include.catalogue.matching.features import FEATURES, Aliases, Comparison, compare
from include.catalogue.matching.listing import Described
from include.catalogue.matching.model import Floats, Integers
from include.catalogue.matching.words import WordStatistics


@dataclass(frozen=True, slots=True)
class Pairs:
    """The compared pairs of two lists: positions in ``left`` and ``right``, and the values of the features, row by row."""

    left: list[Described]
    right: list[Described]
    aliases: Aliases
    statistics: WordStatistics
    left_at: Integers
    right_at: Integers
    values: Floats

    def comparison(self, row: int) -> Comparison:
        """A pair compared again, with the words that only one listing has: kept for all pairs they would fill the memory."""
        return compare(self.left[self.left_at[row]], self.right[self.right_at[row]], self.statistics, self.aliases)

    def column(self, feature: str) -> Floats:
        """One feature of all pairs."""
        values: Floats = self.values[:, FEATURES.index(feature)]
        return values
