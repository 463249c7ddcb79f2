"""Everything is documented, and everything documented exists: the generated pages are equal to the output of ``make docs``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from docs import generate
from include.cli.main import app
from include.config import Settings
from include.warehouse.dictionary import data_dictionary
from include.warehouse.engine import Warehouse
from tests.project.files import ROOT, name_of, sources


@pytest.mark.parametrize("path", generate.PAGES, ids=name_of)
def test_pages_are_fresh_and_complete(path: Path) -> None:
    assert path.read_text() == generate.PAGES[path](), f"{name_of(path)} is stale. Run: make docs"


def test_data_dictionary_is_fresh(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        page = data_dictionary(connection)
    assert generate.DATA_DICTIONARY.read_text() == page, "docs/data-dictionary.md is stale. Run: make docs"


def test_every_table_and_column_has_a_description(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        page = data_dictionary(connection)
    without = re.findall(r"^\| (?:\*\*)?`(\w+)`.*\| +\|$", page, re.MULTILINE) + re.findall(r"^### (\S+) .*\n\n\n", page, re.MULTILINE)
    assert not without, f"no COMMENT ON for {without}: add it in the migration that makes them"
    assert page.count("\n### ") >= 10


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_described_and_used(setting: str) -> None:
    description = Settings.model_fields[setting].description
    assert description, f"{setting} has no description in include/config.py"
    assert description.endswith(".")
    assert generate.users_of(setting), f"nothing reads settings().{setting}: remove it from include/config.py"


def test_env_example_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every uncommented line is a valid value of its setting, equal to the default."""
    expected = Settings().model_dump(exclude={"home", "now"})
    for name, value in re.findall(r"^#(AISLEFLOW_\w+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE):
        monkeypatch.setenv(name, value.strip('"'))
    assert Settings().model_dump(exclude={"home", "now"}) == expected


def commands(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the words of every command below a group."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*words, name))
        yield (*words, name)


COMMANDS = sorted(commands(typer.main.get_command(app)))  # type: ignore[arg-type]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_documented(words: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0
    assert f" `aisleflow {' '.join(words)}`\n" in (ROOT / "docs" / "cli.md").read_text(), "not in docs/cli.md. Run: make docs"


PAGES = [path for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]) if path.is_file()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_have_targets(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file).resolve() if file else page
        assert aim.exists(), f"{name_of(page)} links to {target}, which does not exist"
        if anchor and aim.suffix == ".md":
            assert anchor in anchors(aim), f"{name_of(page)} links to {target}; {name_of(aim)} has {sorted(anchors(aim))}"


def test_sections_named_in_code_exist() -> None:
    """A section named in a message has to exist."""
    headings = set(re.findall(r"^#+ (.*)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    for path in sources("include", "sandbox", "dags", "plugins"):
        for section in re.findall(r"CONTRIBUTING(?:\.md)?, [\"“](.*?)[\"”]", " ".join(path.read_text().split())):
            assert section in headings, f"{name_of(path)} sends to CONTRIBUTING.md, {section!r}; there are {sorted(headings)}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def named_commands(text: str) -> set[str]:
    """Return what a text calls ``aisleflow <one or two words>``, the second only where the first is a group of commands.

    >>> sorted(named_commands("run `aisleflow quarantine list`, or `aisleflow up` and wait"))
    ['quarantine list', 'up']
    """
    groups = {words[0] for words in COMMANDS if len(words) > 1}
    found = re.findall(r"(?:^|[`:/]|\.\s|\$ ) ?aisleflow ([a-z-]+)(?: ([a-z-]+))?", text, re.MULTILINE)
    return {f"{first} {second}".strip() if first in groups else first for first, second in found}


PROSE = [*PAGES, *sources("include", "sandbox", "dags", "plugins")]


@pytest.mark.parametrize("path", PROSE, ids=name_of)
def test_commands_named_in_pages_and_messages_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = path.read_text()
    unknown = {f"make {target}" for target in re.findall(r"(?:^\$ |`)make ([a-z][a-z-]*)", text, re.MULTILINE)} - {
        f"make {target}" for target in targets
    }
    unknown |= {f"aisleflow {command}" for command in named_commands(text)} - {f"aisleflow {' '.join(words)}" for words in COMMANDS}
    assert not unknown, f"{name_of(path)} recommends {sorted(unknown)}, which do not exist"
