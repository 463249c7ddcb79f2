"""The end of a crawl run: which stores failed, grouped by cause, or why nothing was crawled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.errors import NeedsPersonError, TerminalError

_LISTED = 10
#: Next step per value of ops.crawl_outcome.error_kind; ``interrupted``: a store without an outcome.
_NEXT_STEPS = {
    "robots": "Read the site's robots.txt; leave the store out if it is meant.",
    "not_allowed": "Set AISLEFLOW_ALLOW_LIVE if requests to the live site are wanted, then clear the red `crawl` tasks with downstream.",
    "site_unavailable": "Open the site in a browser; when it answers again, clear the red `crawl` tasks with downstream.",
    "shape_changed": "Adapt the adapter (CONTRIBUTING.md, A retailer's page changed), then clear the red `crawl` tasks with downstream.",
    "blocked": "Store a session with `aisleflow session set {retailer}`, then clear the red tasks with downstream; or wait for the next night.",
    "interrupted": "Its task was killed or ran out of time: read its log, then clear it with downstream; it continues from its landed pages.",
}
_NEXT_STEP = "Follow the message, then clear the red `crawl` tasks with downstream."


@dataclass(frozen=True, slots=True)
class FailedStores:
    """The stores of a run that failed for one cause. ``error_kind`` as in ``ops.crawl_outcome``, or ``interrupted``."""

    retailer: str
    error_kind: str
    labels: tuple[str, ...]
    planned: int
    reason: str

    def text(self) -> str:
        """Return what failed, where and what to do next; the first line is a summary."""
        named = ", ".join(self.labels[:_LISTED]) + (f" and {len(self.labels) - _LISTED} more" if len(self.labels) > _LISTED else "")
        next_step = _NEXT_STEPS.get(self.error_kind, _NEXT_STEP).format(retailer=self.retailer)
        kind = self.error_kind.replace("_", " ")
        return f"{self.retailer}: {len(self.labels)} of {self.planned} stores failed ({kind}): {named}. {next_step}\nThe first message: {self.reason}"


class StoresFailed(TerminalError):
    """Stores of a run failed; the others are staged. ``causes``: one entry per cause."""

    def __init__(self, causes: Sequence[FailedStores], is_anything_staged: bool) -> None:
        super().__init__("\n\n".join(cause.text() for cause in causes))
        self.causes, self.is_anything_staged = tuple(causes), is_anything_staged


class QuestionLapsed(NeedsPersonError):
    """The site refused stores, and the question about them had no answer in time."""


def raise_if_failed(
    retailer: str, labels: Mapping[str, str], outcomes: Sequence[dict[str, Any]], left_out: Mapping[str, str], *, is_refusal_failure: bool
) -> None:
    """Raise if planned stores failed, or none was begun.

    Args:
        labels: planned store ids → their labels.
        outcomes: as :func:`include.crawling.outcomes.of_run` returns.
        left_out: planned stores that the run did not begin on purpose → the reasons.
        is_refusal_failure: a refused store failed: an operator approved crawling it again.

    Raises:
        StoresFailed: the stores that failed, per cause.
        TerminalError: no store was begun.
    """
    known = {row["store_id"]: row for row in outcomes}
    found: dict[str, list[tuple[str, str]]] = {}
    for store_id, label in labels.items():
        row = known.get(store_id)
        if row is None and store_id not in left_out:
            found.setdefault("interrupted", []).append((label, "no outcome is recorded"))
        elif row is not None and (row["state"] == "failed" or (row["state"] == "blocked" and is_refusal_failure)):
            found.setdefault(row["error_kind"], []).append((label, row["reason"]))
    if found:
        raise StoresFailed(
            [
                FailedStores(retailer, kind, tuple(label for label, _ in stores), len(labels), stores[0][1])
                for kind, stores in sorted(found.items(), key=lambda item: -len(item[1]))
            ],
            any(row["manifest"] for row in outcomes),
        )
    if not outcomes:
        reasons = "; ".join(dict.fromkeys(left_out.values()))
        raise TerminalError(
            f"{retailer}: none of {len(labels)} planned stores was begun: {reasons}. Clear the `crawl` tasks to crawl them anyway."
        )


def raise_if_lapsed(retailer: str, labels: Mapping[str, str], outcomes: Sequence[dict[str, Any]]) -> None:
    """Raise that refused stores wait: the question about them had no answer in time.

    Raises:
        QuestionLapsed: with the stores and the next step.
    """
    stores = ", ".join(labels.get(row["store_id"], row["store_id"]) for row in outcomes if row["state"] == "blocked")
    raise QuestionLapsed(
        f"needs an operator: {retailer} refuses {stores}, and no decision was made in time. The crawled stores are published. "
        f"Store a session with `aisleflow session set {retailer}`, then clear the skipped `crawl` tasks with downstream; or wait for the next night."
    )
