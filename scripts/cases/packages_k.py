"""Modules of packages whose own initial imports ask for more than is needed."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def alone(module: str, **stubs: Any) -> ModuleType:
    """Import PACKAGE.MODULE without running the package's __init__; stubs: name__part -> module."""
    root, *rest = module.split(".")
    spec = find_spec(root)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(root)
    at = spec.submodule_search_locations[0]
    parts: dict[str, Any] = {name.replace("__", "."): stub for name, stub in stubs.items()}
    for depth in range(len(rest)):
        name = ".".join((root, *rest[:depth]))
        package = ModuleType(name)
        package.__path__ = ["/".join((at, *rest[:depth]))]
        parts[name] = package
    held = {name: sys.modules[name] for name in parts if name in sys.modules}
    sys.modules.update(parts)
    try:
        return import_module(module)
    finally:
        for name in parts:
            del sys.modules[name]
        sys.modules.update(held)
