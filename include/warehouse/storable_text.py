"""Makes every text parameter of a connection storable, in one place: text from outside never fails a statement.

Without it a NUL in a store's name, a file's name or an error message fails the statement that records it.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.json import set_json_dumps
from psycopg.types.string import StrDumper, StrDumperUnknown

from include.wording.text import storable


class _StorableText(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(storable(obj))


class _StorableTypedText(StrDumper):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(storable(obj))


def store_any_text(connection: psycopg.Connection[Any]) -> None:
    """Have a connection replace what cannot be stored in text and JSON parameters; see :func:`include.wording.text.storable`."""
    connection.adapters.register_dumper(str, _StorableTypedText)
    connection.adapters.register_dumper(str, _StorableText)  # the last one is the default, as in psycopg
    set_json_dumps(_dump_json, connection)


def _dump_json(value: Any) -> str:
    return json.dumps(_storable(value))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value
