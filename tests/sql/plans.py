"""How much work a statement does, whatever the planner believes: planted statistics, ``EXPLAIN (ANALYZE, BUFFERS)``, rows and buffers.

The history that leads through all statements is :mod:`tests.sql.plan_world`; ``python -m tests.sql.plan_table`` prints the outcome.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast
from unittest.mock import patch

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from include.warehouse.engine import Connection
from tests.sql.twice import files

#: What the planner is made to believe. ``true``: analysed right before the statement; ``none``: never analysed; ``others``: other retailers only, analysed
#: before this one's first line; ``first``: analysed after this retailer's first 30 lines; the last two: a hundredth and a hundred times of all rows.
BELIEFS = ("true", "none", "others", "first", "smaller", "larger")
_FACTORS = {"smaller": 0.01, "larger": 100.0}

#: Work may grow so much from n to 4 n lines, and be so many times that of the same statement with true statistics.
GROWTH_MAX, RATIO_MAX = 6.0, 5.0
#: A statement that takes so long under some belief is no match for any number of lines.
_GIVE_UP = "20s"

_STATEMENT = re.compile(r"(?:\s|--.*\n)*(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|CREATE (?:TEMPORARY|TEMP) TABLE [^(]*? AS\b)")
_TABLE = re.compile(r"\b(?:core|staging|ops)\.\w+")
_GROUPED = {"core.store_group_member"}
_SERVED = {"core.price", "core.store", "core.sku", "core.inference_end", *_GROUPED}
_SHOWN = {"core.sku_barcode", "core.product_barcode", "core.inference_change", *_SERVED}
_VIEWS = {
    "core.group_anchor": _GROUPED,
    "core.served_price": _SERVED,
    "core.dated_store_price": _SHOWN,
    "core.store_price": _SHOWN,
    "ops.quality_result": {"ops.data_quality_result", "ops.staged_file"},
}

_SAVE = """
INSERT INTO believed SELECT %(name)s, schemaname, tablename, attname, null_frac, avg_width, n_distinct, most_common_vals::text, most_common_freqs, histogram_bounds::text, correlation
  FROM pg_stats WHERE schemaname IN ('core', 'staging', 'ops') AND NOT inherited
"""
_SAVE_SIZES = """
INSERT INTO believed_size SELECT %(name)s, relnamespace::regnamespace::text, relname, relpages, reltuples
  FROM pg_class WHERE relnamespace::regnamespace::text IN ('core', 'staging', 'ops') AND relkind = 'r'
"""
_TABLES_MADE = """
CREATE UNLOGGED TABLE believed (name text, schemaname text, tablename text, attname text, null_frac real, avg_width integer, n_distinct real, common text, freqs real[], bounds text, correlation real);
CREATE UNLOGGED TABLE believed_size (name text, schemaname text, tablename text, relpages integer, reltuples real)
"""
_FORGET = """
SELECT count(*) FILTER (WHERE pg_clear_attribute_stats(schemaname, tablename, attname, inherited) IS NULL) FROM pg_stats WHERE schemaname || '.' || tablename = ANY (%(tables)s)
"""
_FORGET_SIZES = """
SELECT count(*) FILTER (WHERE pg_clear_relation_stats(relnamespace::regnamespace::text, relname) IS NULL) FROM pg_class
 WHERE relnamespace::regnamespace || '.' || relname = ANY (%(tables)s) AND relkind = 'r'
"""
_PLANT = """
SELECT bool_and(pg_restore_attribute_stats('schemaname', schemaname::text, 'relname', tablename::text, 'attname', attname::text, 'inherited', false, 'null_frac', null_frac, 'avg_width', avg_width,
                                           'n_distinct', n_distinct, 'most_common_vals', common, 'most_common_freqs', freqs, 'histogram_bounds', bounds, 'correlation', correlation))
  FROM believed WHERE name = %(belief)s AND schemaname || '.' || tablename = ANY (%(tables)s)
