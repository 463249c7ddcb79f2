"""Every statement does work in proportion to its lines, whatever the planner believes. One that nobody measures fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from include.warehouse import engine, statements
from tests.conftest import Server
from tests.sql import plan_world, plans
from tests.sql.old_statements import MARK_DUPLICATES, REFRESH_SKUS
from tests.sql.plans import Measured
from tests.sql.twice import files

#: Lines of a store-day in the smaller of two histories; in the campaign the larger one has as many as a large store.
N, CAMPAIGN_N = 1_000, 3_000

#: Statements whose work no number of lines, stores or files can raise, with the reason.
LOOK_UPS = {
    "crawl/create_breaker": "one row by its key, retailer and run",
    "crawl/delay_requests": "one row by its key, the retailer",
    "crawl/delete_old_runs": "two tables of one row per run, swept by age",
    "crawl/find_robots": "one row by its key, retailer and run",
    "crawl/lock_breaker": "one row by its key, retailer and run",
    "crawl/reserve_request": "one row by its key, the retailer",
    "crawl/save_breaker": "one row by its key, retailer and run",
    "crawl/save_robots": "one row by its key, retailer and run",
    "diagnostics/list_blockers": "reads the sessions of the server",
    "enrichment/count_request": "one row by its key, night and retailer",
    "reconcile/create_matched": "makes an empty temporary table",
    "reconcile/create_unscored": "makes an empty temporary table",
    "inspection/find_barcode": "one row by its key",
    "inspection/find_sku": "one row by its key",
    "inspection/list_barcode_decisions": "the decisions about one barcode or one SKU",
    "inspection/list_claims": "the claims of one SKU, and to one barcode",
    "inspection/list_lookups": "the SKUs of one barcode",
    "inspection/list_moves": "the moves of the SKUs that claim one barcode",
    "inspection/list_pair_decisions": "the decisions about one SKU, or about the SKUs of one barcode",
    "inspection/list_siblings": "the SKUs of one product",
    "resolution/create_changed_barcode": "makes an empty temporary table",
    "resolution/create_changed_identity": "makes an empty temporary table",
    "resolution/create_due": "makes an empty temporary table",
    "resolution/create_judged": "makes an empty temporary table",
    "resolution/create_looked_up": "makes an empty temporary table",
    "resolution/create_pending": "makes an empty temporary table",
    "resolution/create_placed": "makes an empty temporary table",
    "resolution/create_proposed": "makes an empty temporary table",
    "stores/record_outcome": "one row by its key, store and run",
    "warehouse/describe_constraint": "reads PostgreSQL's catalogue, of one constraint",
    "warehouse/ensure_retailers": "one row per retailer",
    "warehouse/list_columns": "reads PostgreSQL's catalogue",
    "warehouse/list_functions": "reads PostgreSQL's catalogue",
    "warehouse/list_migrations": "one row per migration",
    "warehouse/list_retailers": "one row per retailer",
    "warehouse/list_schemas": "reads PostgreSQL's catalogue",
}


@pytest.fixture(scope="module")
def empty(postgres: Server) -> Iterator[Callable[[str], str]]:
    """Return a maker of warehouses of this module's own, gone afterwards."""
    made: list[str] = []

    def make(name: str) -> str:
        made.append(f"plans_{name}")
        postgres.execute(f"CREATE DATABASE {made[-1]} TEMPLATE template_warehouse OWNER aisleflow")
        return postgres.cluster.url(made[-1])

    yield make
    postgres.execute(*(f"DROP DATABASE {name} WITH (FORCE)" for name in made))


@pytest.fixture(scope="module")
def sizes() -> dict[int, Measured]:
    """What was measured; filled by the first test."""
    return {}


@pytest.fixture(autouse=True)
def later(fixed_clock: Callable[[str], None]) -> None:
    """Stop the clock after the last store-day of the history."""
    fixed_clock(plan_world.NOW)


@pytest.mark.parametrize("n", [N, 4 * N, *(pytest.param(n, marks=pytest.mark.campaign) for n in (CAMPAIGN_N, 4 * CAMPAIGN_N))])
def test_no_statement_does_much_more_than_with_true_statistics(n: int, empty: Callable[[str], str], sizes: dict[int, Measured]) -> None:
    sizes[n] = plan_world.play(empty(str(n)), n)
    found = plans.verdicts(sizes[n], sizes[n])
    wrong = [
        f"{v.name}: {v.ratio:.1f} times under {v.ratio_belief!r}\n{plans.shape(sizes[n].plans[v.name, v.ratio_belief])}"
        for v in found
        if not v.is_sound
    ]
    assert wrong == [], "\n\n".join(wrong)


@pytest.mark.parametrize("n", [N, pytest.param(CAMPAIGN_N, marks=pytest.mark.campaign)])
def test_work_grows_no_faster_than_the_lines(n: int, sizes: dict[int, Measured]) -> None:
    if not {n, 4 * n} <= sizes.keys():
        pytest.skip("needs the histories above in the same run")
    found = plans.verdicts(sizes[n], sizes[4 * n])
    wrong = [
        f"{v.name}: {v.growth:.1f} times under {v.growth_belief!r}\n{plans.shape(sizes[4 * n].plans[v.name, v.growth_belief])}"
        for v in found
        if not v.is_sound
    ]
    assert wrong == [], "\n\n".join(wrong)


def test_every_statement_is_measured(sizes: dict[int, Measured]) -> None:
    if not sizes:
        pytest.skip("needs the histories above in the same run")
    measured = {name for one in sizes.values() for name in one.work}
    assert sorted(set(files()) - measured - set(LOOK_UPS)) == [], (
        "lead the history in plan_world.py through these, or say in LOOK_UPS why not"
    )
    assert sorted(set(LOOK_UPS) - set(files())) == [], "these are gone"
    assert any(name.startswith("inline: CREATE TEMPORARY TABLE broken_line") for name in measured), (
        "the marking statement is made in Python"
    )


@pytest.mark.parametrize(
    ("name", "old", "n"),
    [("resolution/refresh_skus", REFRESH_SKUS, 150), ("loading/mark_duplicates", MARK_DUPLICATES, 200)],
    ids=["refresh_skus", "mark_duplicates"],
)
def test_the_old_plans_are_caught(name: str, old: str, n: int, empty: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both as they were when they never ended: their text, and a session in which PostgreSQL may nest loops."""
    now = statements.statement
    monkeypatch.setattr(engine, "PLANNING", {"jit": "off"})
    monkeypatch.setattr(engine, "statement", lambda other: old if other == name else now(other))
    measured = plan_world.play(empty("old_" + name.partition("/")[2]), n, until_first=True, names={old: name})
    verdict = next(v for v in plans.verdicts(measured, measured) if v.name == name)
    assert not verdict.is_sound, verdict
