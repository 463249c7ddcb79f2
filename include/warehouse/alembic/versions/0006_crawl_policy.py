"""What crawling processes share: sql/migrations/0006_crawl_policy.sql."""

from alembic import op

from include.warehouse.migrations import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_file(op.get_bind(), "0006_crawl_policy")
