"""``aisleflow crawl``, ``reread`` and ``session``: one store without Airflow, and a secret that is never printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from include import clock
from include.cli.main import app
from include.crawling import sessions
from include.embedded.airflow_api import AirflowApi
from include.errors import TerminalError
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from tests.crawling.fake_site import Site, json_reply
from tests.warehouse.looking import rows

WORLD = GeneratedWorld(3, WorldSize(stores=2, products=40, silent_stores=0))
STORE = next(store for store in WORLD.stores("aldi") if store.has_shelf)


@pytest.fixture
def sandbox(sandbox: RunningSandbox, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """Return the sandbox whose sites and whose warehouse the commands use."""
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    for retailer in ("aldi", "coles", "woolworths", "iga"):
        monkeypatch.setenv(f"AISLEFLOW_{retailer.upper()}_URL", sandbox.site(retailer))
    return sandbox


def call(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def answered(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_one_store_is_crawled_without_airflow_and_resumed(sandbox: RunningSandbox, warehouse: Warehouse) -> None:
    first = answered(call("crawl", "aldi", STORE.store_id, "--state", "VIC", "--json"))
    again = answered(call("crawl", "aldi", STORE.store_id, "--state", "VIC", "--json"))
    fresh = answered(call("crawl", "aldi", STORE.store_id, "--state", "VIC", "--fresh", "--json"))

    assert first["complete"] and first["rows"] > 0
    assert first["manifest"].startswith(f"outbox/aldi/{STORE.store_id}/2026-11-18--cli--")
    assert (again["requests"], again["manifest"]) == (0, first["manifest"])
    assert fresh["requests"] == first["requests"]
    assert {row["state"] for row in rows(warehouse, "SELECT state FROM ops.crawl_outcome")} == {"crawled"}


def test_a_partial_crawl_is_reported_as_incomplete(sandbox: RunningSandbox) -> None:
    result = call("crawl", "aldi", STORE.store_id, "--state", "VIC", "--category", "Bakery", "--pages", "1")

    assert result.exit_code == 0, result.output
    assert "is incomplete" in result.stdout and "only a part was requested" in result.stdout
    assert "Bakery" in result.stderr, "progress"


def test_an_incomplete_crawl_fails(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLEFLOW_BACKOFF_SECONDS_MAX", "0.001")
    sandbox.faults.add("error", retailer="aldi", purpose="listing", since=5)

    assert call("crawl", "aldi", STORE.store_id, "--state", "VIC").exit_code == 1


def test_a_bot_wall_needs_an_operator(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("wall", retailer="aldi", session="me=known")
    refused = call("crawl", "aldi", STORE.store_id, "--state", "VIC")
    assert refused.exit_code == 3
    assert "aisleflow session set aldi" in refused.stderr

    put = call("session", "set", "aldi", stdin="Cookie: me=known\nUser-Agent: Mozilla/5.0\n")
    assert put.exit_code == 0, put.output
    assert "known" not in put.output and "Mozilla" not in put.output

    assert answered(call("crawl", "aldi", STORE.store_id, "--state", "VIC", "--json"))["complete"]


def test_an_unknown_retailer_is_wrong_usage(sandbox: RunningSandbox) -> None:
    result = call("crawl", "lidl", "1")

    assert result.exit_code == 2
    assert "unknown retailer 'lidl'" in result.stderr


def test_an_unknown_store_is_named_before_any_request(sandbox: RunningSandbox) -> None:
    result = call("crawl", "coles", "99999999")

    assert result.exit_code == 2
    assert "coles has no store '99999999' here" in result.stderr and "aisleflow store list coles" in result.stderr
    assert sandbox.traffic.count() == 0


def test_landed_pages_are_read_again_without_a_request(sandbox: RunningSandbox) -> None:
    call("crawl", "aldi", STORE.store_id, "--state", "VIC")
    asked = sandbox.traffic.count()

    done = answered(call("reread", "aldi", "--json"))

    assert sandbox.traffic.count() == asked
    assert (done["store_id"], done["complete"], done["requests"]) == (STORE.store_id, True, 0)
    assert done["run_key"].startswith("cli_reread_")
    for arguments, named in ((["--night", "2026-01-01"], "night 2026-01-01"), (["--run", "gone"], "run gone"), (["G999"], "G999")):
        nothing = call("reread", "aldi", *arguments)
        assert nothing.exit_code == 1
        assert f"aldi: nothing is landed for {named}" in nothing.stderr


SECRET = "token=s3cr3tvalue; other=1"


def test_a_session_is_set_shown_and_removed_without_its_secret() -> None:
    answers = [
        call("session", "show", "coles"),
        call("session", "set", "coles", "--hours", "2", stdin=f"{SECRET}\nMozilla/5.0 (browser)\n"),
        call("session", "show", "coles", "--json"),
        call("session", "clear", "coles"),
        call("session", "clear", "coles"),
    ]

    assert all(answer.exit_code == 0 for answer in answers), [answer.output for answer in answers]
    assert [answers[0].stdout, answers[3].stdout, answers[4].stdout] == [
        "coles: there is no session\n", "coles: the session is removed\n", "coles: there was no session\n",
    ]  # fmt: skip
    assert json.loads(answers[2].stdout)["is_over"] is False
    assert not any("s3cr3t" in answer.output or "Mozilla" in answer.output for answer in answers)


def test_a_session_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    call("session", "set", "coles", stdin=SECRET)
    path = tmp_path / "home" / "sessions" / "coles.json"

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    found = sessions.find(tmp_path / "home", "coles")
    assert found is not None and found.headers == {"Cookie": SECRET}
    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize(
    ("given", "message"), [("", "stdin must have"), ("no cookie", "not of the form name=value"), ("a=1\nx\ny\n", "stdin must have")]
)
def test_an_invalid_session_is_refused_and_not_printed(given: str, message: str) -> None:
    result = call("session", "set", "coles", stdin=given)

    assert result.exit_code == 2
    assert message in result.stderr
    assert "no cookie" not in result.stderr


def test_a_damaged_session_is_not_printed(tmp_path: Path) -> None:
    path = sessions.put(tmp_path, "coles", sessions.Session("a=s3cr3t", None, clock.system_now()))
    path.write_text(path.read_text()[:-4])

    with pytest.raises(Exception, match=r"coles\.json contains no valid session\. Set it again") as raised:
        sessions.find(tmp_path, "coles")
    assert "s3cr3t" not in str(raised.value) and raised.value.__cause__ is None


def test_a_connection_refused_by_airflow_is_not_printed(site: Site) -> None:
    def answer(asked: Any) -> Any:
        if asked.path == "/auth/token":
            return json_reply({"access_token": "t"}, 201)
        if asked.method == "GET":
            return json_reply({"connections": []})
        return json_reply({"detail": [{"input": asked.json}]}, 422)

    site.answer = answer

    with pytest.raises(TerminalError, match="refuses the connection aisleflow_session_coles") as raised:
        AirflowApi(site.url, "admin", "x").put_connection("aisleflow_session_coles", "http", "s3cr3t")
    assert "s3cr3t" not in str(raised.value) and raised.value.__suppress_context__
