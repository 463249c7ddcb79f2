"""Quality results, retailer-level checks: sql/migrations/0003_quality.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0003_quality")
