"""A reader of `.npz` weights and a renderer to Mermaid: an example of plug-ins for graphmap."""

from __future__ import annotations

import zipfile

import numpy

from graphmap import Artifact, CorruptArtifactError
from graphmap.formats.registry import Reader, Request
from graphmap.formats.sniff import Look
from graphmap.model.stored import StoredModel, StoredTensor

LIMIT = 1 << 34  # bytes of all arrays, as the archive declares them


def sniff(look: Look) -> bool:
    """Tell whether a file is a zip of .npy members, from its first bytes."""
    return look.head.startswith(b"PK\3\4") and b".npy" in look.head[:300]


def read(look: Look, request: Request) -> StoredModel:
    """List the arrays by their headers; no values are read."""
    tensors = []
    try:
        with zipfile.ZipFile(look.path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > LIMIT:
                raise ValueError("it declares more than 16 GiB")
            for member in members:
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as stream:
                    numpy.lib.format.read_magic(stream)
                    shape, _, dtype = numpy.lib.format.read_array_header_1_0(stream)
                tensors.append(
                    StoredTensor(name, name, shape, dtype.name, member.file_size)
                )
    except (zipfile.BadZipFile, ValueError, OSError) as cause:
        raise CorruptArtifactError(
            f"is no sound .npz ({cause})", where=look.path, remedy="Copy it again."
        ) from cause
    return StoredModel(
        path=request.typed,
        kind="npz",
        tensors=tuple(sorted(tensors)),
        values=Values(look.path),
        container=look.path,
    )


class Values:
    """Reads arrays by name."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self, key: str) -> numpy.ndarray:
        """Return one array; the zip's own checksum is verified on the way."""
        try:
            with numpy.load(self._path, allow_pickle=False) as arrays:
                return arrays[key]
        except (zipfile.BadZipFile, ValueError) as cause:
            raise CorruptArtifactError(
                f"holds a damaged {key}", where=self._path, remedy="Copy it again."
            ) from cause

    def verify(self, key: str) -> None:
        """Raise as `read` does."""
        self.read(key)


READER = Reader("npz", sniff, read)


def to_mermaid(artifact: Artifact, **_: object) -> bytes:
    """Draw the scopes of an artifact's variables as a Mermaid flowchart."""
    scopes = sorted({v.name.rpartition("/")[0] for v in artifact.variables} - {""})
    lines = ["flowchart TD"]
    numbers = {scope: f"n{number}" for number, scope in enumerate(scopes)}
    lines += [f"  {numbers[scope]}[{scope!r}]" for scope in scopes]
    for scope in scopes:
        parent = scope.rpartition("/")[0]
        if parent in numbers:
            lines.append(f"  {numbers[parent]} --> {numbers[scope]}")
    return ("\n".join(lines) + "\n").encode()
