"""The tasks of ``reconcile_catalogue``: join and propose products, write the translation tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from include.orchestration.resources import resources


def reconcile() -> dict[str, Any]:
    """Reconcile what changed since the last time; return the counts."""
    from include.catalogue.reconcile import reconcile as reconcile_

    with resources() as (warehouse, _):
        return asdict(reconcile_(warehouse))


def write_tables() -> list[str]:
    """Write the translation tables that have changed; return their names."""
    from include.catalogue import tables

    with resources() as (warehouse, storage):
        return [str(table.name) for table in tables.write_tables(warehouse, storage) if table.is_changed]
