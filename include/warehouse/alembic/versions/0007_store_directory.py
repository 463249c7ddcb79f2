"""Store discovery in full: sql/migrations/0007_store_directory.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0007_store_directory")
