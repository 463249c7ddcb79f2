"""Publishes bargains: replaces ``core.bargain`` by what the current prices say, in one transaction."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from psycopg.types.json import Jsonb

from include import clock
from include.bargains.arrivals import Arrival, missing_retailers
from include.warehouse.engine import Connection, Warehouse, lock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication: the retailers that were missing, and counts as in ``ops.bargain_run``."""

    night: str
    missing: list[Arrival]
    products: int
    compared: int
    small: int
    implausible: int
    bargains: int


def publish_bargains(warehouse: Warehouse, night: date) -> Publication:
    """Replace ``core.bargain``; readers see the old rows until the new ones are committed. Safe to repeat; a second call at once waits.

    Prices are those that are current now, whatever the night: it names the publication, and the night whose missing retailers are listed.
    """
    now, settings = clock.now(), warehouse.settings
    bounds = {"saving_min": settings.bargain_saving_min, "saving_max": settings.bargain_saving_max}
    weeks = {state: clock.price_week_start(now, state).isoformat() for state in ("", *clock.STATE_ZONES)}
    with warehouse.transaction() as connection:
        lock(connection, "bargains")
        missing = missing_retailers(connection, night)
        _create_working_tables(connection)
        connection.run("bargains/collect_offers", {"week_starts": Jsonb(weeks)})
        connection.execute("ANALYZE bargain_offer")
        connection.run("bargains/collect_spreads")
        connection.execute("ANALYZE bargain_spread")
        counts = connection.run("bargains/count_spreads", bounds).fetchone()
        assert counts is not None
        connection.run("bargains/clear_bargains")
        connection.run("bargains/insert_bargains", bounds)
        values = {"night": night, "now": now, "missing": Jsonb([asdict(one) for one in missing]), **counts}
        connection.run("bargains/save_run", values)
    done = Publication(night.isoformat(), missing, **counts)
    log.info("%s, prices of less than %s", done, clock.in_words(timedelta(hours=settings.current_hours)))
    return done


def _create_working_tables(connection: Connection) -> None:
    connection.execute(
        "CREATE TEMPORARY TABLE bargain_offer (product_id bigint, retailer text COLLATE \"C\", sku text COLLATE \"C\", size_quantity numeric, size_unit text, state text COLLATE \"C\", zone integer, "
        "price_cents integer, price_basis text, unit_price numeric, unit_of_measure text, multi_buy_quantity integer, multi_buy_cents integer, is_on_special boolean, source text, "
        "stores integer, store_id text COLLATE \"C\", observed_at timestamptz) ON COMMIT DROP"
    )  # fmt: skip
    connection.execute(
        "CREATE TEMPORARY TABLE bargain_spread (product_id bigint, area text COLLATE \"C\", compared_by text, unit_of_measure text, lowest numeric, highest numeric, stores integer, "
        "PRIMARY KEY (product_id, area)) ON COMMIT DROP"
    )  # fmt: skip
