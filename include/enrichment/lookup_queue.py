"""The queue of look-ups (``ops.barcode_lookup``): ranked before a run, claimed in batches by any number of workers, answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from include import clock
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.model.store import StoreRef
from include.warehouse.engine import Warehouse
from include.wording.same_good import Text

Result = Literal["found", "none", "unusable", "unknown_id", "other_good", "failed"]

#: Hours until a SKU is asked for again, by result (none and unusable, unknown_id and other_good, failed); each attempt doubles them.
_FIRST_WAITS_HOURS = (24 * 7.0, 24.0, 1.0)
_LONGEST_WAIT_HOURS = 24 * 180.0


@dataclass(frozen=True, slots=True)
class Batch:
    """SKUs that one worker asks of one store, each with what the retailer calls it now."""

    claim: str
    store: StoreRef
    texts: dict[str, Text]


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome for one SKU of a batch. ``found``: what goes to the catalogue; its first barcode is kept in the queue."""

    sku: str
    result: Result
    source: str | None = None
    detail: str | None = None
    found: FoundBarcode | None = None


@dataclass(frozen=True, slots=True)
class LookupNight:
    """What the look-ups of a retailer's night have asked and gained so far (``ops.lookup_night``), and the SKUs that are due."""

    requests: int
    asked: int
    found: int
    learned: int
    contested: int
    none: int
    unknown: int
    failed: int
    joined: int
    due: int

    @property
    def requests_per_sku(self) -> float | None:
        """Requests per SKU asked, ``None`` before the first."""
        return round(self.requests / self.asked, 4) if self.asked else None


class LookupQueue:
    """The queue of one retailer in one night."""

    def __init__(self, warehouse: Warehouse, retailer: str, night: date) -> None:
        self._warehouse, self._retailer, self._night = warehouse, retailer, night

    def rank(self) -> LookupNight:
        """Queue what the catalogue knows no barcode of, and decide order and stores of all that is due; returns the night so far."""
        values = {"retailer": self._retailer, "now": clock.now()}
        with self._warehouse.transaction() as connection:
            connection.run("enrichment/queue_doubtful", values)
        with self._warehouse.transaction() as connection:
            connection.run("enrichment/rank_lookups", values)
        return self.night()

    def night(self) -> LookupNight:
        """Return the night so far."""
        with self._warehouse.transaction() as connection:
            row = connection.run("enrichment/find_night", {"retailer": self._retailer, "night": self._night, "now": clock.now()}).fetchone()
        assert row is not None
        return LookupNight(**row)

    def claim(self, claim: str, batch: int) -> Batch | None:
        """Claim the next SKUs for this batch; ``None``: nothing is due. Claims of killed workers return after a while."""
        claimed_at = clock.system_now()  # a claim is abandoned in real time, also in a simulated night
        abandoned_before = claimed_at - timedelta(minutes=self._warehouse.settings.look_up_claim_minutes)
        values = {"retailer": self._retailer, "claim": claim, "now": clock.now(), "claimed_at": claimed_at, "batch": batch}
        with self._warehouse.transaction() as connection:
            rows = connection.run("enrichment/claim_lookups", values | {"abandoned_before": abandoned_before}).fetchall()
        if not rows:
            return None
        first = rows[0]
        store = StoreRef(self._retailer, first["store_id"], first["store_name"], first["state"], first["online_store_id"])
        return Batch(claim, store, {row["sku"]: (row["name"], row["brand"], row["size"]) for row in rows})

    def release(self, worker: str) -> int:
        """Return all claims of a worker to the queue; returns their number."""
        with self._warehouse.transaction() as connection:
            return connection.run("enrichment/release_lookups", {"worker": f"{worker}#"}).rowcount

    def record(self, batch: Batch, store_id: str | None, asked_at: datetime, answers: Sequence[Answer]) -> None:
        """Teach the catalogue what was found, and record all answers, in one transaction."""
        found = [answer.found for answer in answers if answer.found is not None]
        with self._warehouse.transaction() as connection:
            moved = learn_barcodes(connection, self._retailer, found).moved if found else 0
            connection.run(
                "enrichment/record_lookups",
                {
                    "claim": batch.claim, "retailer": self._retailer, "night": self._night, "asked_at": asked_at, "store_id": store_id,
                    "skus": [answer.sku for answer in answers], "results": [answer.result for answer in answers],
                    "sources": [answer.source for answer in answers], "details": [answer.detail for answer in answers],
                    "gtins": [answer.found.gtins[0] if answer.found else None for answer in answers],
                    "joined": moved, "now": clock.now(), "hours": list(_FIRST_WAITS_HOURS), "hours_max": _LONGEST_WAIT_HOURS,
                },
            )  # fmt: skip