"""
_PLANT_SIZES = """
SELECT bool_and(pg_restore_relation_stats('schemaname', schemaname::text, 'relname', tablename::text, 'relpages', relpages, 'reltuples', reltuples)) FROM believed_size WHERE name = %(belief)s AND schemaname || '.' || tablename = ANY (%(tables)s)
"""
_SCALE = """
SELECT bool_and(pg_restore_attribute_stats('schemaname', schemaname::text, 'relname', tablename::text, 'attname', attname::text, 'inherited', false, 'n_distinct', greatest(1, n_distinct * %(factor)s)::real))
  FROM pg_stats WHERE schemaname || '.' || tablename = ANY (%(tables)s) AND NOT inherited AND n_distinct > 0
"""
_SCALE_SIZES = """
SELECT bool_and(pg_restore_relation_stats('schemaname', relnamespace::regnamespace::text, 'relname', relname::text, 'relpages', relpages, 'reltuples', (reltuples * %(factor)s)::real))
  FROM pg_class WHERE relnamespace::regnamespace || '.' || relname = ANY (%(tables)s) AND relkind = 'r' AND reltuples > 0
"""

execute = psycopg.Connection.execute


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make the tables that statistics are saved in."""
    connection.execute(cast(LiteralString, _TABLES_MADE))


def save_beliefs(connection: psycopg.Connection[Any], name: str) -> None:
    """Analyse everything, and keep what the planner believes now under a name."""
    execute(connection, "ANALYZE")
    execute(connection, _SAVE, {"name": name})
    execute(connection, _SAVE_SIZES, {"name": name})


def _plant(cursor: psycopg.Cursor[Any], belief: str, tables: list[str]) -> None:
    """Make the planner believe something about some tables until the savepoint is rolled back; the scaled beliefs begin from the true one."""
    values = {"belief": belief, "tables": tables, "factor": _FACTORS.get(belief)}
    steps = {"none": (_FORGET, _FORGET_SIZES), "others": (_FORGET, _FORGET_SIZES, _PLANT, _PLANT_SIZES), "smaller": (_SCALE, _SCALE_SIZES)}
    steps |= {"first": steps["others"], "larger": steps["smaller"], "true": ()}
    for step in steps[belief]:
        cursor.execute(step, values)


