"""``docker-compose.yaml``: valid, safe by default, and consistent with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from jsonschema import Draft202012Validator

from include.config import PREFIX, Settings, settings
from include.embedded.airflow_env import url_from_connection
from include.embedded.postgres_programs import VERSION as EMBEDDED_POSTGRES
from include.retailer_names import RETAILERS
from sandbox.world import RETAILERS as SANDBOX_RETAILERS
from tests.compose.compose_file import compose, new_env, services, settled, variables
from tests.project.files import ROOT

#: Runs to its end: its exit code is its health.
ONE_SHOTS = {"airflow-init"}

SCALE_OUT_PAGE = ROOT / "docs" / "scale-out.md"

SERVICES = sorted(services())


def test_the_file_is_well_formed() -> None:
    schema = json.loads(Path(__file__).with_name("schema.json").read_text())
    faults = [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in Draft202012Validator(schema).iter_errors(compose())]
    assert not faults


@pytest.mark.parametrize("name", SERVICES)
def test_dependencies_of_a_service_exist_and_can_be_met(name: str) -> None:
    for awaited, how in services()[name].get("depends_on", {}).items():
        assert awaited in services(), f"{name} waits for {awaited}, which does not exist"
        wanted = "service_completed_successfully" if awaited in ONE_SHOTS else "service_healthy"
        assert how["condition"] == wanted, f"{name} waits for {awaited}: {how['condition']}, not {wanted}"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check(name: str) -> None:
    assert ("healthcheck" in services()[name]) == (name not in ONE_SHOTS)
    assert services()[name]["restart"] == ("on-failure:3" if name in ONE_SHOTS else "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_is_root_or_writes_outside_declared_paths(name: str) -> None:
    service = services()[name]
    if "build" in service:
        last_user = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1:]
        user = service.get("user", *last_user)
    else:
        user = service["user"]
    assert user.partition(":")[0] not in {"", "root", "0"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", SERVICES)
def test_volumes_are_declared_and_files_exist(name: str) -> None:
    for mount in services()[name].get("volumes", []):
        source = mount.partition(":")[0]
        if source.startswith("."):
            assert (ROOT / source).is_file(), f"{name} mounts {source}, which does not exist"
            assert mount.endswith(":ro")
        else:
            assert source in compose()["volumes"], f"{name} mounts {source}, which is not declared"


def test_ports_are_open_to_this_machine_only() -> None:
    published = [settled(port, {}) for service in services().values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8080:8080"]


def test_images_are_pinned() -> None:
    for name, service in services().items():
        tag = service["image"].partition(":")[2]
        assert re.match(r"\d+\.\d+", tag), f"{name}: {service['image']} is not pinned; name a version"


def test_postgres_is_the_major_version_of_the_embedded_installation() -> None:
    major = services()["postgres"]["image"].partition(":")[2].partition(".")[0]
    assert int(major) == EMBEDDED_POSTGRES
    # since 18 the image refuses a volume at the old path, /var/lib/postgresql/data
    assert "postgres:/var/lib/postgresql" in services()["postgres"]["volumes"]


# -- variables and secrets


def test_every_variable_is_documented() -> None:
    explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    explained |= set(re.findall(r"`([A-Z][A-Z0-9_]+)`", SCALE_OUT_PAGE.read_text()))
    assert not set(variables()) - explained, "document them in docs/scale-out.md or .env.example"


@pytest.mark.slow
def test_new_env_generates_exactly_the_required_variables() -> None:
    drawn, again = new_env(), new_env()
    assert set(drawn) == {name for name, is_required in variables().items() if is_required}
    assert all(drawn[name] != again[name] for name in drawn)
    Fernet(drawn["AIRFLOW_FERNET_KEY"])
    plain = {name: value for name, value in drawn.items() if name != "AIRFLOW_FERNET_KEY"}
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in plain.values()), "they are used unquoted in URLs and in JSON"


def test_no_secret_has_a_value_here() -> None:
    for name, service in services().items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD$|SECRET|_KEY|REDISCLI_AUTH", variable):
                assert re.fullmatch(r"\$\{[A-Z0-9_]+:\?[^}]+\}", value), f"{name}: {variable} is not taken from .env"
            for login in re.findall(r"//[^/@]*:([^/@]*(?:\}[^/@]*)?)@", value or ""):
                assert login.startswith("${"), f"{name}: the password in {variable} is not taken from .env"


def test_only_postgres_knows_its_superuser_password() -> None:
    holders = {name for name, service in services().items() if "POSTGRES_PASSWORD" in json.dumps(service)}
    assert holders == {"postgres"}


# -- this project's settings


def own_environments() -> dict[str, dict[str, str | None]]:
    return {name: service["environment"] for name, service in services().items() if "build" in service}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(own_environments()))
def test_project_settings_are_those_of_the_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = own_environments()[name]
    for variable in Settings.model_fields:
        monkeypatch.delenv(PREFIX + variable.upper(), raising=False)
    for variable, value in settled(environment, new_env()).items():
        if variable.startswith(PREFIX) and value is not None:
            monkeypatch.setenv(variable, value)
    unknown = {variable for variable in environment if variable.startswith(PREFIX)} - {
        PREFIX + field.upper() for field in Settings.model_fields
    }
    assert not unknown, "a container with an unknown setting refuses to start"
    read = settings()
    assert not read.allow_live, "only the sandbox is crawled by default"


def test_every_setting_can_be_set_here() -> None:
    elsewhere = {"home", "api_port"}  # set by the image; the published port
    served = {f"{retailer}_url" for retailer in SANDBOX_RETAILERS}
    elsewhere |= {f"{retailer}_url" for retailer in RETAILERS} - served  # a site without a sandbox is the live one
    expected = {PREFIX + field.upper() for field in Settings.model_fields if field not in elsewhere}
    assert expected <= set(own_environments()["worker-1"]), "add it under x-settings in docker-compose.yaml"


@pytest.mark.slow
def test_every_component_has_the_same_warehouse_and_storage() -> None:
    environment = settled(own_environments()["scheduler"], new_env())
    url, connection = environment["AISLEFLOW_WAREHOUSE_URL"], environment["AIRFLOW_CONN_AISLEFLOW_WAREHOUSE"]
    same = urlsplit(url)
    assert url_from_connection(connection) == f"postgresql://warehouse:{same.password}@/warehouse?host=postgres&port=5432"
    assert (same.hostname, same.port, same.path, same.username) == ("postgres", 5432, "/warehouse", "warehouse")
    assert environment["AISLEFLOW_STORAGE_ROOT"].startswith("s3://")
    for other in own_environments():
        if other != "sandbox":
            shared = {
                name: value for name, value in own_environments()[other].items() if name.startswith(("AISLEFLOW_", "AWS_", "AIRFLOW_"))
            }
            assert shared == {name: own_environments()["scheduler"][name] for name in shared}


def test_an_empty_address_in_env_means_the_live_site() -> None:
    """Empty addresses select the live sites; a default that replaced them would always crawl the sandbox."""
    environment = own_environments()["worker-1"]
    for retailer in ("COLES", "WOOLWORTHS", "ALDI", "IGA"):
        name = f"AISLEFLOW_{retailer}_URL"
        assert settled(environment[name], {}) == f"http://127.0.0.1:8700/{retailer.lower()}"
        assert settled(environment[name], {name: ""}) == ""
