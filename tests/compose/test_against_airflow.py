"""Compares ``docker-compose.yaml`` with Airflow, the DAGs, and the embedded installation."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.embedded import airflow_env, ports
from include.embedded.airflow_env import PARALLELISM, USERS
from include.embedded.layout import Layout
from sandbox import serve
from tests.compose.compose_file import new_env, services, settled
from tests.project.files import ROOT

pytestmark = pytest.mark.slow

AIRFLOW = re.compile(r"AIRFLOW__([A-Z0-9_]+?)__([A-Z0-9_]+)")

#: Settings that differ from the embedded installation: addresses, secrets, paths, and Celery's.
DIFFERENT = {
    "AIRFLOW__API__BASE_URL", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    "AIRFLOW_CONN_AISLEFLOW_ALERTS",  # no local inbox on several machines
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION",  # init creates the pools before the DAGs
}  # fmt: skip

#: Options of the embedded installation only: one machine's folders, addresses and ports.
EMBEDDED_ONLY = {
    "AIRFLOW__API__HOST", "AIRFLOW__API__PORT", "AIRFLOW__CORE__HOSTNAME_CALLABLE", "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__PLUGINS_FOLDER", "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT", "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
    # a container has its own user and file system
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS", "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED",  # removed in Airflow 3.3
}  # fmt: skip


def environment_of(service: str) -> dict[str, str]:
    found: dict[str, str] = settled(services()[service]["environment"], new_env())
    return found


def airflow_services() -> list[str]:
    return sorted(name for name, service in services().items() if "AIRFLOW__CORE__EXECUTOR" in service.get("environment", {}))


def worker_queues() -> dict[str, set[str]]:
    workers = {name: service["command"] for name, service in services().items() if "docker/worker.sh" in service.get("command", [])}
    return {name: set(command[-1].split(",")) for name, command in workers.items()}


@pytest.fixture(scope="module")
def known_options() -> dict[str, Any]:
    """Section → options declared by Airflow and its Celery provider; read without importing Airflow."""
    airflow = importlib.util.find_spec("airflow")
    assert airflow and airflow.submodule_search_locations
    folder = Path(airflow.submodule_search_locations[0])
    sections: dict[str, Any] = yaml.safe_load((folder / "config_templates" / "config.yml").read_text())
    provider = importlib.util.spec_from_file_location("celery_provider_info", folder / "providers" / "celery" / "get_provider_info.py")
    assert provider and provider.loader
    module = importlib.util.module_from_spec(provider)
    provider.loader.exec_module(module)
    of_provider: dict[str, Any] = module.get_provider_info()["config"]
    return sections | of_provider


def test_every_airflow_option_exists(known_options: dict[str, Any]) -> None:
    texts = [json.dumps(services()), (ROOT / "Dockerfile").read_text()]
    used = {match.groups() for text in texts for match in AIRFLOW.finditer(text)}
    assert len(used) > 20
    declared = {(section.upper(), option.upper()) for section, found in known_options.items() for option in found["options"]}
    assert not used - declared


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of the embedded installation, whose PostgreSQL is simulated as running."""
    Layout(tmp_path).create()
    monkeypatch.setattr(airflow_env, "airflow_metadata_urls", lambda _home: ("sync", "async"))
    monkeypatch.setattr(airflow_env, "warehouse_url", lambda _home: "postgresql://postgres@/warehouse?host=/tmp/s")
    with ExitStack() as hold:
        ports.choose(tmp_path, hold)
        yield {
            name: value
            for name, value in airflow_env.environment(tmp_path).items()
            if name not in os.environ and name.startswith("AIRFLOW")
        }


@pytest.mark.parametrize("service", airflow_services())
def test_airflow_behaves_as_in_the_embedded_installation(embedded: dict[str, str], service: str) -> None:
    here = environment_of(service)
    assert not set(embedded) - set(here) - EMBEDDED_ONLY - {"AIRFLOW_HOME"}, (
        "set it in docker-compose.yaml too, or add it to EMBEDDED_ONLY with a reason"
    )
    assert {name: here[name] for name in embedded if name in here and name not in DIFFERENT | {"AIRFLOW_CONN_AISLEFLOW_WAREHOUSE"}} == {
        name: value for name, value in embedded.items() if name in here and name not in DIFFERENT | {"AIRFLOW_CONN_AISLEFLOW_WAREHOUSE"}
    }


def test_the_users_are_those_of_the_embedded_installation() -> None:
    here = environment_of("api-server")
    assert here["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == ",".join(f"{user}:{role}" for user, role in USERS.items())
    assert {f"UI_{user.upper()}_PASSWORD" for user in USERS} <= set(here)
    assert not [name for name in environment_of("worker-1") if name.startswith("UI_")]


def test_the_workers_use_the_full_parallelism() -> None:
    concurrency = [int(environment_of(worker)["AIRFLOW__CELERY__WORKER_CONCURRENCY"]) for worker in worker_queues()]
    assert len(concurrency) == 2
    assert sum(concurrency) == PARALLELISM


def test_every_queue_has_a_worker(tmp_path: Path) -> None:
    served = set().union(*worker_queues().values())
    airflow = {
        "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}",
        "AIRFLOW__OPERATORS__DEFAULT_QUEUE": environment_of("scheduler")["AIRFLOW__OPERATORS__DEFAULT_QUEUE"],
    }  # fmt: skip
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, str(Path(__file__).with_name("dag_queues.py")), str(ROOT / "dags")]
    done = subprocess.run(command, env=inherited | airflow, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    queues = json.loads(done.stdout.splitlines()[-1])
    assert queues
    assert not {task: queue for task, queue in queues.items() if queue not in served}, "no worker listens: they would stay queued"


def test_a_redelivered_task_is_not_run_twice(known_options: dict[str, Any]) -> None:
    """Redis redelivers a task that is not acknowledged in time; the longest crawl takes three hours."""
    given = environment_of("worker-1").get("AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT")
    described = known_options["celery_broker_transport_options"]["options"]["visibility_timeout"]
    assert given is None and described["default"] is None and "86400 seconds" in described["description"]


# -- the sandbox


@pytest.fixture
def sandbox_call(monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """(port, host) of the sandbox, parsed by its command line."""
    called: list[tuple[int, str]] = []
    monkeypatch.setattr(serve, "open_world", lambda kind, **_: kind)
    monkeypatch.setattr(serve, "run", lambda _world, port, host, *_: called.append((port, host)))
    command = services()["sandbox"]["command"]
    assert command[:3] == ["python", "-m", "sandbox.serve"]
    serve.main(command[3:])
    return called[0]


def test_the_workers_find_the_sandbox(sandbox_call: tuple[int, str]) -> None:
    port, host = sandbox_call
    assert host == "0.0.0.0"  # noqa: S104 - inside its container; no port of it is published
    for worker in worker_queues():
        environment = environment_of(worker)
        assert environment["SANDBOX_ADDRESS"] == f"sandbox:{port}"
        addresses = {environment[f"AISLEFLOW_{site}_URL"] for site in ("COLES", "WOOLWORTHS", "ALDI", "IGA")}
        assert addresses == {f"http://127.0.0.1:{port}/{site}" for site in ("coles", "woolworths", "aldi", "iga")}
    assert f":{port}/_sandbox/health" in services()["sandbox"]["healthcheck"]["test"][-1]
