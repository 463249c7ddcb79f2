"""``aisleflow barcodes …``: barcodes that do not come with a listing, and contested ones."""

from __future__ import annotations

import typer

from include.cli import conflicts

app = typer.Typer(help="Barcodes: contested ones.", no_args_is_help=True)
app.add_typer(conflicts.app, name="conflicts")
