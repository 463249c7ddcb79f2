"""Reads a directory of stores as a starting list: JSON files of rows ``{"model", "pk", "fields"}``, gzip or plain.

``company.json`` lists the chains, ``division.json`` their kinds of shop, ``store.json`` the shops. A starting list
only saves time before the first discovery: later results of a store finder replace it, never the other way round.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from include.clock import parse_instant
from include.errors import TerminalError
from include.model.store import StoreRecord, StoreRef
from include.retailer_names import RETAILERS

#: Far above the size of any real directory.
_BYTES_MAX = 200_000_000


def read_directory(folder: Path, is_crawlable: Callable[[StoreRef], bool]) -> Iterator[tuple[StoreRecord, datetime]]:
    """Yield the stores of a directory that belong to known retailers, each with the instant it was last updated.

    In a chain with divisions the supermarkets are in the division with "supermarket" in its name; in a chain without, every crawlable shop is one.

    Args:
        folder: contains ``store.json``, ``company.json`` and ``division.json``, each optionally with ``.gz``.
        is_crawlable: whether the web shop can be crawled for a store (from its adapter).

    Raises:
        TerminalError: a file is missing, damaged or has another format; the message names it.
    """
    companies = {row["pk"]: str(row["fields"]["name"]).strip().lower() for row in _rows(folder, "company")}
    divisions = {row["pk"]: (row["fields"]["company"], str(row["fields"]["name"])) for row in _rows(folder, "division")}
    companies_with_divisions = {company for company, _ in divisions.values()}
    for row in _rows(folder, "store"):
        try:
            fields = row["fields"]
            retailer = companies[fields["company"]]
            if retailer not in RETAILERS:
                continue
            division = divisions[fields["division"]][1] if fields["division"] is not None else None
            online, store_id = fields.get("retailer_store_id"), str(fields["store_id"])
            store_ref = StoreRef(retailer, store_id, fields.get("store_name") or None, None, str(online) if online else None)
            is_supermarket = (
                "supermarket" in (division or "").lower() if fields["company"] in companies_with_divisions else is_crawlable(store_ref)
            )
            yield (
                StoreRecord(
                    retailer=retailer, store_id=store_id, online_store_id=store_ref.online_store_id, name=store_ref.name, state=fields.get("state"),
                    suburb=fields.get("suburb"), postcode=fields.get("postcode"), latitude=fields.get("latitude"), longitude=fields.get("longitude"),
                    division=division, is_supermarket=is_supermarket,
                ),
                parse_instant(fields["last_updated"], f"last_updated of store {store_id}"),
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise TerminalError(
                f"{folder}/store.json: row {row.get('pk') if isinstance(row, dict) else row!r} does not have the format of a directory ({error!r}). Export it again, or correct the row."
            ) from error


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    path = next((path for path in (folder / f"{name}.json.gz", folder / f"{name}.json") if path.exists()), None)
    if path is None:
        raise TerminalError(
            f"{folder}: there is no {name}.json or {name}.json.gz. A directory is a folder with company, division and store."
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
        if len(content) > _BYTES_MAX:
            raise TerminalError(f"{path}: larger than {_BYTES_MAX:,} bytes unpacked; this is not a directory of stores.")
        return msgspec.json.decode(content, type=list[dict[str, Any]])
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise TerminalError(f"{path}: not a JSON list of rows ({error}). Export the directory again.") from error
