"""An artifact under other names, written whole: what writes which kind.

The writers are imported for the kind at hand: a linked checkpoint costs little but its start.
"""

from __future__ import annotations

import os

from graphmap.errors import CorruptArtifactError, UnsupportedArtifactError
from graphmap.formats.wire import WireError
from graphmap.model.stored import StoredModel
from graphmap.rewrite.request import RewriteRequest

__all__ = ["rewrite_artifact", "target_of"]


def target_of(stored: StoredModel, out: str) -> str:
    """Return where the artifact goes: `out`, or in that folder under its own name."""
    if stored.saved_model_dir is None and (out.endswith("/") or os.path.isdir(out)):
        source = stored.prefix or stored.meta_path or stored.container or stored.path
        return os.path.join(out, os.path.basename(source))
    return out.rstrip("/") if stored.saved_model_dir is not None else out


def rewrite_artifact(request: RewriteRequest) -> tuple[str, ...]:
    """Write the artifact under its new names; return the paths that were written.

    Raises ArtifactError, NameMapError and UsageError before anything is at its place.
    """
    stored = request.stored
    try:
        if stored.saved_model_dir is not None:
            from graphmap.rewrite.saved_model import rewrite_saved_model

            return rewrite_saved_model(request)
        if stored.kind in ("checkpoint", "object-checkpoint"):
            from graphmap.rewrite.bundles import rewrite_checkpoint

            return rewrite_checkpoint(request)
        if stored.kind in ("metagraph", "graphdef"):
            from graphmap.rewrite.graph_files import rewrite_graph_file

            return rewrite_graph_file(request)
        if stored.kind == "checkpoint-v1":
            from graphmap.rewrite.containers import rewrite_first_generation

            return rewrite_first_generation(request)
        if stored.kind in ("safetensors", "keras-h5"):
            from graphmap.rewrite.containers import rewrite_container

            return rewrite_container(request)
    except WireError as cause:
        raise CorruptArtifactError(
            f"cannot be rewritten: it {cause}", where=stored.path, remedy="Copy the file again."
        ) from cause
    if stored.kind == "keras-zip":
        raise UnsupportedArtifactError(
            "is not renamed: Keras finds the values of a .keras file by the classes and the order "
            "of the layers, so that none would be found under another name",
            where=stored.path,
            remedy="Use graphmap convert, or load it by a map: gmtf.load_weights(model, path).",
        )
    raise UnsupportedArtifactError(
        f"of kind {stored.kind} is not renamed",
        where=stored.path,
        remedy="Use graphmap convert, which writes its values into another container.",
    )
