"""The optional log of price changes: sql/migrations/0005_change_log.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0005_change_log")
