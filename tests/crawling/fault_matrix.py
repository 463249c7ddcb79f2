"""The expected outcome of a crawl for each fault of a site: retailer x fault → outcome.

``test_fault_matrix.py`` compares the crawl with ``STATED``. The outcomes:

====================  =========================================================================================
``complete``          the fault was transient or has no effect: the store-day is complete and correct
``complete, wrong``   the page is well-formed with wrong content: left to the checks at ingestion
``in part, retry``    staged incomplete; a retry requests the missing pages
``unavailable``       requests to the site ended; the offers read before are staged; a retry continues from there
``blocked``           a bot wall: nothing is staged, progress is kept, an operator has to act
``shape changed``     no price can be read; the message names the field
``wrong store``       the page is for another store: nothing is staged
``nothing``           no category, no products: nothing is staged
``tree missing``      the tree is unavailable for now: nothing is staged, a retry requests it again
====================  =========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.world import RETAILERS


@dataclass(frozen=True)
class Case:
    """One fault at one retailer."""

    name: str
    kind: str
    options: dict[str, Any] = field(default_factory=dict)


_ONCE = {
    kind: Case(f"{kind} once", kind, {"nth": 3} | more)
    for kind, more in {
        "too_many": {"retry_after": 1}, "error": {}, "slow": {"seconds": 1}, "trickle": {"seconds": 2}, "cut": {}, "garbage": {}, "reset": {}, "no_rows": {},
    }.items()
}  # fmt: skip
_FOR_GOOD = {
    kind: Case(f"{kind} for good", kind, {"purpose": "listing", "since": 4}) for kind in ("too_many", "error", "cut", "garbage", "reset")
}
#: A field each adapter cannot do without.
_NEEDED = {"coles": "pricing", "woolworths": "Price", "aldi": "price", "iga": "name"}


def cases(retailer: str) -> list[tuple[Case, str]]:
    """Return every case of a retailer with its stated outcome."""
    found = [(case, "complete") for case in _ONCE.values()]
    found += [(case, "unavailable") for case in _FOR_GOOD.values()]
    found += [
        (Case("a wrong content type", "content_type"), "complete"),
        (Case("a busy tree", "error", {"purpose": "tree", "status": 503}), "tree missing"),
        (Case("a wall", "wall"), "blocked"),
        (Case("a wall in mid-run", "wall", {"since": 6}), "blocked"),
        (Case("a renamed field", "renamed_field", {"field": _NEEDED[retailer]}), "shape changed"),
        (Case("prices as text", "price_text"), "shape changed"),
        (Case("no rows from now on", "no_rows", {"since": 6}), "in part, retry"),
        (Case("prices times 100", "price_times_100"), "complete, wrong"),
        (Case("a category gone", "category_gone"), "complete, wrong"),
        (Case("a tenth", "tenth"), "complete, wrong"),
        (Case("an empty tree", "empty_tree"), "nothing"),
        # Woolworths, Aldi and IGA do not name the store of a page
        (Case("another store", "wrong_store"), "wrong store" if retailer == "coles" else "complete, wrong"),
    ]
    if retailer == "coles":
        found.append((Case("a deployment in mid-run", "new_build", {"nth": 4}), "complete"))
    return found


STATED: list[tuple[str, Case, str]] = [(retailer, case, outcome) for retailer in RETAILERS for case, outcome in cases(retailer)]
