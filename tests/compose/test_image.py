"""``Dockerfile``, ``.dockerignore`` and the scripts in ``docker/``."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from include.warehouse import migrations
from tests.compose.compose_file import services
from tests.compose.versions import locked
from tests.project.files import ROOT, name_of, project_files

DOCKERFILE = (ROOT / "Dockerfile").read_text()
SCRIPTS = sorted((ROOT / "docker").rglob("*.sh"))
NAMES = [name_of(path) for path in project_files()]


def let_through() -> list[str]:
    """Return the patterns that ``.dockerignore`` includes; everything else is excluded."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line[1:] for line in lines if line.startswith("!")]


def in_context(name: str) -> bool:
    return any(name == pattern or name.startswith(f"{pattern}/") or fnmatch.fnmatch(name, pattern) for pattern in let_through())


def test_the_files_of_the_image_exist() -> None:
    for pattern in let_through():
        found = [name for name in NAMES if name == pattern or name.startswith(f"{pattern}/") or fnmatch.fnmatch(name, pattern)]
        assert found, f".dockerignore includes {pattern}, which does not exist"


def test_copied_files_are_in_the_build_context() -> None:
    copied = [source for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for source in line.split()[:-1]]
    assert "." in copied
    assert all(in_context(source) for source in copied if source != ".")


def test_the_image_has_the_whole_program_and_no_private_files() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [
        "pyproject.toml",
        project["readme"],
        "requirements.lock",
        "include/config.py",
        "dags/ingest_prices.py",
        "sql/migrations/0001_foundation.sql",
    ]
    scripts = [word for service in services().values() for word in service.get("command", []) if word.startswith("docker/")]
    assert [name for name in (*needed, *scripts) if not in_context(name)] == []
    assert len(scripts) == 4
    assert [name for name in (".env", ".aisleflow/secrets.json", ".git/config", "tests/conftest.py") if in_context(name)] == []


def test_migrations_find_their_sql_in_the_image() -> None:
    """The code expects ``sql/`` beside ``include/``; the image has the repository's layout."""
    assert Path(migrations.__file__).parents[2] == ROOT
    assert "WORKDIR /opt/aisleflow\n" in DOCKERFILE and "PYTHONPATH=/opt/aisleflow " in DOCKERFILE


def test_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    python = re.search(r"^ARG PYTHON_IMAGE=python:(\d+\.\d+)\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert python
    assert project["tool"]["mypy"]["python_version"] == python[1]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    images = {service["image"] for service in services().values() if "build" in service}
    assert images == {f"aisleflow:{project['project']['version']}"}
    assert f"apache-airflow=={locked('apache-airflow')}" in project["project"]["dependencies"]
    assert tuple(map(int, locked("celery").split(".")[:2])) < (5, 7), "5.7 removed an import of the Celery provider"


def test_packages_come_from_the_lock_only() -> None:
    installs = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if re.search(r"pip install", line)]
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_scripts_are_posix_sh_and_stop_at_the_first_error(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n#")
    assert re.search(r"^set -eu$", text, re.MULTILINE)
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(script)], check=True)
    for program in re.findall(r"<<'PY'\n(.*?)^PY$", text, re.MULTILINE | re.DOTALL):
        compile(program, script.name, "exec")


def test_roles_of_migrations_are_created_by_the_superuser() -> None:
    """The warehouse's owner may not create roles."""
    text = "".join(path.read_text() for path in (ROOT / "sql" / "migrations").glob("*.sql"))
    made = (ROOT / "docker" / "postgres" / "create-databases.sh").read_text()
    assert set(re.findall(r"CREATE ROLE (\w+)", text)) <= set(re.findall(r"CREATE ROLE (\w+)", made))
