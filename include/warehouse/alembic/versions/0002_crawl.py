"""Discovery, crawl plan, crawl outcomes, look-ups: sql/migrations/0002_crawl.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0002_crawl")
