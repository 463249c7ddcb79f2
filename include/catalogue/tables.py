"""The translation tables of the catalogue: what was learnt about brands and products, for crawlers (:mod:`include.staging.translation_tables`).

Products and brands are joined elsewhere, and what is joined has one canonical by rule, so mutual pairs and chains end at the same one. A join that is undone
changes the table like one that is made: nothing is learnt for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from include import clock
from include.staging.storage import Storage
from include.staging.translation_tables import NotChanged, TableName, WrittenTable, read_header, read_table, table_path, write_table
from include.warehouse.engine import Connection, Warehouse, lock
from include.wording.product_key import RULE_VERSION

log = logging.getLogger(__name__)

_STATEMENTS: Final = {TableName.BRAND: "translation/copy_brands", TableName.PRODUCT: "translation/copy_products"}


def write_tables(warehouse: Warehouse, storage: Storage) -> list[WrittenTable]:
    """Write the tables that have changed. Safe to repeat: without a change nothing is written and every ETag stays."""
    with warehouse.transaction() as connection:
        lock(connection, "translation-tables")  # until the files are written: an older state never replaces a newer one
        written = [write_table(storage, name, _entries(connection, name), RULE_VERSION, clock.now()) for name in TableName]
    for table in written:
        log.info(
            "the %s table has %s entries, ETag %s: %s",
            table.name,
            table.entry_count,
            table.etag,
            "new" if table.is_changed else "unchanged",
        )
    return written


def list_tables(storage: Storage) -> list[dict[str, Any]]:
    """Return a row for each table: ``name``, ``path``, ``etag``, ``entry_count``, ``rule_version``, ``written_at``; null where it was never written."""
    rows = []
    for name in TableName:
        header = read_header(storage, name)
        found = {key: getattr(header, key, None) for key in ("etag", "entry_count", "rule_version", "written_at")}
        rows.append({"name": str(name), "path": storage.full(table_path(name))} | found)
    return rows


def list_entries(storage: Storage) -> list[dict[str, str]]:
    """Return every entry of the tables in force: ``table``, ``variation``, ``canonical``."""
    rows = []
    for name in TableName:
        table = read_table(storage, name)
        assert not isinstance(table, NotChanged)
        rows += [{"table": str(name), "variation": variation, "canonical": canonical} for variation, canonical in table.entries.items()]
    return rows


def _entries(connection: Connection, name: TableName) -> Iterator[tuple[str, str]]:
    with connection.send(_STATEMENTS[name], {}) as copy:
        yield from copy.rows()
