"""Lazy import of Great Expectations, which takes seconds; all other modules import it through this one."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

#: Modules to load when something of them is first used. Only the library's expectations about distributions use these, and no suite
#: of ours holds one: they compute with the one and draw with the other. The library names both when it is imported.
_LOADED_WHEN_USED = ("scipy.stats", "altair")


def great_expectations() -> ModuleType:
    """Import Great Expectations, unless it is imported already, and return it."""
    if "great_expectations" not in sys.modules:
        finder = _LazyFinder()
        sys.meta_path.insert(0, finder)
        collects = gc.isenabled()
        gc.disable()  # it defines thousands of classes and frees nothing: searching them for garbage is a fifth of the import
        try:
            return importlib.import_module("great_expectations")
        finally:
            sys.meta_path.remove(finder)
            if collects:
                gc.enable()
    return sys.modules["great_expectations"]


class _LazyFinder(MetaPathFinder):
    """Finds the modules to load when they are used where they are installed, and has them loaded late."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how to load one of them; ``None`` for any other module."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _LOADED_WHEN_USED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
