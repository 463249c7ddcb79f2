"""Catalogue, prices, staging, ledger: sql/migrations/0001_foundation.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0001_foundation")
