"""Migrations: run, forward only, safe to repeat; every table and column has a comment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from include.embedded.doctor import doctor
from include.errors import TerminalError, TransientError
from include.retailer_names import RETAILERS, Registration
from include.warehouse import migrations
from include.warehouse.engine import Warehouse
from include.warehouse.migrations import _SCRIPTS, current_revision, ensure_migrated, migrate, migration_hashes, newest_revision
from include.warehouse.statements import SQL
from tests.conftest import Server

#: SHA-256 of every migration. A released one never changes.
HASHES = {"0001": "fea58d1f4382f81d870a6cf8e61a19f86e2cbf3fbb8ef50c454e74409cf98454"}


@pytest.fixture
def empty_database(postgres: Server) -> str:
    """Return the URL of a database that is not migrated."""
    postgres.execute("DROP DATABASE IF EXISTS never_migrated WITH (FORCE)", "CREATE DATABASE never_migrated OWNER aisleflow")
    return postgres.cluster.url("never_migrated")


def test_the_newest_revision_is_alembics_head() -> None:
    assert ScriptDirectory(str(_SCRIPTS)).get_current_head() == newest_revision()


def test_an_empty_database_comes_to_the_newest_revision(empty_database: str) -> None:
    assert current_revision(empty_database) is None
    assert migrate(empty_database) == (None, newest_revision())
    assert migrate(empty_database) == (newest_revision(), newest_revision()) == (current_revision(empty_database), newest_revision())


def test_concurrent_migrations_migrate_once(empty_database: str) -> None:
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


def test_an_unreachable_server_is_transient(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match=r"the warehouse does not respond \((?s:.*)\). Is it up\? `aisleflow status`"):
        migrate(f"postgresql://postgres@/nowhere?host={tmp_path}")


def test_a_released_migration_never_changes() -> None:
    changed = {revision: content for revision, content in migration_hashes().items() if HASHES.get(revision) != content}
    assert changed == {} and set(HASHES) == set(migration_hashes()), (
        "A migration is new or was changed since its hash was recorded. Was it in a release (CHANGELOG.md)? Then revert the change and write "
        "it as the next migration: warehouses that ran the old text never run it again. Was it not? Then put its hash into HASHES."
    )


def test_a_warehouse_of_an_edited_migration_is_reported(empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def schema() -> tuple[str, str]:
        return next((found.level, found.text) for found in doctor(tmp_path) if found.subject == "warehouse schema")

    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", empty_database)
    migrate(empty_database)
    assert schema() == ("ok", f"revision {newest_revision()}")
    with psycopg.connect(empty_database) as connection:
        connection.execute("UPDATE ops.applied_migration SET content_hash = 'of an earlier draft'")
    assert schema() == (
        "fail",
        "revision 0001, but it was made by another version of migration 0001: its tables may differ from what the code expects",
    )


def test_a_warehouse_of_another_version_is_left_alone(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    for command in (migrate, ensure_migrated):
        with pytest.raises(
            TerminalError,
            match=r"at revision 0007, this code knows 0001: it was created by another version of Aisleflow\. Nothing was changed",
        ):
            command(empty_database)


@pytest.mark.parametrize("command", [migrate, ensure_migrated])
def test_a_new_retailer_has_its_row_in_a_warehouse_that_is_up_to_date(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Callable[[str], object]
) -> None:
    def rows() -> dict[str, str]:
        with psycopg.connect(warehouse.url) as connection:
            return dict(connection.execute("SELECT retailer, name FROM core.retailer").fetchall())

    before = rows()
    registered = {"hillview": Registration("Hillview", "x:Hillview"), "iga": Registration("IGA Fresh", "x:Iga")}
    monkeypatch.setattr(migrations, "RETAILERS", {**RETAILERS, **registered})
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    found = next(found for found in doctor(tmp_path) if found.subject == "warehouse schema")
    assert (found.level, found.text, found.remedy) == ("fail", "no row for iga, hillview", "aisleflow warehouse migrate")
    command(warehouse.url)
    assert rows() == before | {"hillview": "Hillview", "iga": "IGA Fresh"}
    monkeypatch.undo()
    with psycopg.connect(warehouse.url) as connection:  # the next test gets this warehouse
        connection.execute("DELETE FROM core.retailer WHERE retailer = 'hillview'")
        connection.execute("UPDATE core.retailer SET name = 'IGA' WHERE retailer = 'iga'")
    assert rows() == before


def test_text_keys_have_one_order_on_every_server(postgres: Server) -> None:
    with psycopg.connect(postgres.cluster.url("template_warehouse")) as connection:
        others = connection.execute(
            "SELECT DISTINCT i.indrelid::regclass::text || '.' || a.attname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid "
            "JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
            "JOIN pg_collation AS named ON named.oid = a.attcollation "
            "WHERE n.nspname IN ('core', 'staging', 'ops') AND named.collname <> 'C' ORDER BY 1"
        ).fetchall()
    assert others == [("ops.staged_file.state",)], "of an index for the open states: no order of it decides"


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
    with psycopg.connect(postgres.cluster.superuser_url("template_warehouse")) as connection:
        connection.execute("SET ROLE aisleflow_reader")
        assert connection.execute("SELECT count(*) FROM core.store_price").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM core.price")
