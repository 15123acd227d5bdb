"""Read old TensorFlow models without TensorFlow, map their names, run their train ops again.

`import graphmap` imports nothing heavy: each public name is fetched on first use.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from graphmap.version import VERSION as __version__

if TYPE_CHECKING:
    from graphmap.api.artifact import Artifact, load
    from graphmap.api.audit import audit
    from graphmap.api.converting import convert
    from graphmap.api.diff import diff
    from graphmap.api.matching import match
    from graphmap.api.name_map import NameMap
    from graphmap.api.picture import Picture, render
    from graphmap.api.probing import probe
    from graphmap.api.renaming import rename
    from graphmap.errors import (
        ArtifactError,
        CorruptArtifactError,
        GraphmapError,
        MissingDataError,
        MissingDependencyError,
        NameMapError,
        ReconstructionError,
        RenderError,
        RestoreError,
        UnknownFormatError,
        UnresolvedNameError,
        UnsafeGraphError,
        UnsupportedArtifactError,
        UsageError,
    )
    from graphmap.scanning.scan import Inventory, scan

__all__ = [
    "Artifact",
    "ArtifactError",
    "CorruptArtifactError",
    "GraphmapError",
    "Inventory",
    "MissingDataError",
    "MissingDependencyError",
    "NameMap",
    "NameMapError",
    "Picture",
    "ReconstructionError",
    "RenderError",
    "RestoreError",
    "UnknownFormatError",
    "UnresolvedNameError",
    "UnsafeGraphError",
    "UnsupportedArtifactError",
    "UsageError",
    "__version__",
    "audit",
    "convert",
    "diff",
    "load",
    "match",
    "probe",
    "rename",
    "render",
    "scan",
]

_HOMES = {
    "Artifact": "graphmap.api.artifact",
    "load": "graphmap.api.artifact",
    "audit": "graphmap.api.audit",
    "convert": "graphmap.api.converting",
    "diff": "graphmap.api.diff",
    "rename": "graphmap.api.renaming",
    "match": "graphmap.api.matching",
    "NameMap": "graphmap.api.name_map",
    "probe": "graphmap.api.probing",
    "Picture": "graphmap.api.picture",
    "Inventory": "graphmap.scanning.scan",
    "scan": "graphmap.scanning.scan",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'graphmap' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES.get(name, "graphmap.errors")), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps `graphmap.render` the function.

    Importing the folder graphmap/render would put that module in the function's place: the
    import system sets a submodule as an attribute of its package.
    """

    @property
    def render(self) -> Any:
        from importlib import import_module

        return import_module("graphmap.api.picture").render

    @render.setter
    def render(self, submodule: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
