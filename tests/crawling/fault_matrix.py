"""What becomes of a crawl when a site does something wrong: retailer x fault → stated outcome.

``STATED`` is the statement; ``test_fault_matrix.py`` holds the crawl to it. The outcomes:

====================  =========================================================================================
``complete``          the fault passed or does not matter: the store-day is whole and the truth
``complete, wrong``   the page is well-formed and says something wrong: the checks at ingestion are there for that
``in part, retry``    staged incomplete; a retry asks for what is missing
``gave out``          the site was left alone; what was read before is staged; a retry goes on from there
``blocked``           a bot wall: nothing is staged, the place is kept, a person is needed
``shape changed``     no price can be read; the message names the field
``wrong store``       the page is of another store: nothing is staged
``nothing``           no category, no goods: nothing is staged
``tree gone``         the tree cannot be had for now: nothing is staged, a retry asks again
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
    found += [(case, "gave out") for case in _FOR_GOOD.values()]
    found += [
        (Case("a wrong content type", "content_type"), "complete"),
        (Case("a busy tree", "error", {"purpose": "tree", "status": 503}), "tree gone"),
        (Case("a wall", "wall"), "blocked"),
        (Case("a wall in mid-run", "wall", {"since": 6}), "blocked"),
        (Case("a renamed field", "renamed_field", {"field": _NEEDED[retailer]}), "shape changed"),
        (Case("prices as text", "price_text"), "shape changed"),
        (Case("no rows from now on", "no_rows", {"since": 6}), "in part, retry"),
        (Case("prices times 100", "price_times_100"), "complete, wrong"),
        (Case("a category gone", "category_gone"), "complete, wrong"),
        (Case("a tenth", "tenth"), "complete, wrong"),
        (Case("an empty tree", "empty_tree"), "nothing"),
        # Woolworths, Aldi and IGA do not say which store a page is for
        (Case("another store", "wrong_store"), "wrong store" if retailer == "coles" else "complete, wrong"),
    ]
    if retailer == "coles":
        found.append((Case("a deployment in mid-run", "new_build", {"nth": 4}), "complete"))
    return found


STATED: list[tuple[str, Case, str]] = [(retailer, case, outcome) for retailer in RETAILERS for case, outcome in cases(retailer)]
