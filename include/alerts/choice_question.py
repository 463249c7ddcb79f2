"""Questions that ask for a choice per item: the form in the Airflow UI and the alert about it, made from what differs between the items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include import clock
from include.alerts.alerts import Alert
from include.alerts.held_question import Question
from include.wording.foreign import Medium, render

_LISTED = 10

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choices:
    """What is particular to one kind of item: its words, its table, what each choice does.

    ``effects`` has the effect of each choice, without ``leave``. ``counted`` names some items in the title (``2 contested barcodes of coles``), ``line`` one of them
    in the alert. ``command`` lists the items, and with a choice and a number decides.
    """

    item: Literal["conflict", "proposal"]
    dag_id: str
    command: str
    effects: Mapping[str, str]
    columns: Mapping[str, Callable[[Row], object]]
    counted: Callable[[Sequence[Row]], str]
    line: Callable[[Row], str]
    what: str
    meanwhile: str

    def number(self, row: Row) -> int:
        """Return the number of an item."""
        return int(row[f"{self.item}_id"])


def choice_question(choices: Choices, rows: Sequence[Row]) -> Question:
    """Return the question of the Airflow UI about some items."""
    head = f"| no. | {' | '.join(choices.columns)} |\n|---:{'|---' * len(choices.columns)}|"
    table = [
        "| " + " | ".join(_plain(cell) for cell in (choices.number(row), *(cell(row) for cell in choices.columns.values()))) + " |"
        for row in rows
    ]
    effects = [f"- **{choice}**: {effect}." for choice, effect in choices.effects.items()]
    effects.append(f"- **leave**: decide later; `{choices.command}` lists it.")
    note = (
        f"Choose for each {choices.item}, give the reason in `why`, and select **Record**. Evidence: `{choices.command} show {choices.number(rows[0])}`. "
        + choices.meanwhile
    )
    return Question(f"Decide about {choices.counted(rows)}", "\n\n".join(["\n".join([head, *table]), "\n".join(effects), note]))


def choice_alert(choices: Choices, rows: Sequence[Row], answer_by_at: datetime, key: str, link: str | None) -> Alert:
    """Return the alert about the questions of one run."""
    until, numbers = clock.in_melbourne(answer_by_at), " ".join(str(choices.number(row)) for row in rows[:3])
    listed = [f"  {choices.number(row)}: {choices.line(row)}" for row in rows[:_LISTED]]
    if len(rows) > _LISTED:
        listed.append(f"  … and {len(rows) - _LISTED} more: {choices.command}")
    effects = [f"- {choices.command} {choice} {numbers} --why '…': {effect}" for choice, effect in choices.effects.items()]
    body = "\n".join(
        [
            f"{choices.what} {choices.meanwhile} Prices and look-ups go on.", *listed, "",
            f"Answer by {until}: open the link, or", *effects,
            f"Without an answer they stay open: {choices.command} lists them, and a manual run of {choices.dag_id} asks again.",
        ]
    )  # fmt: skip
    return Alert(
        "question", "warning", f"warning: {choices.counted(rows)}: decide by {until}", body, key,
        item=choices.item, item_ids=tuple(map(choices.number, rows)), link=link, answer_by_at=answer_by_at,
    )  # fmt: skip


def _plain(text: object) -> str:
    return render(str(text), Medium.MARKDOWN)
