"""Migrations: run, forward only, safe to repeat; every table and column says what it holds."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from include.errors import TransientError
from include.warehouse.migrations import _SCRIPTS, current_revision, migrate, newest_revision
from include.warehouse.statements import SQL
from tests.conftest import Server


@pytest.fixture
def empty_database(postgres: Server) -> str:
    """Return the URL of a database nobody has migrated."""
    postgres.execute("DROP DATABASE IF EXISTS never_migrated WITH (FORCE)", "CREATE DATABASE never_migrated")
    return postgres.cluster.url("never_migrated")


def test_the_newest_revision_is_alembics_head() -> None:
    assert ScriptDirectory(str(_SCRIPTS)).get_current_head() == newest_revision()


def test_an_empty_database_comes_to_the_newest_revision(empty_database: str) -> None:
    assert current_revision(empty_database) is None
    assert migrate(empty_database) == (None, newest_revision())
    assert migrate(empty_database) == (newest_revision(), newest_revision()) == (current_revision(empty_database), newest_revision())


def test_two_at_once_migrate_once(empty_database: str) -> None:
    results, errors = [], []

    def run() -> None:
        try:
            results.append(migrate(empty_database))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == [] and sorted(str(before) for before, _ in results) == [newest_revision()] * 2 + ["None"]


def test_no_server_is_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match=r"the warehouse does not answer \((?s:.*)\). Is it up\? `aisleflow status`"):
        migrate(f"postgresql://postgres@/nowhere?host={tmp_path}")


def test_every_file_has_its_revision() -> None:
    versions = SQL.parent / "include" / "warehouse" / "alembic" / "versions"
    assert sorted(path.stem for path in (SQL / "migrations").glob("*.sql")) == sorted(path.stem for path in versions.glob("[0-9]*.py"))


def test_every_table_and_column_has_a_comment(postgres: Server) -> None:
    with psycopg.connect(postgres.cluster.url("template_warehouse")) as connection:
        silent = connection.execute(
            "SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, '') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
            "WHERE n.nspname IN ('core', 'staging', 'ops') AND c.relkind IN ('r', 'p', 'v', 'm') "
            "AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL) ORDER BY 1"
        ).fetchall()
    assert silent == []


def test_readers_may_read_and_not_write(postgres: Server) -> None:
    with psycopg.connect(postgres.cluster.url("template_warehouse")) as connection:
        connection.execute("SET ROLE aisleflow_reader")
        assert connection.execute("SELECT count(*) FROM core.store_price").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM core.price")
