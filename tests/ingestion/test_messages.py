"""Every error of ingestion has a next step: a command, an option, or a sentence that begins with an imperative."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from include.errors import AisleflowError
from tests.project.files import ROOT

pytestmark = pytest.mark.slow  # imports Great Expectations

SOURCES = (
    "ingestion",
    "ingestion/checks",
    "ingestion/isolation",
    "ledger",
    "staging",
    "warehouse/database_errors.py",
    "warehouse/engine.py",
)
MODULES = sorted(
    path
    for source in SOURCES
    for path in ([ROOT / "include" / source] if source.endswith(".py") else (ROOT / "include" / source).glob("*.py"))
)

_VERBS = (
    "add|answer|ask|bring|check|clear|connect|correct|crawl|decide|delete|discard|end|export|fill|free|give|grant|import|list|look|lower|mend|move|name|put|read|release|"
    "remove|request|retry|run|see|set|split|stage|take|undo|upgrade|use|wait|write"
)
#: A command in the text, an option to give, or an imperative where a sentence or its second half begins.
NEXT_STEP = re.compile(rf"\baisleflow [a-z]|--[a-z]{{2,}}\b|(?:^|[.;:,?] |\b(?:or|then|and)\b )(?:{_VERBS})\b", re.IGNORECASE)

#: Raised with a text that is made elsewhere and tested there: (module, expression).
MADE_ELSEWHERE = {("rejected", "text"), ("rejected", "unreachable")}


def texts(node: ast.expr) -> str:
    """Return the fixed parts of a string expression, with ``#`` for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "#"
    if isinstance(node, ast.JoinedStr):
        return "".join(texts(value) for value in node.values)
    if isinstance(node, ast.BinOp):
        return texts(node.left) + texts(node.right)
    if isinstance(node, ast.IfExp):
        return texts(node.body) + " " + texts(node.orelse)
    if isinstance(node, ast.FormattedValue) and isinstance(
        node.value, ast.Call | ast.Subscript
    ):  # a helper of the module that ends the sentence
        return f"#{ast.unparse(node.value)}#"
    return "#"


def messages(path: Path) -> list[tuple[int, str]]:
    """Return (line, message) of every error of this project that a module raises."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module, tree = importlib.import_module(name), ast.parse(path.read_text())
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    found = []
    for node in [part for part in ast.walk(tree) if isinstance(part, ast.Raise) and part.exc]:
        for call in [part for part in ast.walk(node) if isinstance(part, ast.Call)]:
            kind = getattr(module, call.func.id, None) if isinstance(call.func, ast.Name) else None
            if not (inspect.isclass(kind) and issubclass(kind, AisleflowError)) or not call.args:
                continue
            argument = call.args[0]
            if isinstance(argument, ast.Name):
                if (path.stem, argument.id) in MADE_ELSEWHERE:
                    continue
                found.append((node.lineno, " ".join(texts(value) for value in assigned.get(argument.id, []))))
            else:
                found.append((node.lineno, texts(argument)))
    return found


def test_the_messages_are_found() -> None:
    assert sum(len(messages(path)) for path in MODULES) > 20
    assert any("no such file. Give store-day files" in text for _, text in messages(ROOT / "include" / "ingestion" / "importing.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_error_has_a_next_step(path: Path) -> None:
    silent = [f"{path.name}:{line}: {text}" for line, text in messages(path) if not NEXT_STEP.search(text)]
    assert silent == [], "these messages need a next step"


@pytest.mark.parametrize(
    ("text", "has_step"),
    [
        ("the file is empty. Crawl or export it again.", True),
        ("# is odd: aisleflow quarantine show #", True),
        ("a decision needs a reason: --why '…'.", True),
        ("the read failed and the run ended", False),
        ("store id # is empty, longer than 64 characters or holds control characters.", False),
        ("the export of the set was clear", False),
    ],
)
def test_a_next_step_is_recognised(text: str, has_step: bool) -> None:
    assert bool(NEXT_STEP.search(text)) is has_step
