"""``make bench-matching``: products matched without their barcodes, judged by the barcodes.

Without a command: recall and precision of the exact keys and of the scored matcher on every list, with coefficients learnt on the other lists and with the
delivered ones, what each kind of evidence adds, and the size parser on real store-days. Every wrong and missed pair is written to ``build/matching``.
``python -m benchmarks.matching fit`` prints the coefficients for ``include/catalogue/matching/model.py``.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import typer

from benchmarks.matching_data import ALDI_DAY, COLES_DAY, DATA, IGA_DAY, Lists, coles_iga, crowded, recorded, store_day, union
from benchmarks.matching_fit import Coefficients, Judged, fit, judge
from benchmarks.matching_sizes import size_report
from include.catalogue.matching.aliases import learn_aliases
from include.catalogue.matching.exact import Method
from include.catalogue.matching.features import Aliases
from include.catalogue.matching.listing import Listing, describe
from include.catalogue.matching.match import Match, Tier, compare_lists, decide, score
from include.catalogue.matching.model import first_scores, margins, probabilities
from include.cli.output import print_table, progress, say
from include.wording.foreign import Medium, render

app = typer.Typer(add_completion=False, help=__doc__)
BUILD = Path("build") / "matching"
_FOLDS = 4
_COLUMNS = (
    "list",
    "coefficients",
    "pairs",
    "key_recall",
    "key_wrong",
    "exact_recall",
    "exact_wrong",
    "auto_recall",
    "auto_precision",
    "auto_wrong",
    "all_recall",
    "all_precision",
    "all_wrong",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the matcher decided about the listings that count in a set of judged pairs."""

    judged: Judged
    matches: list[Match]

    def counts(self) -> dict[str, Any]:
        """Recall and precision by tier; a pair whose barcodes say nothing counts neither way."""
        row: dict[str, Any] = {"pairs": self.judged.true_pairs}
        for name, chosen in (
            ("key", [m for m in self.matches if m.method is Method.KEY]),
            ("exact", [m for m in self.matches if m.method is not Method.SCORE]),
            ("auto", [m for m in self.matches if m.tier is Tier.AUTOMATIC]),
            ("all", self.matches),
        ):
            verdicts = [self.judged.lists.verdict(m.left_id, m.right_id) for m in chosen]
            right, wrong = verdicts.count(True), verdicts.count(False)
            row |= {
                f"{name}_recall": round(right / max(self.judged.true_pairs, 1), 3),
                f"{name}_precision": round(right / max(right + wrong, 1), 3),
                f"{name}_wrong": wrong,
            }
        return row


def outcome(judged: Judged, coefficients: Coefficients | None = None) -> Outcome:
    """Decide with the given or with the delivered coefficients."""
    pairs = judged.pairs
    if coefficients is None:
        scores = score(pairs)
    else:
        own = first_scores(pairs.values, coefficients.first)
        scores = probabilities(own, margins(pairs.left_at, pairs.right_at, own), coefficients.second)
    own_ids = {pairs.left[at].listing.id for at in pairs.left_at[judged.own].tolist()}
    return Outcome(judged, [found for found in decide(pairs, scores) if found.left_id in own_ids])


def load(folder: Path = DATA) -> dict[str, Judged]:
    """Every set of pairs, compared once. "alone": only its own rivals; "together": the products of both recorded sets are rivals."""
    first, more, day = recorded("first", folder), recorded("more", folder), coles_iga(folder)
    both = union(first, more)
    compared = compare_lists(both.left, both.right)
    mine, other = {item.id for item in first.left}, {item.id for item in more.left}
    found = {lists.name: judge(lists, compare_lists(lists.left, lists.right)) for lists in (first, more, day)}
    found["first, together"], found["more, together"] = judge(both, compared, mine), judge(both, compared, other)
    return found


def dense(folder: Path = DATA) -> Lists:
    """Both recorded sets, and as many further rivals of both sides as real store-days have; those that share a barcode with a recorded product are left out."""
    both = union(recorded("first", folder), recorded("more", folder))
    known = frozenset(gtin for gtins in both.gtins.values() for gtin in gtins)
    sides: list[list[Listing]] = [[], []]
    gtins: dict[str, frozenset[str]] = {}
    for side, name, retailer in ((0, COLES_DAY, "coles"), (1, IGA_DAY, "woolworths"), (1, ALDI_DAY, "woolworths")):
        listings, codes = store_day(name, folder)
        for found, listing in listings.items():
            if not codes[found] & known:
                sides[side].append(replace(listing, retailer=retailer))
                gtins[found] = codes[found]
    return both.with_distractors(sides[0], sides[1], gtins)


@app.callback(invoke_without_command=True)
def report(context: typer.Context) -> None:
    """Print everything; about a minute of one core."""
    if context.invoked_subcommand:
        return
    if not DATA.is_dir():
        say("error: no recorded pairs here: ../shared/data/matching and ../shared/data/store-days are read")
        raise typer.Exit(1)
    with progress() as show_progress:
        show_progress("comparing")
        sets = load()
        show_progress("more rivals")
        lists = dense()
        compared = compare_lists(lists.left, lists.right)
        lists_crowded = crowded(lists, compared.statistics.opposites)
        compared_crowded = compare_lists(lists_crowded.left, lists_crowded.right)
        for name in ("first", "more"):
            own = {item.id for item in recorded(name).left}
            sets[f"{name}, dense"] = judge(lists, compared, own)
            sets[f"{name}, crowded"] = judge(lists_crowded, compared_crowded, own)
        show_progress("fitting")
        rows = cross_validated(sets)
        show_progress("what each kind of evidence adds")
        ablation = ablated(sets["coles-iga"].lists)
        sizes, agreement = size_report(BUILD / "sizes_not_parsed.csv")
    print_table(rows, _COLUMNS, title="Matching without barcodes: counts by barcode; the wrong and missed pairs are in build/matching")
    print_table(ablation, ("evidence", *_COLUMNS[2:]), title="Coles and IGA: what each kind of evidence adds")
    print_table(sizes, ("retailer", "texts", "distinct", "parsed_share", "not_parsed"), title="Size texts of real store-days")
    print_table(agreement, ("retailer", "compared", "agree_share"), title="Sizes against price / unit price")


