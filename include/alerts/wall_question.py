"""The question whether to crawl refused stores again, and the alert about it: which stores, until when, where to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from include import clock
from include.alerts.alerts import Alert
from include.alerts.held_question import Question
from include.retailer_names import RETAILERS
from include.wording.foreign import Medium, render

_LISTED = 20


def wall_question(retailer: str, labels: Sequence[str], answer_by_at: datetime) -> Question:
    """Return the question of the Airflow UI. It asks for no session: Airflow stores and shows the fields of an answer.

    Args:
        labels: the refused stores, e.g. ``G100 Aldi Preston``.
    """
    stores = "\n".join(f"- {render(label, Medium.MARKDOWN)}" for label in labels[:_LISTED]) + _more(labels)
    return Question(
        f"{retailer}: the site refuses {len(labels)} store(s). Crawl again?",
        f"The site of {RETAILERS[retailer].title} refuses automatic requests (bot wall) for these stores. They wait, and their landed pages are "
        f"kept; all other stores are staged and published. No bot protection is evaded.\n\n{stores}\n\n"
        f"**Answer by {clock.in_melbourne(answer_by_at)}**\n\n"
        "- **Approve**: crawl them again now. First open the site in a browser, complete its check, and store that session with "
        f"`aisleflow session set {retailer}`; without a session the site will likely refuse again.\n"
        "- **Reject**: leave them for another night.\n\n"
        "Without an answer in time the task `every_store_crawled` and the run fail; no data are lost. Afterwards: store a session, then clear "
        "the skipped `crawl` tasks with downstream.",
    )


def wall_alert(retailer: str, labels: Sequence[str], answer_by_at: datetime, key: str, link: str | None) -> Alert:
    """Return the alert about the question whether to crawl refused stores again.

    Args:
        labels: the refused stores, e.g. ``G100 Aldi Preston``.
    """
    until = clock.in_melbourne(answer_by_at)
    named = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
    listed = "\n".join(f"  {label}" for label in labels[:_LISTED]) + _more(labels)
    body = (
        f"{retailer}: the site refuses automatic requests (bot wall) for {len(labels)} store(s). They wait; all others are staged and published.\n{listed}\n\n"
        f"Answer by {until}: open the link.\n"
        f"- Approve crawls them again now. First open the site in a browser, complete its check and store that session: aisleflow session set {retailer}\n"
        "- Reject leaves them for another night.\n"
        "Without an answer they are left for another night and the run is red. No data is lost."
    )
    title = f"warning: {retailer} refuses {named}: approve or reject by {until}"
    return Alert("question", "warning", title, body, key, link=link, retailer=retailer, answer_by_at=answer_by_at)


def _more(labels: Sequence[str]) -> str:
    return f"\n  … and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
