"""One layout: the folders in git, the list in the README and the import contracts name the same folders in the same order."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.project.files import ROOT, name_of, project_files, sources

CONTRACTS: dict[str, Any] = {
    contract["id"]: contract for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
FOLDERS = {path.relative_to(ROOT).parts[1] for path in sources("include") if len(path.relative_to(ROOT).parts) > 2}


def readme_layout() -> list[tuple[str, str]]:
    """Return the lines of the README's layout in their order: (folder, description)."""
    block = re.search(r"^## Layout\n+```\n(.*?)```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block, "README.md has no section Layout with a list of folders"
    lines = re.findall(r"^((?:[a-z_]+/)+(?: (?:[a-z_]+/)+)*) +(\S.*)$", block[1], re.MULTILINE)
    return [(folder, description) for folders, description in lines for folder in folders.split()]


def layers() -> list[str]:
    """Return the layers of ``include``, the highest first; equal ones one after the other."""
    return [name for layer in CONTRACTS["layers"]["layers"] for name in re.split(r" [|:] ", layer)]


def test_every_top_folder_has_its_line_in_the_readme() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in project_files() if len(path.relative_to(ROOT).parts) > 1}
    found -= {name for name in found if name.startswith(".")} | {"include"}
    listed = {folder.partition("/")[0] for folder, _ in readme_layout()}
    assert found <= listed, f"README.md, Layout: no line for {sorted(found - listed)}"
    assert listed - {"include"} <= found, f"README.md, Layout: there is no {sorted(listed - found)}"


def test_every_folder_of_include_has_one_line_in_the_readme() -> None:
    listed = [folder.split("/")[1] for folder, _ in readme_layout() if folder.startswith("include/")]
    assert len(listed) == len(set(listed)), f"README.md, Layout: listed twice: {sorted(listed)}"
    assert set(listed) == FOLDERS, f"README.md, Layout: differs from the folders of include/ in {sorted(set(listed) ^ FOLDERS)}"


def test_the_order_in_the_readme_is_the_order_of_imports() -> None:
    listed = [folder.split("/")[1] for folder, _ in readme_layout() if folder.startswith("include/")]
    assert listed == [name for name in layers() if name in FOLDERS], (
        "README.md and [tool.importlinter] in pyproject.toml list another order"
    )


def test_every_folder_and_module_of_include_is_a_layer() -> None:
    modules = {path.stem for path in (ROOT / "include").glob("*.py") if path.stem != "__init__"}
    assert set(layers()) == FOLDERS | modules, f"[tool.importlinter], layers: differs in {sorted(set(layers()) ^ (FOLDERS | modules))}"


@pytest.mark.parametrize(
    ("contract", "key", "free"), [("sandbox", "source_modules", {"cli"}), ("sandbox-alone", "forbidden_modules", set())]
)
def test_the_sandbox_is_independent_of_every_folder(contract: str, key: str, free: set[str]) -> None:
    named = {name.removeprefix("include.") for name in CONTRACTS[contract][key]}
    forgotten = sorted(FOLDERS - free - named)
    assert not forgotten, f"[tool.importlinter], {contract}: {key} does not name {forgotten}"


def test_every_package_has_its_init() -> None:
    """Without it a folder is not a package: the import contracts and mypy would not see what is in it."""
    folders = {path.parent for path in sources("include", "sandbox") if "alembic" not in path.parts}  # run by Alembic
    without = sorted(name_of(folder) for folder in folders if not (folder / "__init__.py").is_file())
    assert not without, f"no __init__.py in {without}"
