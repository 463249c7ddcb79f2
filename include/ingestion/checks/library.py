"""The one import of Great Expectations. It takes seconds: nothing else imports the library, and this only what is used of it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType


def great_expectations() -> ModuleType:
    """Import Great Expectations, unless it is imported already, and return it."""
    if "great_expectations" not in sys.modules:
        _load_when_used("scipy", "stats")
    return importlib.import_module("great_expectations")


def _load_when_used(package: str, name: str) -> None:
    """Have a module loaded when something of it is first used.

    Only the library's expectations about distributions use ``scipy.stats``, and no suite of ours holds one: the library names
    it when it is imported, which costs a third of that.
    """
    full = f"{package}.{name}"
    if full in sys.modules:
        return
    parent = importlib.import_module(package)
    spec = importlib.util.find_spec(full)
    if spec is None or spec.loader is None:
        raise ImportError(f"{full} is not installed. Run `make install`.")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    setattr(parent, name, module)
