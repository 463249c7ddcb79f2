"""Decisions on held data and refused lines, retraction: sql/migrations/0004_decisions.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0004_decisions")
