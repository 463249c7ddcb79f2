"""A custom expectation: no line breaks one rule. Great Expectations evaluates all rules of a suite in one scan.

Importing this module imports Great Expectations, which takes seconds: only ``suite.py`` does so, when a batch is checked.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

METRIC = "table.lines_that_break"


class LinesThatBreak(TableMetricProvider):
    """The number of lines for which a predicate is true: an aggregate, so that the engine bundles all rules into one query."""

    metric_name = METRIC
    value_keys = ("rule_id", "predicate")

    @metric_partial(
        engine=SqlAlchemyExecutionEngine, partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN, domain_type=MetricDomainTypes.TABLE
    )
    def _sqlalchemy(
        cls,
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        predicate = sqlalchemy.literal_column(f"({metric_value_kwargs['predicate']})", sqlalchemy.Boolean)
        return sqlalchemy.func.count().filter(predicate), metric_domain_kwargs, {}


class ExpectNoLineToBreak(BatchExpectation):
    """No line of the batch makes the predicate of one rule of the catalogue true."""

    rule_id: str
    predicate: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("rule_id", "predicate")
    args_keys: ClassVar[tuple[str, ...]] = ("rule_id", "predicate")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        lines = int(metrics[METRIC])
        return {"success": lines == 0, "result": {"observed_value": lines}}
