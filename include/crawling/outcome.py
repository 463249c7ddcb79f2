"""What a crawl reports: plain values that travel as JSON and land in ``ops.crawl_outcome``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["finished", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CategoryOutcome:
    """What became of one category. ``announced`` and ``products`` count distinct goods, advertisements left out."""

    key: str
    name: str
    status: Status
    reason: str | None = None
    pages: int = 0
    announced: int | None = None
    products: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOutcome:
    """What one crawl of one store gave.

    ``manifest`` is the staged manifest's path below the storage root, ``None`` for a store that is empty on purpose.
    ``is_retryable`` says that something failed which may not fail again: a retry asks only for what is missing.
    ``site_unavailable`` says that the site was left alone before the store was through.
    ``rows_skipped`` counts by reason the rows that are no offer, ``notes`` by kind the offers that contradict themselves.
    """

    retailer: str
    store_id: str
    night: str
    run_key: str
    manifest: str | None
    rows: int
    pages: int
    requests: int
    complete: bool
    incomplete_reason: str | None
    is_retryable: bool
    seconds: float
    site_unavailable: bool = False
    categories: tuple[CategoryOutcome, ...] = ()
    rows_skipped: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def names_with_status(self, status: Status) -> list[str]:
        """Return the names of the categories with a status."""
        return [category.name for category in self.categories if category.status == status]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        return asdict(self) | {"categories": [asdict(category) for category in self.categories]}
