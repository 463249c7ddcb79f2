"""A test site on loopback, a fictitious retailer that reads it, and its crawl, to test the shared crawl."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.outcomes import CrawlOutcome
from include.crawling.store_crawl import crawl_store, reread_store
from include.model.offer import Offer
from include.model.store import StoreRef
from include.retailers.base import Category, OfferRow, Page, Retailer, Row, SkippedRow
from include.retailers.fields import number, required_text, sku_text
from include.staging.manifest import Manifest
from include.staging.staged_file import load_manifest, open_staged
from include.staging.storage import Stage, Storage

NIGHT = date(2026, 11, 19)
STORE = StoreRef("hillview", "H 1", "Hillview East", "VIC", "1")


@dataclass
class ReceivedRequest:
    """One request as the site got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any


@dataclass
class Reply:
    """A response of the site. ``cut`` drops the connection after this many bytes of the body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut: int | None = None


def json_reply(body: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(
        json.dumps(body).encode(), status, {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def html_reply(body: str, status: int = 200, **headers: str) -> Reply:
    return Reply(body.encode(), status, {"Content-Type": "text/html"} | {k.replace("_", "-"): v for k, v in headers.items()})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests are about."""


class Site:
    """Answers by ``answer``; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ReceivedRequest] = []
        self.answer: Callable[[ReceivedRequest], Reply] = lambda asked: json_reply({})
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = ReceivedRequest(self.command, parts.path, dict(parse_qsl(parts.query)), headers, json.loads(body) if body else None)
                site.asked.append(asked)
                reply = site.answer(asked)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
                if reply.cut is not None:
                    self.close_connection = True

            do_GET = do_POST = _serve

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


class Hillview(Retailer):
    """A fifth retailer: the minimum of an adapter."""

    name = "hillview"
    stage = Stage.OUTBOX

    def tree_page(self, store: StoreRef) -> Page:
        return Page(path="/tree")

    def categories(self, body: Any) -> Iterator[Category]:
        for node in body["categories"]:
            yield Category(
                key=node["id"],
                path=tuple(node["path"]),
                skipped=node.get("skipped"),
                covers=tuple(node.get("covers", ())),
                is_promotional=node.get("promotional", False),
            )

    def first_page(self, store: StoreRef, category: Category) -> Page:
        return Page(path="/list", params={"category": category.key, "page": 1})

    def next_page(self, page: Page, body: Any) -> Page | None:
        return page.next(page=page.number + 1) if body["hasMore"] else None

    def total(self, body: Any) -> int | None:
        found: int | None = body["total"]
        return found

    def store_on_page(self, body: Any) -> str | None:
        store: str | None = body.get("store")
        return store

    def rows(self, body: Any, store: StoreRef, observed_at: Any) -> Iterator[Row]:
        for item in body["products"]:
            if item.get("ad"):
                yield SkippedRow("ad")
            elif item.get("market"):
                yield SkippedRow("market product", sku_text(item["id"]))
            else:
                offer = Offer(
                    sku=sku_text(item["id"]),
                    name=required_text(item, "title"),
                    price_current=number(item, "price"),
                    observed_at=observed_at,
                )
                yield OfferRow(offer, is_sponsored=bool(item.get("sponsored")))


class HillviewSite:
    """The made-up retailer's site: categories of goods, pages of two, faults by replacing ``reply``."""

    def __init__(self, site: Site, goods: dict[str, list[str]]) -> None:
        self.site, self.goods, self.page_size = site, goods, 2
        self.nodes: list[dict[str, Any]] = [{"id": name, "path": ["Food", name.title()]} for name in goods]
        self.extra: dict[str, list[dict[str, Any]]] = {}
        self.reply: Callable[[ReceivedRequest], Reply | None] = lambda asked: None
        site.answer = self._answer

    def _answer(self, asked: ReceivedRequest) -> Reply:
        return self.reply(asked) or self.page(asked)

    def page(self, asked: ReceivedRequest) -> Reply:
        if asked.path == "/tree":
            return json_reply({"categories": self.nodes})
        skus, page = self.goods[asked.query["category"]], int(asked.query["page"])
        listed = skus[(page - 1) * self.page_size : page * self.page_size]
        rows = [self.row(sku) for sku in listed] + self.extra.get(f"{asked.query['category']}--{page}", [])
        return json_reply({"products": rows, "total": len(skus), "hasMore": page * self.page_size < len(skus), "store": "1"})

    @staticmethod
    def row(sku: str, **more: Any) -> dict[str, Any]:
        return {"id": sku, "title": f"Article {sku}", "price": 4.1} | more


class Crawl:
    """One installation's crawl of the made-up store."""

    def __init__(self, retailer: Hillview, site: Site, storage: Storage, settings: Settings) -> None:
        self.retailer, self.site, self.storage, self.settings = retailer, site, storage, settings

    def run(self, run_key: str = "run", **more: Any) -> CrawlOutcome:
        return crawl_store(self._of(run_key, **more))

    def reread(self, run_key: str = "run") -> CrawlOutcome:
        return reread_store(self._of(run_key), run_key)

    def _of(self, run_key: str, **more: Any) -> CrawlRun:
        return CrawlRun(
            retailer=self.retailer,
            store=STORE,
            night=NIGHT,
            run_key=run_key,
            storage=self.storage,
            settings=self.settings,
            limiter=None,
            **more,
        )

    def manifest(self, outcome: CrawlOutcome) -> Manifest:
        assert outcome.manifest
        return load_manifest(self.storage, outcome.manifest)

    def products(self, outcome: CrawlOutcome, stage: Stage = Stage.OUTBOX) -> dict[str, dict[str, Any]]:
        lines = [json.loads(line.raw) for line in open_staged(self.storage, self.manifest(outcome), stage, 10**6)]
        found = {line["product"]["sku"]: line["product"] for line in lines}
        assert len(found) == len(lines) == outcome.rows, "an article is written once"
        return found

    def published(self) -> list[str]:
        return [path for stage in Stage for path in self.storage.manifests(stage)]
