"""The data dictionary, a page generated from the database's catalogue."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from include.warehouse.engine import Connection

SCHEMAS = ("core", "staging", "ops")


def data_dictionary(connection: Connection) -> str:
    """Return the data dictionary of a migrated warehouse as Markdown: schemas, tables, views, columns, functions.

    A table or column without a comment has an empty cell; a test fails on those.
    """
    parameters = {"schemas": list(SCHEMAS)}
    schema_comments = {row["schema"]: row["comment"] for row in connection.run("warehouse/list_schemas", parameters).fetchall()}
    columns = connection.run("warehouse/list_columns", parameters).fetchall()
    functions = connection.run("warehouse/list_functions", parameters).fetchall()
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
