"""The command starts fast: help imports nothing heavy, and the command ends with its exit code and complete output."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.slow

HEAVY = {
    "airflow", "alembic", "fsspec", "great_expectations", "numpy", "pandas", "psycopg", "pyarrow", "pydantic", "requests", "scipy", "sqlalchemy",
    "starlette", "uvicorn",
}  # fmt: skip


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a separate interpreter."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(program), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["import", "--help"], ["sandbox", "serve", "--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = f"""
        import atexit, sys
        def print_imports():
            print(*sorted({{name.partition(".")[0] for name in sys.modules}} & {HEAVY!r}), file=sys.stderr)
        from include.cli.entry import main
        atexit.register(print_imports)
        main()
    """
    done = run(program, *arguments)
    assert done.returncode == 0 and "Usage" in done.stdout and done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("body", "code"), [("pass", 0), ("raise typer.Exit(3)", 3), ("raise SystemExit('why')", 1), ("raise ValueError('why')", 1)]
)
def test_the_command_leaves_with_its_code_its_output_and_its_handlers_run(body: str, code: int) -> None:
    program = f"""
        import atexit, sys, typer
        from include.cli import main
        @main.app.command()
        def trial():
            atexit.register(lambda: print("handler", flush=False))
            print("printed", end=" ")
            {body}
        from include.cli import entry
        sys.argv = ["aisleflow", "trial"]
        entry.main()
    """
    done = run(program)
    assert (done.returncode, done.stdout) == (code, "printed handler\n"), done.stderr
    assert ("why" in done.stderr) == ("why" in body)
