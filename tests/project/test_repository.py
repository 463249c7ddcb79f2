"""Rules about the repository: sizes, lock files, no machine-specific paths."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project.files import ROOT, name_of, project_files, sources

LINES_MAX = 500
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-installer.lock"]


def _texts() -> list[Path]:
    return [
        path
        for path in project_files()
        if path.suffix not in {".lock", ".gz", ".png", ".ico", ".woff2"} and path != Path(__file__).resolve()
    ]


@pytest.mark.parametrize("path", sources("include", "sandbox", "dags", "plugins", "tests", "docs", "benchmarks"), ids=name_of)
def test_modules_are_short_enough_to_read(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= LINES_MAX, f"{name_of(path)} has {lines} lines: it is perhaps two modules"


def test_no_path_of_one_machine() -> None:
    pattern = re.compile(r"(?:^|[^\w./-])(/(?:work|root|farm|Users|home/(?!airflow\b)\w+)/[\w.-]+)", re.MULTILINE)
    found = {name_of(path): hits for path in _texts() if (hits := pattern.findall(path.read_text(errors="replace")))}
    assert not found


def test_no_registry_is_named() -> None:
    """Which index packages come from is the reader's choice, not the project's."""
    hosts = ("pypi.org", "pythonhosted.org", "registry.npmjs.org", "ghcr.io", "quay.io", "docker.io", "extra-index-url", "index-url")
    made_for = {ROOT / "Makefile"}  # `make lock` is configured not to write the index down
    found = {
        name_of(path): [host for host in hosts if host in path.read_text(errors="replace")] for path in _texts() if path not in made_for
    }
    assert not {name: hits for name, hits in found.items() if hits}


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://|file:|index-url|^-e|@ ", text, re.MULTILINE)
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry or entry.startswith("#"), f"{lock.name}: {entry.splitlines()[0]} has no hash"


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [Requirement(text) for text in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"])]
    locked: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", LOCKS[0].read_text(), re.MULTILINE):
        locked.setdefault(canonicalize_name(name), []).append(Version(version))
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in requirements.lock. Run: make lock"
        assert all(version in requirement.specifier for version in versions), f"{requirement} against {versions}. Run: make lock"


def test_ci_runs_by_itself() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_licence_is_the_one_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()


def test_the_changelog_knows_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog or f"## [{version}]" in changelog
