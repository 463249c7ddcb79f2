"""Rules about the code: few arguments, no postponed work, no swallowed errors."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.project.files import name_of, project_files, sources

FILES = project_files()
SHIPPED = sources("include", "sandbox", "dags", "plugins")

ARGUMENTS_MAX = 6

#: Functions that take more, with how many. This list only gets shorter: pass a value that holds what belongs together.
#: Commands are left out: their arguments are the options of the command line.
LONG_ARGUMENT_LISTS = {
    "include/ingestion/release_lines.py: release_lines": 8,
    "include/ingestion/retract.py: retract": 7,
    "include/ledger/decisions.py: _settle": 7,
    "include/ledger/decisions.py: decide": 9,
    "include/ledger/decisions.py: decide_files": 8,
    "include/ledger/decisions.py: discard_lines": 7,
    "include/ledger/held.py: decide_question": 7,
    "sandbox/coles_listing.py: search_results": 7,
    "sandbox/generated_stores.py: _store": 7,
    "sandbox/woolworths_listing.py: node": 7,
}


def argument_counts(text: str) -> dict[str, int]:
    """Return the number of arguments of every function and method of a module, without ``self``, ``cls`` and commands.

    >>> argument_counts("class A:\\n    def f(self, a, *, b=1): ...")
    {'A.f': 2}
    """
    found = {}

    def visit(node: ast.AST, path: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = (*path, child.name) if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else path
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not any(
                re.search(r"\.(command|callback)\(", ast.unparse(decorator)) for decorator in child.decorator_list
            ):
                names = [argument.arg for argument in (*child.args.posonlyargs, *child.args.args, *child.args.kwonlyargs)]
                found[".".join(inner)] = len([name for name in names if name not in ("self", "cls")])
            visit(child, inner)

    visit(ast.parse(text), ())
    return found


def test_no_further_function_takes_many_arguments() -> None:
    found = {
        f"{name_of(path)}: {function}": count
        for path in SHIPPED
        for function, count in argument_counts(path.read_text()).items()
        if count > ARGUMENTS_MAX
    }
    longer = {function: count for function, count in found.items() if count > LONG_ARGUMENT_LISTS.get(function, ARGUMENTS_MAX)}
    assert not longer, f"more than {ARGUMENTS_MAX} arguments, or more than before: {longer}. Pass a value that holds what belongs together."
    shorter = {function: found.get(function) for function, count in LONG_ARGUMENT_LISTS.items() if found.get(function) != count}
    assert not shorter, f"improved: update these counts in LONG_ARGUMENT_LISTS, or remove them: {shorter}"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("def f(a, b, /, c, *more, d=1, **rest): ...", 4),
        ("class A:\n    async def f(self, a): ...", 1),
        ("def f():\n    def g(a, b): ...", 2),
        ("@app.command('x')\ndef f(a, b): ...", 0),
    ],
)
def test_the_rule_counts_as_it_should(text: str, count: int) -> None:
    assert max(argument_counts(text).values(), default=0) == count


LEFT_FOR_LATER = re.compile(r"\b(TODO|FIXME|HACK)\b|#\s*XXX\b")


def test_nothing_is_left_for_later() -> None:
    kinds = {".py", ".sql", ".md", ".sh", ".yaml", ".toml"}
    paths = [path for path in FILES if path.suffix in kinds and path != Path(__file__).resolve()]
    found = {name_of(path): hits for path in paths if (hits := LEFT_FOR_LATER.findall(path.read_text()))}
    assert not found, "do it, or open an issue"


def swallowed_errors(text: str) -> list[int]:
    """Return the lines of handlers that catch everything and do nothing.

    >>> swallowed_errors("try: f()\\nexcept Exception: pass")
    [2]
    """
    return [
        handler.lineno
        for handler in ast.walk(ast.parse(text))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException"))
        and all(isinstance(statement, ast.Pass | ast.Continue) for statement in handler.body)
    ]


def test_no_error_is_swallowed() -> None:
    found = {name_of(path): lines for path in SHIPPED if (lines := swallowed_errors(path.read_text()))}
    assert not found, "catch the expected errors, and log or raise"
