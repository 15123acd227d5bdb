"""SavedModels of TensorFlow 1 and 2: a folder, or its saved_model.pb or .pbtxt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphmap.errors import CorruptArtifactError, UsageError
from graphmap.files import read_file
from graphmap.formats.checkpoint import Container, read_container
from graphmap.formats.graphdef import graph_model
from graphmap.formats.metagraph import meta_info, producer_text
from graphmap.formats.protos import parse_binary, parse_text
from graphmap.model.graph_check import find_defects
from graphmap.model.stored import StoredModel

__all__ = ["read_saved_model"]

_VARIABLES = "variables/variables"
_VARIABLE_OPS = ("VarHandleOp", "VariableV2", "Variable")


def read_saved_model(file: str, typed: str, *, tags: str | None, is_text: bool) -> StoredModel:
    """Read the SavedModel whose proto is `file`; its variables lie in variables/ beside it."""
    parse = parse_text if is_text else parse_binary
    proto, text_warnings = parse("SavedModel", read_file(file), file)
    all_tags = tuple(tuple(graph.meta_info_def.tags) for graph in proto.meta_graphs)
    if not all_tags:
        raise CorruptArtifactError(
            "is a SavedModel without a graph", where=file, remedy="Export the model again."
        )
    position, chosen_warnings = _choose(all_tags, tags, typed)
    chosen = proto.meta_graphs[position]
    meta, meta_warnings = meta_info(chosen, file)
    graph = graph_model(chosen.graph_def)
    folder = Path(file).parent
    container = _variables(folder, chosen)
    return StoredModel(
        path=typed,
        kind="saved-model",
        producer=producer_text(meta),
        graph=graph,
        meta=meta,
        tensors=container.tensors,
        values=container.values,
        slot_variables=container.slot_variables,
        prefix=container.prefix,
        saved_model_dir=str(folder),
        all_tags=all_tags,
        warnings=(
            *text_warnings,
            *chosen_warnings,
            *meta_warnings,
            *find_defects(graph),
            *container.warnings,
        ),
    )


def _choose(
    all_tags: Sequence[tuple[str, ...]], wanted: str | None, typed: str
) -> tuple[int, tuple[str, ...]]:
    """Return which MetaGraph to take, and a warning where the choice was ours."""
    listed = "; ".join(",".join(tags) or "(none)" for tags in all_tags)
    if wanted is None:
        if len(all_tags) == 1:
            return 0, ()
        first = ",".join(all_tags[0]) or "(none)"
        return 0, (
            f"{typed}: holds {len(all_tags)} graphs, with the tags {listed}; "
            f"took the first ({first}), choose with --tags",
        )
    asked = {tag.strip() for tag in wanted.split(",") if tag.strip()}
    for position, tags in enumerate(all_tags):
        if set(tags) == asked:
            return position, ()
    raise UsageError(
        f"no graph has the tags {wanted!r}", where=typed, remedy=f"The tags there are: {listed}"
    )


def _variables(folder: Path, meta_graph: Any) -> Container:
    prefix = str(folder / _VARIABLES)
    if Path(f"{prefix}.index").exists():
        return read_container(prefix)
    if any(node.op in _VARIABLE_OPS for node in meta_graph.graph_def.node):
        return Container(warnings=(f"{prefix}.index is missing: values cannot be read",))
    return Container()
