"""Single lines as they may come: what is read exactly, what is refused with which reason, and that nothing ends the process."""

from __future__ import annotations

import inspect
import io
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from include.ingestion import lines, pipeline, products
from include.ingestion.copying import COLUMNS, copy_lines, copy_rows
from include.ingestion.lines import LineReader
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.staged_file import RawLine, read_lines
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import WEDNESDAY, StoreDays, content, offer
from tests.warehouse.looking import cents, one, rows

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


@pytest.fixture
def manifest(store_day: StoreDays) -> Manifest:
    """The manifest of a store-day of Aldi's G1."""
    return store_day(lines=[offer("1")])


def line(product: str = "", **fields: Any) -> bytes:
    """Return a line whose product is a plain one with raw JSON text put behind it."""
    made = json.dumps(offer("1", **fields)["product"])[:-1] + (f", {product}" if product else "") + "}"
    metadata = json.dumps({"company": "aldi", "store_id": "G1", "state": "VIC", "scraped_at": WEDNESDAY})
    return f'{{"product": {made}, "metadata": {metadata}}}'.encode()


def read(manifest: Manifest, raw: bytes) -> dict[str, Any]:
    """Return the row a line becomes."""
    return dict(zip(COLUMNS, LineReader(1, manifest, NOW)(RawLine(1, raw)), strict=True))


@pytest.mark.parametrize(
    "text",
    ["4.1", "4.10", "0.1", "1e0", "1.5E1", "19999.99", "12", "12.0", "0.3", "2.675", "1.005", "100000.000000001"],
)
def test_a_number_keeps_its_text(manifest: Manifest, warehouse: Warehouse, text: str) -> None:
    value = read(manifest, line(f'"price_current": {text}'))["price"]
    assert str(value) == text
    assert one(warehouse, f"SELECT {text}::numeric = '{value}'::numeric") is True


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e-400", "1" + "0" * 30, "0." + "3" * 30, '"4.10"', "true", "[4.1]", "{}"])
def test_an_invalid_price_is_a_defect_and_not_guessed(manifest: Manifest, text: str) -> None:
    row = read(manifest, line(f'"price_current": {text}'))
    assert (row["price"], row["defects"]) == (None, "{price_not_a_number}")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x10", "1_000", "None"])
def test_invalid_json_literals_refuse_the_line(manifest: Manifest, text: str) -> None:
    assert read(manifest, line(f'"price_current": {text}'))["defects"] == "{not_json}"


@pytest.mark.parametrize("where", ['"extra": {}', '"name": {}', '"price_current": {}', '"category_path": {}'])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
@pytest.mark.parametrize("depth", [1_000, 10_000, 200_000])
def test_a_deeply_nested_line_does_not_crash(manifest: Manifest, where: str, brackets: str, depth: int) -> None:
    opened = "[" * depth if brackets == "[]" else '{"a":' * depth + "1"
    raw = line(where.format(opened + brackets[1] * depth))
    found: list[dict[str, Any]] = []
    # in a thread, too: its stack is smaller than the process's
    thread = threading.Thread(target=lambda: found.append(read(manifest, raw)))
    thread.start()
    thread.join()
    found.append(read(manifest, raw))
    if depth >= 10_000:
        assert [row["defects"] for row in found] == ["{not_json}"] * 2
    assert found[0] == found[1]


def test_the_last_value_of_a_repeated_key_counts(manifest: Manifest) -> None:
    assert read(manifest, line('"price_current": 2.50, "name": "First", "name": "Last"'))["name"] == "Last"
    assert read(manifest, line('"price_current": 2.50, "price_current": 3.50'))["price"] == "3.50"


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"])
def test_invalid_utf_8_refuses_the_line(manifest: Manifest, damage: bytes) -> None:
    raw = line(name="Tea").replace(b"Tea", b"T" + damage + b"ea")
    assert read(manifest, raw)["defects"] == "{not_json}"


@pytest.mark.parametrize("escaped", ["\\ud800", "\\udfff", "\\ud800x"])
def test_half_a_surrogate_pair_refuses_the_line(manifest: Manifest, escaped: str) -> None:
    assert read(manifest, line(f'"name": "T{escaped}ea"'))["defects"] == "{not_json}"


@pytest.mark.parametrize("escaped", ["\\u0000", "\\t", "\\n", "\\\\", "\\\\N", "\\\\.", "\\u2028", "\\u00a0", '\\"'])
def test_every_character_reaches_the_table(warehouse: Warehouse, storage: Storage, store_day: StoreDays, escaped: str) -> None:
    name = json.loads(f'"T{escaped}ea"')
    store_day(lines=[offer("1", name=name, url=f"https://a.example/{name}"), offer("2")])
    pipeline.load(warehouse, storage, "aldi")
    (row,) = rows(warehouse, "SELECT name, url, defects FROM staging.offer WHERE sku = '1'")
    cleaned = products._clean(name)
    assert (row["name"], row["url"], row["defects"]) == (cleaned, products._clean(f"https://a.example/{name}"), None)
    assert cleaned and cleaned[0] == "T" and cleaned.endswith("ea")


