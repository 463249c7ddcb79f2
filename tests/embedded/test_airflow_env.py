"""The environment of Airflow's components, and the secrets and ports of a home."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from include.embedded import airflow_env, ports
from include.embedded.airflow_env import connection_from_url, environment, passwords, url_from_connection
from include.embedded.layout import Layout
from include.embedded.ports import Ports, choose, reserve_api_port, ui_url
from include.errors import TerminalError

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with ports, whose PostgreSQL is simulated as running."""
    folder = tmp_path / "a home"
    Layout(folder).create()
    monkeypatch.setattr(airflow_env, "airflow_metadata_urls", lambda _home: ("sync", "async"))
    monkeypatch.setattr(airflow_env, "warehouse_url", lambda _home: "postgresql://postgres@/warehouse?host=/run/s")
    with ExitStack() as reservations:
        choose(folder, reservations)
        yield folder


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no defect
@given(user=TEXT, password=TEXT, database=TEXT, host=st.sampled_from(["db.example", "/run/a b", "::1"]), port=st.integers(1, 65_535))
def test_connection_and_url_are_converted_into_each_other(user: str, password: str, database: str, host: str, port: int) -> None:
    connection = json.dumps({"conn_type": "postgres", "login": user, "password": password, "schema": database, "host": host, "port": port})
    url = url_from_connection(connection)
    assert conninfo_to_dict(url) == {"user": user, "password": password, "dbname": database, "host": host, "port": str(port)}
    assert json.loads(connection_from_url(url)) == json.loads(connection)


def test_additional_url_parameters_are_kept_as_extra() -> None:
    connection = connection_from_url("postgresql://u@db/w?sslmode=require&application_name=a%20b")
    assert json.loads(connection)["extra"] == {"sslmode": "require", "application_name": "a b"}
    assert conninfo_to_dict(url_from_connection(connection))["application_name"] == "a b"


def test_the_environment_of_one_home_is_complete(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "64")
    monkeypatch.setenv("AIRFLOW__SMTP__SMTP_HOST", "mail.example")
    monkeypatch.setenv("AIRFLOW_CONFIG", "/elsewhere/airflow.cfg")
    monkeypatch.setenv("AISLEFLOW_CURRENT_HOURS", "48")
    monkeypatch.setenv("NO_PROXY", "intra.example")
    found = environment(home)
    assert found["AIRFLOW_HOME"] == str(home / "airflow")
    assert found["AISLEFLOW_HOME"] == str(home)
    assert found["AISLEFLOW_CURRENT_HOURS"] == "48"
    assert found["AIRFLOW__CORE__PARALLELISM"] == "8"
    assert found["AIRFLOW__SMTP__SMTP_HOST"] == "mail.example"
    assert "AIRFLOW_CONFIG" not in found
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{ui_url(home)}/execution/"
    assert found["NO_PROXY"] == "intra.example,127.0.0.1,localhost"
    assert url_from_connection(found["AIRFLOW_CONN_AISLEFLOW_WAREHOUSE"]) == "postgresql://postgres@/warehouse?host=/run/s"
    assert found["AISLEFLOW_WAREHOUSE_URL"] == "postgresql://postgres@/warehouse?host=/run/s"


def test_tasks_use_an_external_warehouse_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", "postgresql://u:p@db.example/w")
    found = environment(home)
    assert found["AISLEFLOW_WAREHOUSE_URL"] == "postgresql://u:p@db.example/w"
    assert json.loads(found["AIRFLOW_CONN_AISLEFLOW_WAREHOUSE"])["host"] == "db.example"


def test_secrets_are_generated_once_and_readable_by_the_owner_only(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
    first, again = environment(home), environment(home)
    assert [first[key] for key in keys] == [again[key] for key in keys]
    assert len({first[key] for key in keys}) == 3
    assert passwords(home) == passwords(home)
    assert set(passwords(home)) == {"admin", "op", "viewer"}
    assert passwords(home) != passwords(tmp_path / "another home")
    for path in (Layout(home).secrets_file, Layout(home).passwords_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_manually_set_password_is_kept(home: Path) -> None:
    Layout(home).passwords_file.write_text('{"admin": "mine"}')
    assert passwords(home)["admin"] == "mine"
    assert set(json.loads(Layout(home).passwords_file.read_text())) == {"admin", "op", "viewer"}


def test_a_home_that_was_never_started_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="aisleflow up"):
        ui_url(tmp_path)


def test_used_and_reserved_ports_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener, ExitStack() as reservations:
        listener.bind((ports.HOST, 0))
        listener.listen()
        taken = listener.getsockname()[1]
        monkeypatch.setenv("AISLEFLOW_API_PORT", str(taken))
        first, second = tmp_path / "first", tmp_path / "second"
        for home in (first, second):
            Layout(home).create()
        chosen = [choose(first, reservations), choose(second, reservations)]
        assert len({taken, chosen[0].api, chosen[1].api}) == 3
        assert chosen[0].logs != chosen[1].logs
        assert ports.known(first) == chosen[0]
        assert not reserve_api_port(first, reservations)  # held by this process
    with ExitStack() as later:
        assert reserve_api_port(first, later)
    assert ui_url(second) == f"http://127.0.0.1:{chosen[1].api}"
    assert Ports(**json.loads((second / "run" / "ports.json").read_text())) == chosen[1]