def cross_validated(sets: dict[str, Judged]) -> list[dict[str, Any]]:
    """Every set with coefficients learnt on others, then with the delivered ones; the pairs of the latter go into ``build/matching``."""
    together = {"first": sets["first, together"], "more": sets["more, together"]}
    learnt = {
        "first": ("learnt on more", fit([together["more"]])),
        "more": ("learnt on first", fit([together["first"]])),
        "coles-iga": ("learnt on first and more", fit(list(together.values()))),
    }
    rows = []
    for name, judged in sets.items():
        label, coefficients = learnt[name.partition(",")[0]]
        rows.append({"list": name, "coefficients": label} | outcome(judged, coefficients).counts())
        delivered = outcome(judged)
        rows.append({"list": name, "coefficients": "delivered"} | delivered.counts())
        write_errors(delivered, BUILD / f"{name.replace(', ', '-')}.csv")
    return rows


def ablated(lists: Lists) -> list[dict[str, Any]]:
    """Coles and IGA without prices, without learnt aliases, with those from names, and with those that the barcodes of other products teach."""
    unpriced = replace(
        lists,
        left=tuple(replace(item, price_cents=None, unit_price=None) for item in lists.left),
        right=tuple(replace(item, price_cents=None, unit_price=None) for item in lists.right),
    )
    rows = []
    for label, chosen, is_learning in (
        ("neither prices nor aliases", unpriced, False), ("counts from prices", lists, False), ("aliases from names", unpriced, True),
        ("both", lists, True),
    ):  # fmt: skip
        found = outcome(judge(chosen, compare_lists(chosen.left, chosen.right, is_learning=is_learning)))
        rows.append({"evidence": label} | found.counts())
    rows.append({"evidence": f"both, and aliases from barcodes of other products ({_FOLDS} folds)"} | with_barcode_aliases(lists))
    return rows


def with_barcode_aliases(lists: Lists) -> dict[str, Any]:
    """Counts where each quarter of the products is judged with aliases from the barcode joins of the other three."""
    matches: list[Match] = []
    for fold in range(_FOLDS):
        aliases = aliases_of(lists, partial(_is_outside, fold))
        own = {item.id for item in lists.left if int(item.id, 16) % _FOLDS == fold}
        matches += outcome(judge(lists, compare_lists(lists.left, lists.right, aliases), own)).matches
    return Outcome(judge(lists, compare_lists((), ())), matches).counts()


def _is_outside(fold: int, left_id: str) -> bool:
    return int(left_id, 16) % _FOLDS != fold


def aliases_of(lists: Lists, is_taught: Callable[[str], bool]) -> Aliases:
    """The aliases that the pairs of the chosen left ids teach."""
    left, right = describe(lists.left, lists.right)
    mine, other = ({item.listing.id: item for item in items} for items in (left, right))
    return learn_aliases((mine[a], other[b]) for a, b in sorted(lists.pairs) if is_taught(a))


def write_errors(found: Outcome, path: Path) -> None:
    """Write every wrong and every missed pair of an outcome."""
    lists = found.judged.lists
    by_id = {item.id: item for item in (*lists.left, *lists.right)}
    own = {found.judged.pairs.left[at].listing.id for at in found.judged.pairs.left_at[found.judged.own].tolist()}
    made = {(match.left_id, match.right_id) for match in found.matches}
    rows: list[Sequence[object]] = [
        ("wrong", match.tier, match.method, match.score, match.left_id, match.right_id, match.reason)
        for match in found.matches
        if lists.verdict(match.left_id, match.right_id) is False
    ]
    rows += [("missed", "", "", "", *pair, "") for pair in sorted(lists.pairs) if pair[0] in own and pair not in made]
    rows += [
        ("waiting", match.tier, match.method, match.score, match.left_id, match.right_id, match.reason)
        for match in found.matches
        if match.tier is Tier.WAITING and (match.left_id, match.right_id) in lists.pairs
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("what", "tier", "method", "score", "left_brand", "left_name", "left_size", "right_brand", "right_name", "right_size", "reason")
        )
        for what, tier, method, probability, left_id, right_id, reason in rows:
            texts = [text or "" for item in (by_id[str(left_id)], by_id[str(right_id)]) for text in (item.brand, item.name, item.size)]
            writer.writerow([what, tier, method, probability, *(render(text, Medium.SPREADSHEET) for text in (*texts, str(reason)))])


@app.command("fit")
def fit_() -> None:
    """Print the coefficients that all recorded pairs give."""
    sets = load()
    say(*str(fit([sets["first, together"], sets["more, together"], sets["coles-iga"]])).split("\n"))


if __name__ == "__main__":
    app()
