"""The role for readers: reads everything in core and ops, also what later migrations bring; writes nothing; sees nothing of staging."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString, cast

import psycopg
import pytest

from tests.conftest import Server

ROLE = "aisleflow_reader"
_RELATIONS = """
SELECT n.nspname AS schema, format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('core', 'ops', 'staging') AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 2
"""


@pytest.fixture
def spare(postgres: Server) -> Iterator[str]:
    """Take a warehouse before a reader is connected to its template."""
    name = postgres.take()
    yield name
    postgres.give_back(name)


@pytest.fixture
def reader(postgres: Server) -> Iterator[psycopg.Connection]:
    """Yield a connection to the template warehouse by a user with the role; its changes are rolled back."""
    postgres.execute("DROP ROLE IF EXISTS mara", f"CREATE ROLE mara LOGIN PASSWORD 'secret' IN ROLE {ROLE}")
    url = postgres.cluster.url("template_warehouse").replace("aisleflow@", "mara:secret@")
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()
    postgres.execute("DROP ROLE mara")


@pytest.fixture
def relations(postgres: Server) -> dict[str, str]:
    """Return every table and view of the warehouse with its schema."""
    with psycopg.connect(postgres.cluster.url("template_warehouse")) as connection:
        return {name: schema for schema, name in connection.execute(_RELATIONS)}


def test_a_reader_reads_every_table_and_view_of_core_and_ops(reader: psycopg.Connection, relations: dict[str, str]) -> None:
    readable = [name for name, schema in relations.items() if schema != "staging"]
    assert len(readable) > 20 and {"core.store_price", "core.product_price", "ops.staged_file", "ops.crawl_plan"} <= set(readable)
    for name in readable:
        reader.execute(cast(LiteralString, f"SELECT * FROM {name} LIMIT 1"))


def test_a_reader_writes_nowhere(reader: psycopg.Connection, relations: dict[str, str]) -> None:
    granted = [
        (name, right)
        for name in relations
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
        if reader.execute("SELECT has_table_privilege(%s::regclass, %s)", (_oid(reader, name), right)).fetchone() == (True,)
    ]
    assert granted == []
    for text in ("DELETE FROM core.price", "UPDATE core.store SET name = 'x'", "INSERT INTO core.retailer VALUES ('x', 'x')", "TRUNCATE ops.staged_file",
                 "CREATE TABLE core.mine (x integer)", "CREATE TABLE ops.mine (x integer)", "DROP VIEW core.store_price"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
            reader.execute(cast(LiteralString, text))


def test_a_reader_sees_nothing_of_staging(reader: psycopg.Connection, relations: dict[str, str]) -> None:
    staging = [name for name, schema in relations.items() if schema == "staging"]
    assert len(staging) >= 2
    for name in staging:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
            reader.execute(cast(LiteralString, f"SELECT * FROM {name}"))


def test_a_reader_reads_what_a_later_migration_brings(postgres: Server, spare: str, reader: psycopg.Connection) -> None:
    name = spare
    try:
        with psycopg.connect(postgres.cluster.url(name), autocommit=True) as connection:
            connection.execute("CREATE TABLE core.later (x integer)")
            connection.execute("CREATE VIEW ops.later AS SELECT x FROM core.later")
            connection.execute("CREATE TABLE staging.later (x integer)")
        with psycopg.connect(postgres.cluster.url(name).replace("aisleflow@", "mara:secret@"), autocommit=True) as connection:
            connection.execute("SELECT * FROM core.later")
            connection.execute("SELECT * FROM ops.later")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM staging.later")
    finally:
        postgres.execute("DROP VIEW ops.later", "DROP TABLE core.later, staging.later", database=name)


def _oid(connection: psycopg.Connection, name: str) -> int:
    # a reader cannot look up names in a schema it may not use
    schema, relation = name.split(".")
    row = connection.execute(
        "SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        (schema, relation),
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    "text",
    ["SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock(1, 2)", "SELECT pg_advisory_xact_lock_shared(1)", "SELECT pg_advisory_unlock_all()",
     "SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_get(1)", "SELECT loread(1, 1)"],
)  # fmt: skip
def test_a_reader_holds_no_lock_of_the_installation_and_fills_no_disk(reader: psycopg.Connection, text: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for function"), reader.transaction():
        reader.execute(cast(LiteralString, text))


@pytest.mark.parametrize("database", ["airflow", "postgres", "template1"])
def test_a_reader_enters_the_warehouse_only(reader: psycopg.Connection, postgres: Server, database: str) -> None:
    url = postgres.cluster.url("warehouse").replace("aisleflow@/warehouse", f"mara:secret@/{database}")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url)
    with psycopg.connect(url.replace(f"@/{database}", "@/warehouse")) as connection:
        connection.execute("SELECT 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TEMPORARY TABLE mine (x text)")


def test_a_reader_needs_the_password(reader: psycopg.Connection, postgres: Server) -> None:
    for login in ("mara", "mara:wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(postgres.cluster.url("warehouse").replace("aisleflow@", f"{login}@"))
