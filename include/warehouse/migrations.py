"""Migrates the warehouse to the newest schema: Alembic runs ``sql/migrations/000N_*.sql``, forward only.

Alembic and SQLAlchemy are only imported for a migration, because every command checks the revision and it is almost always the
newest. The warehouse keeps the hash of each migration that ran, so that ``aisleflow doctor`` detects edited migrations.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from include import clock
from include.errors import TerminalError, TransientError
from include.retailer_names import RETAILERS
from include.warehouse.statements import SQL, statement

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
    """Migrate the warehouse at a libpq URL and insert the rows of the retailers; safe to repeat and to run concurrently.

    Returns:
        The revision before (``None``: an empty database) and after.

    Raises:
        TransientError: the server cannot be reached.
        TerminalError: the warehouse was created by another version of the code.
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
            _refuse_unknown(before)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _ensure_retailers(_driver(connection))
            connection.commit()
            return before, newest_revision()
    except OperationalError as error:  # SQLAlchemy's wrapper of psycopg's error
        raise TransientError(f"the warehouse does not respond ({error.orig}). Is it up? `aisleflow status`.") from error
    finally:
        engine.dispose()


def ensure_migrated(url: str) -> None:
    """Migrate unless the schema is the newest; ensure the retailers' rows in any case.

    Raises:
        TransientError: the server cannot be reached.
        TerminalError: the warehouse was created by another version of the code.
    """
    if current_revision(url) != newest_revision():
        migrate(url)
    elif missing_retailers(url):
        with psycopg.connect(url) as connection:
            _ensure_retailers(connection)


def missing_retailers(url: str) -> list[str]:
    """Return the code's retailers whose row in a migrated warehouse is missing or has another name."""
    with psycopg.connect(url) as connection:
        rows: list[tuple[str, str]] = connection.execute(statement("warehouse/list_retailers")).fetchall()
    known = dict(rows)
    return [retailer for retailer, registered in RETAILERS.items() if known.get(retailer) != registered.title]


def edited_migrations(url: str) -> list[str]:
    """Return the revisions of a warehouse whose migration files were changed since they ran."""
    with psycopg.connect(url) as connection:
        applied: list[tuple[str, str]] = connection.execute(statement("warehouse/list_migrations")).fetchall()
    return [revision for revision, content in applied if content != migration_hashes().get(revision)]


def migration_hashes() -> dict[str, str]:
    """Return the SHA-256 of every migration's file, by revision."""
    return {_revision(path.stem): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((SQL / "migrations").glob("*.sql"))}


def newest_revision() -> str:
    """Return the newest revision of this code, by its number."""
    return _revisions()[-1]


def current_revision(url: str) -> str | None:
    """Return the revision of a warehouse; ``None``: never migrated.

    Raises:
        TransientError: the server cannot be reached.
    """
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.OperationalError as error:
        raise TransientError(f"the warehouse does not respond ({error}). Is it up? `aisleflow status`.") from error
    return str(row[0]) if row else None


def run_sql_file(connection: Connection, name: str) -> None:
    """Run ``sql/migrations/<name>.sql`` unchanged (several statements, percent signs allowed) and record its hash."""
    revision = _revision(name)
    _driver(connection).execute((SQL / "migrations" / f"{name}.sql").read_text())
    _driver(connection).execute(
        "INSERT INTO ops.applied_migration (revision, content_hash, applied_at) VALUES (%s, %s, %s)",
        (revision, migration_hashes()[revision], clock.now()),
    )


def _revisions() -> list[str]:
    return sorted(_revision(path.name) for path in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def _revision(name: str) -> str:
    return name.partition("_")[0]


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver: Any = connection.connection.driver_connection
    assert driver is not None
    return driver  # type: ignore[no-any-return]


def _ensure_retailers(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        statement("warehouse/ensure_retailers"),
        {"retailers": list(RETAILERS), "names": [registered.title for registered in RETAILERS.values()]},
    )


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and revision not in _revisions():
        raise TerminalError(
            f"the warehouse is at revision {revision}, this code knows {', '.join(_revisions())}: it was created by another version of Aisleflow. Nothing was "
            "changed. Use that version, or an empty warehouse (another AISLEFLOW_HOME or AISLEFLOW_WAREHOUSE_URL)."
        )
