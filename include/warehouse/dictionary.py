"""The data dictionary: a page made from the live catalogue of the database, so that it cannot tell another story."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from include.warehouse.engine import Connection

SCHEMAS = ("core", "staging", "ops")

_SCHEMA_COMMENTS = """
    SELECT nspname AS schema, obj_description(oid, 'pg_namespace') AS comment
      FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
"""

_COLUMNS = """
    SELECT n.nspname AS schema, c.relname AS relation,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END
           || CASE c.relpersistence WHEN 'u' THEN ', unlogged' ELSE '' END AS kind,
           obj_description(c.oid, 'pg_class') AS relation_comment,
           a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
           NOT a.attnotnull AND c.relkind = 'r' AS is_nullable,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY(i.indkey)) AS is_key,
           col_description(c.oid, a.attnum) AS comment
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
     ORDER BY array_position(%(schemas)s, n.nspname), c.relname COLLATE "C", a.attnum
"""

_FUNCTIONS = """
    SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS function,
           pg_get_function_result(p.oid) AS result, obj_description(p.oid, 'pg_proc') AS comment
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = ANY(%(schemas)s) AND p.prokind = 'f'
     ORDER BY n.nspname, p.proname COLLATE "C", p.oid
"""


def data_dictionary(connection: Connection) -> str:
    """Return the data dictionary of a migrated warehouse as Markdown: schemas, tables, views, columns, functions.

    A table or column without a comment shows an empty cell; a test refuses those.
    """
    parameters = {"schemas": list(SCHEMAS)}
    schema_comments = {row["schema"]: row["comment"] for row in connection.execute(_SCHEMA_COMMENTS, parameters).fetchall()}
    columns = connection.execute(_COLUMNS, parameters).fetchall()
    functions = connection.execute(_FUNCTIONS, parameters).fetchall()
    lines = [
        "# Data dictionary",
        "",
        "Generated from the comments in the database by `make docs`; change them in a migration, not here.",
        "Readers start at the view `core.store_price`. Money is integer cents, unit prices are dollars with four decimals,",
        "`_at` is an instant in UTC, `_on` a local date.",
    ]
    for schema, in_schema in groupby(columns, itemgetter("schema")):
        lines += ["", f"## {schema}", "", schema_comments[schema] or ""]
        for (relation, kind, comment), of_relation in groupby(in_schema, itemgetter("relation", "kind", "relation_comment")):
            lines += [
                "",
                f"### {schema}.{relation} ({kind})",
                "",
                comment or "",
                "",
                "| column | type | null | meaning |",
                "|---|---|---|---|",
            ]
            lines += [_row(column) for column in of_relation]
    if functions:
        lines += ["", "## Functions", "", "| function | returns | meaning |", "|---|---|---|"]
        lines += [f"| `{row['function']}` | {row['result']} | {_cell(row['comment'])} |" for row in functions]
    return "\n".join(lines) + "\n"


def _row(column: dict[str, Any]) -> str:
    name = f"**`{column['column']}`**" if column["is_key"] else f"`{column['column']}`"
    return f"| {name} | {column['type']} | {'yes' if column['is_nullable'] else ''} | {_cell(column['comment'])} |"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")
