"""The warehouse itself: its retailers and its migrations."""

from __future__ import annotations

from include.staging.storage import Storage
from include.warehouse.dictionary import data_dictionary
from include.warehouse.engine import Warehouse
from include.warehouse.migrations import edited_migrations, migrate, missing_retailers


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Migrate a warehouse that is up to date but lacks a retailer and has another under an old name."""
    with warehouse.transaction() as connection:
        connection.execute("DELETE FROM core.retailer WHERE retailer = 'iga'")
        connection.execute("UPDATE core.retailer SET name = 'Coles New World' WHERE retailer = 'coles'")
    migrate(warehouse.url)
    missing_retailers(warehouse.url)
    edited_migrations(warehouse.url)
    with warehouse.transaction() as connection:
        data_dictionary(connection)