def test_lines_may_end_as_on_windows(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    made = content([offer("1"), offer("2", 2.0)], "aldi", "G1", "VIC", WEDNESDAY)
    store_day(lines=[one_line + b"\r" for one_line in made.split(b"\n") if one_line])
    pipeline.ingest(warehouse, storage, "aldi")
    assert cents(warehouse) == {"1": 100, "2": 200}


def test_a_byte_order_mark_refuses_its_line_only(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    made = content([offer("1"), offer("2", 2.0)], "aldi", "G1", "VIC", WEDNESDAY).split(b"\n")
    store_day(lines=[b"\xef\xbb\xbf" + made[0], made[1]])
    pipeline.ingest(warehouse, storage, "aldi")
    assert cents(warehouse) == {"2": 200}
    assert rows(warehouse, "SELECT line_number, reasons FROM ops.quarantined_offer") == [{"line_number": 1, "reasons": ["not_json"]}]


def test_a_line_without_end_is_cut_and_refused() -> None:
    class EndlessLine(io.RawIOBase):
        """A gigabyte without a newline, generated while it is read."""

        left = 1_000_000_000
        largest = 0

        def read(self, size: int = -1) -> bytes:
            given = min(size, self.left)
            self.largest = max(self.largest, given)
            self.left -= given
            return b"x" * given

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

    file = EndlessLine()
    assert [(found.number, len(found.raw), found.problem) for found in read_lines(file, "x", 1_000)] == [(1, 2000, "line_too_long")]  # type: ignore[arg-type]
    assert file.largest <= 1 << 22, "it is read in pieces"


class LongLine(io.RawIOBase):
    """One line, read in pieces. Counts the bytes that its reader copies, from piece to piece, in its own variables."""

    def __init__(self, pieces: int) -> None:
        self.left, self.bytes_made, self.seen = pieces, 0, dict[int, bytes]()

    def read(self, size: int = -1) -> bytes:
        for value in inspect.currentframe().f_back.f_locals.values():  # type: ignore[union-attr]
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, bytes) and id(part) not in self.seen:
                    self.seen[id(part)] = part  # kept, so that no other gets its number
                    self.bytes_made += len(part)
        self.left -= 1
        return b"%d" % (10**size - self.left) if self.left >= 0 else b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0


def test_the_work_of_a_long_line_grows_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_file, "_CHUNK", 100)
    made = []
    for pieces in (100, 400):
        file = LongLine(pieces)
        (found,) = read_lines(file, "x", 1_000_000)  # type: ignore[arg-type]
        assert len(found.raw) >= 100 * (pieces - 1)
        made.append(file.bytes_made)
    assert made[0] > 100 * 99 and made[1] < 5 * made[0]


def test_memories_of_the_reader_are_bounded() -> None:
    bounds = [
        function.cache_info().maxsize
        for module in (lines, products)
        for function in vars(module).values()
        if hasattr(function, "cache_info")
    ]
    assert len(bounds) > 5 and all(bound is not None and bound <= 65_536 for bound in bounds)


def test_the_product_cache_is_bounded_and_changes_no_row(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_kept", {})
    monkeypatch.setattr(products, "_kept_bytes", 0)
    monkeypatch.setattr(products, "_KEPT_BYTES", 2_000)
    made = [line(name=f"Thing {number % 50}") for number in range(200)]
    kept = [read(manifest, raw) for raw in made]
    assert 0 < len(products._kept) < 50 and sum(map(len, products._kept)) == products._kept_bytes <= 2_000
    monkeypatch.setattr(products, "_KEPT_PRODUCT_BYTES_MAX", 0)
    monkeypatch.setattr(products, "_kept", {})
    assert kept == [read(manifest, raw) for raw in made] and products._kept == {}


@pytest.mark.parametrize(
    "extra",
    [
        '"name": "a\\\\b\\tc\\nd"',
        '"price_current": "x"',
        '"price_was": -1e-3, "barcode": "123"',
        '"category_path": ["a", "b"]',
        '"price_current": [1]',
    ],
)
def test_a_row_as_copy_text_is_the_same_row(manifest: Manifest, warehouse: Warehouse, extra: str) -> None:
    made = [RawLine(1, line(extra)), RawLine(2, b"{"), RawLine(3, b"x" * 2000, "line_too_long"), RawLine(4, line().replace(b"G1", b"G9"))]
    read_row = LineReader(1, manifest, NOW)
    with warehouse.transaction() as connection:
        copy_rows(connection, "staging.offer", map(read_row, made))
        by_value = connection.execute("SELECT * FROM staging.offer ORDER BY line_number").fetchall()
        connection.execute("DELETE FROM staging.offer")
        copy_lines(connection, "staging.offer", map(read_row.copy_line, made))
        assert connection.execute("SELECT * FROM staging.offer ORDER BY line_number").fetchall() == by_value
    assert len(by_value) == 4


@pytest.mark.parametrize("key", ["product", "metadata"])
def test_a_repeated_part_must_be_valid_both_times(manifest: Manifest, key: str) -> None:
    raw = line(name="Tea")
    assert read(manifest, raw.replace(b"{", b'{"%s": {}, ' % key.encode(), 1))["name"] == "Tea"
    assert read(manifest, raw.replace(b"{", b'{"%s": 1, ' % key.encode(), 1))["defects"] == "{not_json}"
