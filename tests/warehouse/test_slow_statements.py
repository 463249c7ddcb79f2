"""A slow statement is reported while it runs, with its blocker or its plan; errors name the statement's file."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from include.errors import TransientError
from include.warehouse import slow_statements, statements
from include.warehouse.database_errors import DatabaseErrorInfo, raise_unless_data_error
from include.warehouse.engine import Warehouse

PATIENCE_SECONDS = 30

Make = Callable[..., Warehouse]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Look often, at a thread of this test's own: one that is there already sleeps for a second."""
    monkeypatch.setattr(slow_statements, "_CHECK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(slow_statements, "_watcher", slow_statements._Watcher())
    caplog.set_level(logging.WARNING, slow_statements.__name__)


def wait_for_message(caplog: pytest.LogCaptureFixture) -> str:
    """Wait for the warning."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not caplog.messages and time.monotonic() < end:
        time.sleep(0.02)
    return "\n".join(caplog.messages)


def test_one_that_waits_names_who_blocks_it(make_warehouse: Make, caplog: pytest.LogCaptureFixture) -> None:
    warehouse = make_warehouse(slow_statement_seconds=0.1)
    errors: list[BaseException] = []

    def claim() -> None:
        values = {"retailers": ["aldi", "iga"], "run": "secret-run", "is_again": False, "now": "2026-11-18"}
        try:
            with warehouse.transaction() as connection:
                connection.run("ledger/claim_held_questions", values)
        except BaseException as error:
            errors.append(error)

    with psycopg.connect(warehouse.url, application_name="another client") as other:
        other.execute("LOCK TABLE ops.staged_file")
        waiting = threading.Thread(target=claim)
        waiting.start()
        message = wait_for_message(caplog)
        holder = other.info.backend_pid
    waiting.join(PATIENCE_SECONDS)
    assert errors == []
    assert "sql/ledger/claim_held_questions.sql (retailers: 2 values, run, is_again, now) has been running for" in message
    assert f"waits for a lock that process {holder} holds (another client, idle in transaction, " in message
    assert "LOCK TABLE ops.staged_file" in message
    assert f"pg_terminate_backend({holder})" in message
    assert "secret-run" not in message


SLOW = "SELECT pg_sleep(%(seconds)s), count(*) FROM core.sku JOIN core.product USING (product_id)"
HIDDEN = "SELECT pg_sleep(%(seconds)s), count(*) FROM made_here"


def test_one_that_works_shows_its_plan(make_warehouse: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.warehouse.engine.statement", {"made/slow": SLOW}.__getitem__)
    with make_warehouse(slow_statement_seconds=0.1).transaction() as connection:
        connection.run("made/slow", {"seconds": 1.5})
    message = wait_for_message(caplog)
    assert "sql/made/slow.sql (seconds) has been running for" in message
    assert "waits for no lock" in message
    assert "Join" in message, "a plan, and one of a batch"
    assert len(caplog.messages) == 1, "reported once"


def test_a_statement_on_a_temporary_table_has_no_plan_and_a_reason(
    make_warehouse: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.warehouse.engine.statement", {"made/hidden": HIDDEN}.__getitem__)
    with make_warehouse(slow_statement_seconds=0.1).transaction() as connection:
        connection.execute("CREATE TEMPORARY TABLE made_here ON COMMIT DROP AS SELECT 1")
        connection.run("made/hidden", {"seconds": 1.5})
    assert 'another session cannot get it (relation "made_here" does not exist)' in wait_for_message(caplog)


def test_a_fast_statement_is_not_reported(make_warehouse: Make, caplog: pytest.LogCaptureFixture) -> None:
    with make_warehouse(slow_statement_seconds=0.5).transaction() as connection:
        connection.run("diagnostics/list_blockers", {"pid": 0})
        time.sleep(1)
    assert caplog.messages == []


def test_the_error_at_the_timeout_names_the_file(make_warehouse: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.warehouse.engine.statement", {"made/slow": SLOW}.__getitem__)
    with make_warehouse().transaction() as connection:
        connection.execute("SELECT set_config('statement_timeout', '50', true)")
        with pytest.raises(psycopg.errors.QueryCanceled) as raised, connection.transaction():
            connection.run("made/slow", {"seconds": 20})
    assert DatabaseErrorInfo.of(raised.value).statement == "sql/made/slow.sql (seconds)"
    with pytest.raises(TransientError, match=r"in sql/made/slow\.sql \(seconds\)\).*shows the lock it waited for, or its plan"):
        raise_unless_data_error(raised.value, "resolve iga")


def test_a_statement_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        statements.statement("made/up")
