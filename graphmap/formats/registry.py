"""From a path to what is stored there; the kind is found from the content."""

from __future__ import annotations

import os

from graphmap.model.stored import StoredModel

def read_artifact(path: str, *, tags: str | None = None, step: int | None = None) -> StoredModel:
    """Read the artifact at `path`."""
    from graphmap.formats.checkpoint import read_prefix
    if os.path.exists(path + ".index"):
        return read_prefix(path, path)
    if path.endswith(".index"):
        return read_prefix(path[:-6], path)
    if os.path.isdir(path):
        import glob
        return read_prefix(sorted(glob.glob(path+"/*.index"))[-1][:-6], path)
    from graphmap.files import read_file
    from graphmap.formats.graphdef import graph_model, parse_graph
    from graphmap.formats.metagraph import meta_info, parse_meta_graph, producer_text
    data = read_file(path)
    if path.endswith(".meta"):
        proto = parse_meta_graph(data, path, is_text=False)
        meta, warnings = meta_info(proto, path)
        return StoredModel(path=path, kind="metagraph", graph=graph_model(proto.graph_def), meta=meta, meta_path=path, producer=producer_text(meta), warnings=warnings)
    return StoredModel(path=path, kind="graphdef", graph=parse_graph(data, path, is_text=path.endswith("txt")))
