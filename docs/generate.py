"""Writes the generated pages: ``make docs``. Each is a function of what it documents; a test fails when one is stale."""

from __future__ import annotations

import ast
import html
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from include.cli.main import app
from include.config import PREFIX, Settings
from include.embedded.postgres import ensure_postgres, stop_postgres
from include.model import rules
from include.orchestration.scrape_page import shared_page
from include.retailer_names import RETAILERS
from include.warehouse.dictionary import data_dictionary
from include.warehouse.engine import Warehouse
from include.warehouse.migrations import migrate

ROOT = Path(__file__).parents[1]
DATA_DICTIONARY = ROOT / "docs" / "data-dictionary.md"


def dags_page() -> str:
    """Return ``docs/dags.md``: every DAG file's docstring, which is also the page an operator sees in Airflow."""
    documents = {path.stem: (ast.get_docstring(ast.parse(path.read_text())) or "") for path in sorted((ROOT / "dags").glob("[!_]*.py"))}
    for retailer in RETAILERS:
        documents[f"scrape_{retailer}"] += "\n\nThe rest of its page is [that of all crawls](#all-crawls)."
    summaries = [[f"[`{dag_id}`](#{dag_id})", _summary(document)] for dag_id, document in documents.items()]
    lines = [
        "# DAGs",
        "",
        "Generated from the docstrings in `dags/` by `make docs`; Airflow shows the same text on each DAG's page.",
        "",
        *_table(["DAG", "does"], summaries),
    ]
    for dag_id, document in documents.items():
        lines += ["", f"## {dag_id}", "", re.sub(r"^# .*\n+", "", document)]
    lines += [
        "",
        "## All crawls",
        "",
        shared_page("retailer's", "RETAILER", "the retailer's stage (its asset of the same name)", "from 04:00 Melbourne on").strip(),
    ]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Return ``docs/cli.md``: every command with its arguments and options, as ``--help`` shows them."""
    command = typer.main.get_command(app)
    page = get_docs_for_click(obj=command, ctx=typer.Context(command), name="aisleflow", title="Commands")
    return html.unescape(page).strip() + "\n"


#: Measured on recorded store-days: the same SKUs of one store on two days, September 2025, and of two retailers on a Tuesday and a Wednesday, August 2026.
_MEASURED_HEADER = ("measured", "Aldi, three stores, 9 to 12 September", "Aldi, 12 to 23 September, across a Wednesday", "Coles, Tuesday to Wednesday", "Woolworths, Tuesday to Wednesday")  # fmt: skip
_MEASURED = (
    ("SKUs compared", "2,583", "2,565", "1,501", "379"),
    ("prices changed", "0.2 percent", "3.7 percent", "35 percent", "29 percent"),
    ("largest factor of a change", "1.11", "1.63", "2.18", "2.0"),
    (
        "mean logarithm of price / known price, whole store (standard error)",
        "0.000 (0.000)",
        "0.000 (0.001)",
        "-0.002 (0.007)",
        "0.011 (0.012)",
    ),
    ("the same, largest of a category of at least 50 SKUs", "0.001", "0.006", "0.125", "0.021"),
    ("SKUs new, gone", "0.7, 1.0 percent", "0.7, 1.5 percent", "0.1, 0.2 percent", "2.6, 3.3 percent"),
)
_CONCLUSIONS = (
    "Two price zones of Aldi differ in 1.3 percent of the prices, by a factor of at most 1.74. So a factor of 4 is no change of price; one percent inside a price week, and",
    "six prices in a small store, leave room for real nights and little for an error of the source. A shift of the whole store is judged with its standard error, because half",
    "prices come and go. The limit of a category's drift is nearly three times the largest that one Wednesday brought, that of a store nine times. No store of IGA was recorded twice, and",
    "none of Coles or Woolworths inside a price week: there the limits rest on the other retailers.",
)


def checks_page() -> str:
    """Return ``docs/quality.md``: the rule catalogue with each rule's reason, and the settings that move its limits."""
    limits = [
        [f"`{PREFIX}{name.upper()}`", str(field.default), field.description or ""]
        for name, field in Settings.model_fields.items()
        if name.startswith(("hold_", "refuse_"))
    ]
    lines = [
        "# Checks",
        "",
        f"Generated from the rule catalogue `include/model/rules.py`, version {rules.CATALOGUE_VERSION}, by `make docs`. The same catalogue makes the single SQL pass that",
        "moves lines to quarantine and the Great Expectations suite that runs on the staged batch; a test holds both to the same counts.",
        "",
        "## Lines",
        "",
        "A line that breaks a *refuse* rule goes to `ops.quarantined_offer` with all its reasons; the other lines of its store-day continue.",
        "A *warning* keeps the line and is counted. What to do with refused lines: [operating.md](operating.md#held-and-refused-data).",
        "",
        *_table(
            ["rule", "severity", "message", "why"],
            [[f"`{r.rule_id}`", r.severity, r.reason, r.rationale] for r in rules.ROW_RULES],
        ),
        "",
        "## Store-days",
        "",
        "A store-day that breaks a *critical* one is held completely: nothing of it is published until an operator releases or discards it. A *warning*",
        "holds nothing. A store-day is compared with the store's last five complete ones (medians); without a comparable one the rule does not apply, and its result states it.",
        "",
        *_table(
            ["rule", "severity", "message", "why"],
            [[f"`{r.rule_id}`", r.severity, r.reason, r.rationale] for r in rules.STORE_DAY_RULES],
        ),
        "",
        "## Retailers",
        "",
        "All store-days of a retailer that are checked together are one batch. A batch that breaks one of these is held completely: every store-day of it, also those that",
        "pass alone. Store-days held by a store-day rule are left out of the measures; released ones are neither measured nor held again.",
        "",
        *_table(["rule", "message", "why"], [[f"`{r.rule_id}`", r.reason, r.rationale] for r in rules.RETAILER_RULES]),
        "",
        "## Limits",
        "",
        *_table(["setting", "default", "meaning"], limits),
        "",
        "## What the limits rest on",
        "",
        *_table(_MEASURED_HEADER, _MEASURED),
        "",
        *_CONCLUSIONS,
    ]
    return "\n".join(lines) + "\n"


