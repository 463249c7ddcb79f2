"""The compared pairs of two lists, as columns."""

from __future__ import annotations

from dataclasses import dataclass

from include.catalogue.matching.features import FEATURES, Aliases, Comparison
from include.catalogue.matching.listing import Described
from include.catalogue.matching.model import Floats, Integers
from include.catalogue.matching.words import WordStatistics


@dataclass(frozen=True, slots=True)
class Pairs:
    """The compared pairs of two lists: positions in ``left`` and ``right``, comparisons and their feature values, row by row."""

    left: list[Described]
    right: list[Described]
    aliases: Aliases
    statistics: WordStatistics
    left_at: Integers
    right_at: Integers
    comparisons: list[Comparison]
    values: Floats

    def column(self, feature: str) -> Floats:
        """One feature of all pairs."""
        values: Floats = self.values[:, FEATURES.index(feature)]
        return values