def work_of(plan: dict[str, Any]) -> float:
    """Return how many rows the nodes of a plan looked at, tries that found none included."""
    loops = plan.get("Actual Loops", 0)
    rows = plan.get("Actual Rows", 0) + sum(plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Join Filter", "Index Recheck"))
    return float((1 + rows) * loops) + sum(work_of(part) for part in plan.get("Plans", ()))


@dataclass
class Measured:
    """Work per statement and belief: the most of its executions. Rows looked at plus buffers touched."""

    n: int
    work: dict[str, dict[str, float]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    plans: dict[tuple[str, str], Any] = field(default_factory=dict)


#: Of one statement no more executions are measured.
_EXECUTIONS_MAX = 2


@contextmanager
def measuring(n: int, beliefs: tuple[str, ...] = BELIEFS, more: dict[str, str] | None = None) -> Iterator[Measured]:
    """While active, every statement that is executed is first measured, under every belief, and each time undone.

    Args:
        n: what fewer rows and buffers than are too little to judge.
        beliefs: to measure under.
        more: names of statements that stand in no file, by their text.
    """
    measured = Measured(n)
    names = {text: name for name, text in files().items()} | (more or {})

    def execute_measured(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        text = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
        if text.startswith("ANALYZE") and _TABLE.search(text):
            return None  # what the planner believes is planted here
        if self.autocommit or not _STATEMENT.match(text) or "set_config" in text or "advisory" in text:
            return execute(self, query, *values, **options)
        name = names.get(text) or "inline: " + re.sub(r"\s+|\d+", " ", text)[:90].strip()
        if measured.counted.get(name, 0) < _EXECUTIONS_MAX:
            measured.counted[name] = measured.counted.get(name, 0) + 1
            measure(self, measured, name, query, values[0] if values else None, beliefs)
        return execute(self, query, *values, **options)

    with patch.object(Connection, "execute", execute_measured):
        yield measured


def measure(connection: Any, measured: Measured, name: str, query: Any, values: Any, beliefs: tuple[str, ...] = BELIEFS) -> None:
    """Measure one statement under every belief, and undo it."""
    text = query.as_string(connection) if isinstance(query, sql.Composable) else str(query)
    explain = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "
    explained = sql.SQL(cast(LiteralString, explain)) + query if isinstance(query, sql.Composable) else cast(LiteralString, explain + query)
    work = measured.work.setdefault(name, {})
    with connection.cursor(row_factory=tuple_row) as cursor:
        temporary = [
            row[0] for row in cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'")
        ]
        temporary = [table for table in temporary if re.search(rf"\b{table}\b", text)]
        named = {table for part in _TABLE.findall(text) for table in _VIEWS.get(part, {part})}
        known = cursor.execute(
            "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname || '.' || tablename = ANY (%s)", (list(named),)
        )
        tables = sorted(row[0] for row in known)

        def under(belief: str) -> None:
            try:
                with connection.transaction():
                    _plant(cursor, belief, tables)
                    # one process: each helper of a parallel plan would count the same rows once more
                    cursor.execute(
                        "SELECT set_config('statement_timeout', %s, true), set_config('max_parallel_workers_per_gather', '0', true)",
                        (_GIVE_UP,),
                    )
                    row = cursor.execute(explained, values).fetchone()
                    assert row is not None
                    plan = row[0][0]["Plan"]
                    done = work_of(plan) + sum(
                        plan.get(f"{kind} Blocks", 0) for kind in ("Shared Hit", "Shared Read", "Local Hit", "Temp Read")
                    )
                    raise psycopg.Rollback
            except psycopg.errors.QueryCanceled:
                done, plan = math.inf, {"Node Type": f"given up after {_GIVE_UP}"}
            if done > work.get(belief, -1):
                work[belief] = done
                measured.plans[name, belief] = plan

        with connection.transaction():
            if tables + temporary:
                cursor.execute(cast(LiteralString, f"ANALYZE {', '.join(tables + temporary)}"))
            for belief in (belief for belief in beliefs if belief in ("true", *_FACTORS)):
                under(belief)
            raise psycopg.Rollback
        for belief in (belief for belief in beliefs if belief not in ("true", *_FACTORS)):
            under(belief)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst of one statement: growth from n to 4 n, ratio to true statistics, and under which belief each."""

    name: str
    growth: float
    growth_belief: str
    ratio: float
    ratio_belief: str
    work: float

    @property
    def is_sound(self) -> bool:
        """It stays within both limits."""
        return self.growth <= GROWTH_MAX and self.ratio <= RATIO_MAX


def verdicts(small: Measured, large: Measured) -> list[Verdict]:
    """Compare two sizes of one history. Fewer than n rows and buffers are little, whatever they are a multiple of."""
    found = []
    for name in sorted(small.work.keys() & large.work.keys()):
        growth = {b: large.work[name][b] / max(small.work[name][b], small.n) for b in small.work[name]}
        ratio = {b: m.work[name][b] / max(m.work[name]["true"], m.n) for m in (small, large) for b in small.work[name]}
        ratio |= {b: max(ratio[b], small.work[name][b] / max(small.work[name]["true"], small.n)) for b in ratio}
        worst, most = max(growth, key=growth.__getitem__), max(ratio, key=ratio.__getitem__)
        found.append(Verdict(name, growth[worst], worst, ratio[most], most, large.work[name]["true"]))
    return found


def table(found: list[Verdict]) -> str:
    """Return the verdicts as a Markdown table, worst first."""
    lines = ["| statement | worst growth | under | worst ratio | under | work with true statistics |", "|---|---|---|---|---|---|"]
    for v in sorted(found, key=lambda v: (-max(v.growth / GROWTH_MAX, v.ratio / RATIO_MAX), v.name)):
        lines.append(f"| {v.name} | {v.growth:.1f} | {v.growth_belief} | {v.ratio:.1f} | {v.ratio_belief} | {v.work:,.0f} |")
    return "\n".join(lines)


def shape(plan: dict[str, Any], depth: int = 0) -> str:
    """Return a plan as an indented list of nodes with rows and loops, for messages."""
    name = " ".join(str(plan[key]) for key in ("Node Type", "Relation Name", "Index Name", "CTE Name", "Subplan Name") if key in plan)
    line = f"{'  ' * depth}{name}: {plan.get('Actual Rows', '?')} rows (expected {plan.get('Plan Rows', '?')}) x {plan.get('Actual Loops', '?')}"
    return "\n".join(itertools.chain([line], (shape(part, depth + 1) for part in plan.get("Plans", ()))))
