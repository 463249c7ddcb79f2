"""How many of the size texts in real store-days and recorded answers the parser reads, and how far the sizes agree with price / unit price."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.matching_data import DATA
from include.wording.foreign import Medium, render
from include.wording.priced_size import size_from_price
from include.wording.size import readings

#: The keys under which the retailers' own answers have size texts; IGA's has an object.
_PAYLOAD_KEYS = {"coles": "size", "woolworths": "PackageSize", "aldi": "sellingSize", "iga": "unitOfSize"}
_NEXT_DATA = re.compile(rb"__NEXT_DATA__[^>]*>(.*?)</script>", re.DOTALL)

#: A price is rounded to cents, and a unit price too.
_TOLERANCE = Decimal("0.05")


def size_report(not_parsed: Path, folder: Path = DATA) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows per retailer: texts parsed, and sizes that agree with the price. Texts without a reading are written to ``not_parsed``."""
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    agreed: dict[str, Counter[bool]] = defaultdict(Counter)
    for path in sorted((folder / "store-days").glob("*.jsonl.gz")):
        retailer = path.name.partition("-")[0]
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                product = json.loads(line)["product"]
                _count(retailer, product, texts, agreed)
    for retailer, key in _PAYLOAD_KEYS.items():
        for path in sorted((folder / "payloads" / retailer).glob("*")):
            texts[f"{retailer}, recorded answers"].update(_sizes(_payload(path), key))
    failed = [(retailer, text, count) for retailer, found in texts.items() for text, count in found.items() if not readings(text)]
    not_parsed.parent.mkdir(parents=True, exist_ok=True)
    with not_parsed.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("retailer", "size", "lines"), *((r, render(t, Medium.SPREADSHEET), n) for r, t, n in failed)])
    sizes = []
    for retailer, found in sorted(texts.items()):
        lost = sum(count for owner, _, count in failed if owner == retailer)
        distinct = sum(owner == retailer for owner, _, _ in failed)
        sizes.append({
            "retailer": retailer, "texts": found.total(), "distinct": len(found), "parsed_share": round(1 - lost / found.total(), 5), "not_parsed": distinct,
        })  # fmt: skip
    agreement = [
        {"retailer": retailer, "compared": found.total(), "agree_share": round(found[True] / found.total(), 4)}
        for retailer, found in sorted(agreed.items())
    ]
    return sizes, agreement


def _payload(path: Path) -> Any:
    """The JSON of a recorded answer; of a page the data inside it, null if it has none."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if content.lstrip()[:1] in (b"{", b"["):
        return json.loads(content)
    found = _NEXT_DATA.search(content)
    return json.loads(found[1]) if found else None


def _sizes(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, list):
        for child in node:
            yield from _sizes(child, key)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == key and isinstance(value, str) and value.strip():
                yield value
            elif name == key and isinstance(value, dict) and "size" in value:
                yield f"{value['size']}{value.get('abbreviation') or node.get('sellBy') or ''}"
            else:
                yield from _sizes(value, key)


def _count(retailer: str, product: dict[str, Any], texts: dict[str, Counter[str]], agreed: dict[str, Counter[bool]]) -> None:
    size, price = product.get("size"), product.get("price_current")
    if not size or not size.strip():
        return
    texts[retailer][size] += 1
    implied = size_from_price(None if price is None else round(price * 100), product.get("per_unit_price_string"))
    if implied is None:
        return
    comparable = [reading for reading in readings(size, product["name"]) if reading.dimension is implied.dimension and reading.total != 1]
    if comparable:
        agreed[retailer][any(_agree(reading.total, reading.quantity_max, implied.total) for reading in comparable)] += 1


def _agree(total: Decimal, top: Decimal | None, implied: Decimal) -> bool:
    return total * (1 - _TOLERANCE) <= implied <= (top or total) * (1 + _TOLERANCE)
