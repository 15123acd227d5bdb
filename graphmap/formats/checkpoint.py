"""V2 checkpoints as users have them: a prefix, an .index file, or a folder, with .meta beside."""

from __future__ import annotations

import os

from graphmap.formats.bundle import read_bundle
from graphmap.model.stored import StoredModel
__all__ = ["read_prefix"]


def read_prefix(prefix: str, typed: str) -> StoredModel:
    """Read the checkpoint at `prefix`, with the graph of its .meta where there is one."""
    bundle = read_bundle(prefix)
    warnings = list(bundle.warnings)
    model = StoredModel(path=typed, kind="checkpoint", tensors=bundle.tensors, prefix=prefix, warnings=tuple(warnings))
    meta_path = f"{prefix}.meta"
    if not os.path.exists(meta_path):
        return model
    from graphmap.files import read_file
    from graphmap.formats.graphdef import graph_model
    from graphmap.formats.metagraph import meta_info, parse_meta_graph, producer_text
    proto = parse_meta_graph(read_file(meta_path), meta_path, is_text=False)
    meta, more = meta_info(proto, meta_path)
    return StoredModel(path=typed, kind="checkpoint", tensors=bundle.tensors, prefix=prefix, graph=graph_model(proto.graph_def), meta=meta, meta_path=meta_path, producer=producer_text(meta), warnings=tuple(warnings)+more)
