"""The figures of ``make bench-matching`` on recorded pairs: no coefficient is judged on pairs it was learnt from."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.matching import outcome, write_errors
from benchmarks.matching_data import Lists, recorded
from benchmarks.matching_fit import fit, judge
from include.catalogue.matching.listing import Listing
from include.catalogue.matching.match import compare_lists


@pytest.mark.slow
def test_recall_and_precision_between_the_recorded_sets(shared_data: Path, tmp_path: Path) -> None:
    first, more = (judge(lists := recorded(name, shared_data), compare_lists(lists.left, lists.right)) for name in ("first", "more"))
    for judged, coefficients in ((more, fit([first])), (first, fit([more]))):
        found = outcome(judged, coefficients)
        counts = found.counts()
        assert counts["auto_recall"] >= 0.55 and counts["auto_precision"] >= 0.95, counts
        assert counts["all_recall"] >= 0.90 and counts["all_precision"] >= 0.88, counts
        assert counts["key_wrong"] <= 2, counts
        write_errors(found, tmp_path / "errors.csv")
        wrong = (tmp_path / "errors.csv").read_text().count("\nwrong,")
        assert wrong == counts["all_wrong"]


def test_a_pair_counts_by_its_barcodes(tmp_path: Path) -> None:
    left, right = (
        tuple(Listing(f"{side}{n}", f"Zing {word} Tea", "Zorbo", "50g") for n, word in enumerate(("Mint", "Rose", "Lemon")))
        for side in "lr"
    )
    gtins = {
        "l0": frozenset("a"),
        "r0": frozenset("a"),
        "l1": frozenset("b"),
        "r1": frozenset("c"),
        "l2": frozenset("d"),
        "r2": frozenset[str](),
    }
    judged = judge(Lists("toy", left, right, frozenset({("l0", "r0")}), gtins), compare_lists(left, right))
    counts = outcome(judged).counts()
    assert (counts["key_recall"], counts["key_wrong"], counts["key_precision"]) == (1.0, 1, 0.5)
    write_errors(outcome(judged), tmp_path / "errors.csv")
    assert "Rose" in (tmp_path / "errors.csv").read_text()
