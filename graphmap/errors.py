"""The error tree: everything graphmap raises on purpose.

An error says what is wrong, where, and what to do about it. The command line prints the three
parts and exits with 2; a library user catches `GraphmapError` or one of its children.
"""

from __future__ import annotations


class GraphmapError(Exception):
    """Base of every error that graphmap raises on purpose.

    message: what is wrong, in one sentence without a final stop.
    where: the file, name or option that it is about.
    remedy: what the reader can do now.
    """

    code = "error"

    def __init__(self, message: str, *, where: object = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = str(where)
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n{self.remedy}" if self.remedy else text


class UsageError(GraphmapError):
    """An option or argument cannot be used as given."""

    code = "usage"


class ArtifactError(GraphmapError):
    """A path holds no readable artifact."""

    code = "artifact"


class UnknownFormatError(ArtifactError):
    """The bytes are not of any kind that graphmap reads."""

    code = "unknown-format"


class CorruptArtifactError(ArtifactError):
    """The bytes are of a known kind, but damaged."""

    code = "corrupt-artifact"


class UnsupportedArtifactError(ArtifactError):
    """The kind is known, but not read yet."""

    code = "unsupported-artifact"


class MissingDataError(ArtifactError):
    """Values are wanted, and the data shard that holds them is missing or too short."""

    code = "missing-data"


class NameMapError(GraphmapError):
    """A name map is malformed, stale, or made for another artifact."""

    code = "name-map"


class UnresolvedNameError(GraphmapError, LookupError):
    """A name has no counterpart, or several; `candidates` are ranked, best first."""

    code = "unresolved-name"

    def __init__(
        self,
        message: str,
        *,
        where: object = "",
        remedy: str = "",
        candidates: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.candidates = candidates


class RestoreError(GraphmapError):
    """Values cannot be restored completely; nothing has been assigned."""

    code = "restore"


class ReconstructionError(GraphmapError):
    """A train op cannot be found or rebuilt exactly."""

    code = "reconstruction"


class UnsafeGraphError(GraphmapError):
    """Running this graph would touch files, run code, or use unregistered ops."""

    code = "unsafe-graph"


class RenderError(GraphmapError):
    """A picture cannot be drawn."""

    code = "render"


class MissingDependencyError(GraphmapError):
    """An optional package is needed for what was asked."""

    code = "missing-dependency"
