"""Whether bargains of a night are due: all retailers are in, or the timetable says so whatever is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from include import clock
from include.model.timetable import at
from include.retailer_names import RETAILERS
from include.warehouse.engine import Connection, Warehouse


@dataclass(frozen=True, slots=True)
class Arrival:
    """A retailer in a night: ``in``, ``under_way``, ``not_planned`` or ``nothing_published``."""

    retailer: str
    state: str


def missing_retailers(connection: Connection, night: date) -> list[Arrival]:
    """Return the retailers whose prices of a night are not all in, with what became of them."""
    rows = connection.run("bargains/list_arrivals", {"night": night, "retailers": list(RETAILERS)}).fetchall()
    return [Arrival(row["retailer"], row["state"]) for row in rows if row["state"] != "in"]


def is_due(warehouse: Warehouse, night: date) -> bool:
    """Return whether bargains are to be published now: nothing is missing, or it is later than their time of that night."""
    if clock.now() >= at(night, warehouse.settings.timetable.bargains_at):
        return True
    with warehouse.transaction() as connection:
        return not missing_retailers(connection, night)


def overdue_night(warehouse: Warehouse) -> date | None:
    """Return the present night if its time for bargains has passed and they were not published; ``None`` if nothing is overdue."""
    night = clock.night_of(clock.now())
    if clock.now() < at(night, warehouse.settings.timetable.bargains_at):
        return None
    with warehouse.transaction() as connection:
        return None if connection.run("bargains/find_run", {"night": night}).fetchone() else night
