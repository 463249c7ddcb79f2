"""Brings the warehouse to the newest schema: Alembic runs ``sql/migrations/000N_*.sql``, forward only.

Alembic and SQLAlchemy are imported where something is migrated: every command asks which revision a warehouse is at, and
almost always it is the newest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from include.errors import TransientError
from include.retailer_names import RETAILERS

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

_SCRIPTS = Path(__file__).parent / "alembic"
_LOCK = "SELECT pg_advisory_lock(hashtextextended('aisleflow:migrate', 0))"


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: str) -> tuple[str | None, str]:
    """Migrate the warehouse at a libpq URL; safe to repeat and to run twice at once.

    Returns:
        The revision before (``None``: an empty database) and after.

    Raises:
        TransientError: the server cannot be reached.
    """
    from alembic import command
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError
    from sqlalchemy.pool import NullPool

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(_LOCK)  # ends with the connection
            connection.commit()
            before = MigrationContext.configure(connection).get_current_revision()
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            for retailer, name in RETAILERS.items():  # one more name in the list is one more row, without a migration
                connection.exec_driver_sql("INSERT INTO core.retailer VALUES (%s, %s) ON CONFLICT DO NOTHING", (retailer, name))
            connection.commit()
            return before, newest_revision()
    except OperationalError as error:  # SQLAlchemy's: it wraps psycopg's, from connecting on
        raise TransientError(f"the warehouse does not answer ({error.orig}). Is it up? `aisleflow status`.") from error
    finally:
        engine.dispose()


def newest_revision() -> str:
    """Return the newest revision this code knows: revisions are numbered, and their files named by number."""
    return max(path.name for path in (_SCRIPTS / "versions").glob("[0-9]*.py")).partition("_")[0]


def current_revision(url: str) -> str | None:
    """Return the revision a warehouse is at; ``None``: never migrated.

    Raises:
        TransientError: the server cannot be reached.
    """
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.OperationalError as error:
        raise TransientError(f"the warehouse does not answer ({error}). Is it up? `aisleflow status`.") from error
    return str(row[0]) if row else None


def run_sql_file(connection: Connection, name: str) -> None:
    """Run ``sql/migrations/<name>.sql`` as it stands (several statements, percent signs and all)."""
    text = (Path(__file__).parents[2] / "sql" / "migrations" / f"{name}.sql").read_text()
    driver_connection = connection.connection.driver_connection
    assert driver_connection is not None
    driver_connection.execute(text)
