"""Lists the staged files of one store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from include.staging.manifest import ManifestError
from include.staging.staged_file import load_manifest
from include.staging.storage import Stage, StagedName, Storage


@dataclass(frozen=True, slots=True)
class StoreFile:
    """One staged file of a store. ``manifest`` is its manifest's path below the storage root; of a damaged one only the path is known."""

    stage: str
    manifest: str
    night: date | None = None
    run_key: str | None = None
    rows: int | None = None
    complete: bool | None = None
    observed_at: datetime | None = None


def list_store_files(storage: Storage, retailer: str, store_id: str) -> list[StoreFile]:
    """Return the staged files of a store in all stages, the newest night first.

    Raises:
        TerminalError: unknown retailer, or the store's id is not allowed in a path.
    """
    folder = StagedName(retailer, store_id, date.min, "any", "0" * 64).folder
    found = [_read(storage, stage, path) for stage in Stage if stage is not Stage.LANDING for path in storage.manifests(stage, folder)]
    return sorted(found, key=lambda file: (file.night or date.min, file.manifest), reverse=True)


def _read(storage: Storage, stage: Stage, path: str) -> StoreFile:
    try:
        manifest = load_manifest(storage, path)
    except (ManifestError, FileNotFoundError):  # damaged, or moved to another stage just now
        return StoreFile(str(stage), path)
    return StoreFile(str(stage), path, manifest.night, manifest.run_key, manifest.rows, manifest.complete, manifest.observed_at)