def settings_file() -> str:
    """Return ``.env.example``: every setting with its default, its meaning and the modules that use it."""
    lines = [
        "# Every setting of Aisleflow, with its default. Made from include/config.py by `make docs`.",
        "#",
        "# Settings are environment variables: export them, or put those that differ into a file of your own and load it with",
        "#     set -a; . ./.env; set +a",
        "# An AISLEFLOW_ name that is not listed here is refused. Secrets are not settings: they are Airflow connections.",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else str(field.default)
        value = f'"{default}"' if " " in default else default.lower() if isinstance(field.default, bool) else default
        lines += ["", f"# {field.description}", f"# Used by {', '.join(users_of(name))}", f"#{PREFIX}{name.upper()}={value}"]
    lines += ["", "# Only for the scaled-out installation (docs/scale-out.md); `sh docker/new-env.sh` draws the secrets among them."]
    for name, meaning in _COMPOSE_VARIABLES.items():
        lines += ["", f"# {meaning}", "# Used by docker-compose.yaml", f"#{name}="]
    return "\n".join(lines) + "\n"


#: What docker-compose.yaml reads besides the settings.
_COMPOSE_VARIABLES = {
    "POSTGRES_PASSWORD": "PostgreSQL's superuser.",
    "AIRFLOW_DB_PASSWORD": "Airflow's metadata database and Celery's results.",
    "WAREHOUSE_PASSWORD": "The warehouse.",
    "REDIS_PASSWORD": "Celery's broker.",
    "S3_ACCESS_KEY": "The store of staged files: key.",
    "S3_SECRET_KEY": "The store of staged files: secret.",
    "AWS_ENDPOINT_URL": "The store of staged files: address; default the store of the compose file, empty = Amazon's own.",
    "AWS_DEFAULT_REGION": "The store of staged files: region.",
    "AIRFLOW_API_SECRET_KEY": "Signs Airflow's pages and log requests; the same for all components.",
    "AIRFLOW_JWT_SECRET": "Signs Airflow's tokens; the same for all components.",
    "AIRFLOW_FERNET_KEY": "Encrypts Airflow's connections; the same for all components.",
    "UI_ADMIN_PASSWORD": "Airflow's UI, user admin.",
    "UI_OP_PASSWORD": "Airflow's UI, user op.",
    "UI_VIEWER_PASSWORD": "Airflow's UI, user viewer.",
    "SANDBOX_ADDRESS": "Where the workers find the sandbox retailers; empty = no sandbox.",
}

#: How a setting is read where it is not by its own name: through a property or a method.
_READ_AS = {
    "storage_root": "storage",
    **{f"{slug}_url": "site_url" for slug in RETAILERS},
    **{
        f"{prefix}group_{name}": "group_rule"
        for prefix in ("", *(f"{slug}_" for slug in RETAILERS))
        for name in ("equal_share", "common_min", "list_share")
    },
}


def users_of(setting: str) -> list[str]:
    """Return the modules that read a setting, as paths from the project's root; empty: none does."""
    read_as = _READ_AS.get(setting, setting)
    attribute = re.compile(rf"\b_?(settings(\(\))?|configured)\.{read_as}\b")
    variable = re.compile(rf'"{PREFIX}{setting.upper()}"')
    texts = _sources()
    found = {path for path, text in texts.items() if attribute.search(text)} or {
        path for path, text in texts.items() if variable.search(text)
    }
    return [path.relative_to(ROOT).as_posix() for path in sorted(found)]


@cache
def _sources() -> dict[Path, str]:
    paths = (path for folder in ("include", "sandbox", "dags", "plugins") for path in (ROOT / folder).rglob("*.py"))
    return {path: path.read_text() for path in paths if path.name != "config.py"}


def _summary(document: str) -> str:
    """Return the first paragraph below a docstring's title, as one line."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in document.split("\n\n")]
    return next((paragraph for paragraph in paragraphs if paragraph and not paragraph.startswith("#")), "")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in ([*header], ["---"] * len(header), *cells)]


#: Page → what it should hold. The data dictionary needs a database and is written by :func:`main`.
PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "dags.md": dags_page,
    ROOT / "docs" / "cli.md": commands_page,
    ROOT / "docs" / "quality.md": checks_page,
    ROOT / ".env.example": settings_file,
}


def main() -> None:
    """Write every page; the data dictionary from a throwaway PostgreSQL with all migrations."""
    for path, page in PAGES.items():
        _write(path, page())
    home = Path(tempfile.mkdtemp(prefix="aisleflow-docs-"))
    try:
        url = ensure_postgres(home).url("warehouse")
        migrate(url)
        warehouse = Warehouse(url, Settings())
        with warehouse.transaction() as connection:
            _write(DATA_DICTIONARY, data_dictionary(connection))
        warehouse.close()
    finally:
        stop_postgres(home)
        shutil.rmtree(home)


def _write(path: Path, text: str) -> None:
    state = "unchanged" if path.exists() and path.read_text() == text else "written"
    path.write_text(text)
    print(f"{path.relative_to(ROOT)}: {state}")


if __name__ == "__main__":
    main()
