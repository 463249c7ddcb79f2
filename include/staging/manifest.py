"""The manifest of a staged file: its content and completeness."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from include.errors import TerminalError
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, StagedName, UnusableFile

FORMAT_VERSION = 1
#: A manifest with another year is damaged; its instant may be out of range for the database or UTC.
_YEARS = range(1990, 2200)


class ManifestError(UnusableFile):
    """A manifest cannot be read, or does not fit the file it names."""


class Categories(msgspec.Struct, kw_only=True, forbid_unknown_fields=False):
    """Expected and finished categories of a crawl. ``skipped`` maps a category to its reason."""

    expected: list[str] = msgspec.field(default_factory=list)
    finished: list[str] = msgspec.field(default_factory=list)
    skipped: dict[str, str] = msgspec.field(default_factory=dict)


class Manifest(msgspec.Struct, kw_only=True, omit_defaults=False):
    """The metadata of one store-day.

    ``observed_at`` is the store-day's instant (its earliest line), ``last_observed_at`` its latest line, stray lines left out
    (:func:`include.model.instants.crawl_window`).
    ``sha256`` is over the uncompressed lines, so it does not depend on the compression.
    ``complete`` is ``None`` for a file that came without a manifest: ingestion estimates it from the rows.
    ``is_partial_on_request``: the run requested only a part of the store.
    """

    format_version: int = FORMAT_VERSION
    retailer: str
    store_id: str
    store_name: str | None = None
    state: str | None = None
    online_store_id: str | None = None
    night: date
    run_key: str
    observed_at: datetime
    last_observed_at: datetime
    rows: int
    sha256: str
    data: str
    complete: bool | None = None
    incomplete_reason: str | None = None
    is_partial_on_request: bool = False
    categories: Categories = msgspec.field(default_factory=Categories)
    pages: int = 0
    missing: dict[str, int] = msgspec.field(default_factory=dict)
    adapter_version: str | None = None
    etags: dict[str, str] = msgspec.field(default_factory=dict)
    source: str | None = None

    @property
    def name(self) -> StagedName:
        """The staged name of this manifest; checks every part of it."""
        return StagedName(self.retailer, self.store_id, self.night, self.run_key, self.sha256)

    def path(self, stage: Stage) -> str:
        """Relative path of this manifest in a stage."""
        return f"{stage}/{self.name.folder}/{self.name.stem}{MANIFEST_SUFFIX}"

    def data_path(self, stage: Stage) -> str:
        """Relative path of the data file in a stage."""
        return f"{stage}/{self.name.folder}/{self.name.stem}{DATA_SUFFIX}"

    def to_json(self) -> bytes:
        """Serialise human-readably, keys in a fixed order."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def read_manifest(content: bytes, path: str) -> Manifest:
    """Read and check a manifest.

    Args:
        content: the manifest's JSON.
        path: its path, for the error.

    Raises:
        ManifestError: not JSON, a key missing or of the wrong type, a newer format, or a name that does not fit.
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(
            f"{path}: not a manifest ({error}). Stage the store-day again, or import its data file with `aisleflow import`."
        ) from error
    if manifest.format_version > FORMAT_VERSION:
        raise ManifestError(
            f"{path}: format version {manifest.format_version}, this installation reads up to {FORMAT_VERSION}. Upgrade Aisleflow."
        )
    if manifest.observed_at.tzinfo is None or manifest.last_observed_at.tzinfo is None:
        raise ManifestError(f"{path}: observed_at and last_observed_at need a UTC offset. Stage the store-day again.")
    if not all(at.year in _YEARS for at in (manifest.observed_at, manifest.last_observed_at)):
        raise ManifestError(f"{path}: observed from {manifest.observed_at} to {manifest.last_observed_at}. Stage the store-day again.")
    if not 0 <= manifest.rows < 2**31:
        raise ManifestError(f"{path}: {manifest.rows} rows. Stage the store-day again.")
    try:
        expected = manifest.path(Stage.OUTBOX).split("/", 1)[1]
    except TerminalError as error:
        raise ManifestError(f"{path}: {error} The manifest was changed; stage the store-day again.") from error
    if not path.endswith(expected) or not manifest.data.endswith(expected.removesuffix(MANIFEST_SUFFIX).rsplit("/", 1)[1] + DATA_SUFFIX):
        raise ManifestError(
            f"{path}: the manifest describes {expected} with data file {manifest.data}. A file was renamed or its manifest was swapped; stage the store-day again."
        )
    return manifest
