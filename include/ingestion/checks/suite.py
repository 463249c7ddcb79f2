"""The Great Expectations suite, built from the rule catalogue and run in the database on the staged batch.

Great Expectations counts the lines that break a rule; it truncates lists of rows, so quarantine uses the catalogue's
SQL. Importing the library takes seconds, once per batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from include.errors import TerminalError
from include.ingestion.checks.library import great_expectations
from include.model.rules import ROW_RULES

#: Name of suite, batch and validation in the results, and so in Data Docs.
NAME = "offers"
_SEVERITY = {"refuse": "critical", "warning": "warning"}


def count_broken(url: str, file_ids: Sequence[int], keep: Callable[[dict[str, Any]], object] | None = None) -> dict[str, int]:
    """Run the suite on the staged rows of some files: one scan for all rules.

    Args:
        url: libpq URL of the warehouse.
        file_ids: the batch.
        keep: called with the library's validation result (JSON values), for Data Docs.

    Returns:
        Rule id → lines that break it, for every row rule of the catalogue.

    Raises:
        TerminalError: an expectation could not be evaluated: the suite itself is broken, not the data.
    """
    gx: Any = great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.metadata_types import FailureSeverity

    from include.ingestion.checks.expectation import ExpectNoLineToBreak

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_or_update_postgres(name="warehouse", connection_string=_sqlalchemy_url(url))
    numbers = ", ".join(str(int(file_id)) for file_id in file_ids)
    asset = source.add_query_asset(name=NAME, query=f"SELECT * FROM staging.offer WHERE file_id IN ({numbers})")  # noqa: S608 whole numbers
    expectations = [
        ExpectNoLineToBreak(
            rule_id=rule.rule_id,
            predicate=rule.predicate,
            severity=FailureSeverity(_SEVERITY[rule.severity]),
            description=f"{rule.rule_id}: {rule.reason}",
            meta={"rule": rule.rule_id},
            notes=rule.rationale,
        )
        for rule in ROW_RULES
    ]
    suite = context.suites.add_or_update(gx.ExpectationSuite(name=NAME, expectations=expectations))
    definition = asset.add_batch_definition("batch")
    validation = context.validation_definitions.add_or_update(gx.ValidationDefinition(name=NAME, data=definition, suite=suite))
    try:
        result = validation.run(result_format="SUMMARY")
    finally:
        source.get_engine().dispose()
    broken = {}
    for one in result.results:
        assert one.expectation_config is not None
        rule_id = one.expectation_config.meta["rule"]
        if one.exception_info.get("raised_exception") or "observed_value" not in one.result:
            raise TerminalError(
                f"Great Expectations could not evaluate rule {rule_id}: {one.exception_info}. Correct its predicate in include/model/rules.py."
            )
        broken[rule_id] = int(one.result["observed_value"])
    if keep is not None:
        keep(result.to_json_dict())
    return broken


def _sqlalchemy_url(url: str) -> str:
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    host = parts.get("host", "")
    query = {"host": host} if host.startswith("/") else {}
    # the library requires a host name in the URL, even for a server that only listens on a socket
    made = URL.create(
        "postgresql+psycopg",
        parts.get("user"),
        parts.get("password"),
        "localhost" if query or not host else host,
        int(parts.get("port") or 5432),
        parts.get("dbname"),
        query=query,
    )
    return made.render_as_string(hide_password=False)
