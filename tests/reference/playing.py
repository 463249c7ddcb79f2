"""Plays histories with hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.reference.machine import Histories
from tests.reference.product import Product

#: Verbs in a history of a campaign.
VERBS = 7


class Independent(HypothesisProvider):
    """Draws every history anew. By itself hypothesis begins with the simplest ones, and plays variations of each, of which few differ."""

    def _maybe_draw_constant(self, *_: object, **__: object) -> None:
        """Draw no number from the code of the modules that happen to be imported: a seed gives the same histories in every process."""


AVAILABLE_PROVIDERS["independent"] = Independent


@dataclass(frozen=True)
class Played:
    """Histories played, those played when the first difference was found (0: none), and its words."""

    histories: int
    failed_after: int
    difference: str


def play(product: Product, number: int, histories: int, *, verbs: int = VERBS, is_to_shrink: bool = True) -> Played:
    """Play random histories of at most ``verbs`` verbs, the same ones for the same seed ``number``.

    Raises:
        AssertionError: a difference between model and product, with the shortest history that shows it; only if it is to be shrunk.
    """

    class OneProduct(Histories):
        played = failed_after = 0

    OneProduct.product = product
    how = settings(
        backend="independent", max_examples=histories, stateful_step_count=verbs + 1, deadline=None, database=None, print_blob=False, report_multiple_bugs=is_to_shrink,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink) if is_to_shrink else (Phase.generate,),
    )  # fmt: skip
    try:
        run_state_machine_as_test(seed(number)(OneProduct), settings=how)
    except AssertionError as error:
        if is_to_shrink:
            raise
        return Played(OneProduct.played, OneProduct.failed_after, "\n".join([str(error), *getattr(error, "__notes__", [])]))
    return Played(OneProduct.played, 0, "")
