"""The examples in ``docs/staged-files.md`` do what the page states."""

from __future__ import annotations

import re
from pathlib import Path

from include.config import settings
from include.ingestion.importing import import_file
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.project.files import ROOT

PAGE = (ROOT / "docs" / "staged-files.md").read_text()


def example(language: str) -> str:
    """Return the first code block of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]  # type: ignore[no-any-return]


def test_the_shortest_line_is_enough(warehouse: Warehouse, storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(example("json"))

    imported = import_file(warehouse, storage, path)

    assert (imported.outcome, imported.retailer) == ("waiting", "aldi")


def test_the_importer_of_ones_own_stages_a_file(warehouse: Warehouse) -> None:
    exec(compile(example("python"), "docs/staged-files.md", "exec"), {})  # noqa: S102 - the project's own page

    storage = Storage(settings().storage)
    [path] = storage.manifests(Stage.OUTBOX)
    manifest = staged_file.load_manifest(storage, path)
    assert (manifest.retailer, manifest.store_id, manifest.rows, manifest.complete) == ("aldi", "G102", 1, False)


def test_every_key_of_the_manifest_is_explained() -> None:
    table = PAGE.partition("## The manifest")[2].partition("## ")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(Manifest.__struct_fields__)
