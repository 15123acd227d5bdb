"""SavedModels of TensorFlow 1 and 2: a folder, or its saved_model.pb or .pbtxt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphmap.errors import ArtifactError, CorruptArtifactError, UsageError
from graphmap.files import stays_inside
from graphmap.formats.checkpoint import Container, read_container
from graphmap.formats.metagraph import meta_info, producer_text
from graphmap.formats.saved_protos import saved_protos
from graphmap.model.graph import GraphModel
from graphmap.model.graph_check import find_defects
from graphmap.model.meta import KerasFile
from graphmap.model.meta_check import meta_defects
from graphmap.model.stored import StoredModel

__all__ = ["read_saved_model"]

_VARIABLES = "variables/variables"
_SCHEMA = 1  # kSavedModelSchemaVersion of tensorflow/cc/saved_model/constants.h
_OBJECT_GRAPH = 7  # MetaGraphDef.object_graph_def
_VARIABLE_OPS = ("VarHandleOp", "VariableV2", "Variable")


def read_saved_model(file: str, typed: str, *, tags: str | None, is_text: bool) -> StoredModel:
    """Read the SavedModel whose proto is `file`; its variables lie in variables/ beside it."""
    stored = saved_protos(file, is_text=is_text)
    all_tags = tuple(tuple(graph.meta_info_def.tags) for graph in stored.meta_graphs)
    if not all_tags:
        raise CorruptArtifactError(
            "is a SavedModel without a graph", where=file, remedy="Export the model again."
        )
    position, chosen_warnings = _choose(all_tags, tags, typed)
    chosen = stored.meta_graphs[position]
    meta, meta_warnings = meta_info(chosen, file)
    graph = stored.graph(position)
    folder = Path(file).parent
    container = _variables(file, graph)
    objects = _object_graph(chosen)
    return StoredModel(
        path=typed,
        kind="saved-model",
        producer=producer_text(meta),
        graph=graph,
        meta=meta,
        tensors=container.tensors,
        values=container.values,
        slot_variables=container.slot_variables,
        objects=container.objects,
        prefix=container.prefix,
        saved_model_dir=str(folder),
        keras=_keras_facts(str(folder), objects),
        all_tags=all_tags,
        warnings=(
            *stored.warnings,
            *chosen_warnings,
            *meta_warnings,
            *_schema_defects(stored.version, file),
            *find_defects(graph),
            *meta_defects(graph, meta),
            *_object_defects(objects, graph, len(chosen.asset_file_def)),
            *container.warnings,
        ),
    )


def _schema_defects(version: int, file: str) -> tuple[str, ...]:
    if version <= _SCHEMA:
        return ()
    return (f"{file}: has schema version {version}; graphmap knows version {_SCHEMA}",)


def _object_graph(meta_graph: Any) -> bytes:
    """Return the object graph, which the schema leaves out: it costs more than the graph."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    found = [
        field.data for field in UnknownFieldSet(meta_graph) if field.field_number == _OBJECT_GRAPH
    ]
    return found[-1] if found and isinstance(found[-1], bytes) else b""


def _object_defects(objects: bytes, graph: GraphModel, assets: int) -> tuple[str, ...]:
    if not objects:
        return ()
    from graphmap.formats.saved_objects import object_defects

    return object_defects(objects, graph.function_index, assets)


def _keras_facts(folder: str, objects: bytes) -> KerasFile | None:
    """Return what Keras 2 says of the optimizer that its model was compiled with."""
    if not objects:
        return None
    from graphmap.formats.keras_facts import saved_model_facts
    from graphmap.formats.saved_parts import training_texts

    return saved_model_facts(training_texts(folder, objects))


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
    fitting = [position for position, tags in enumerate(all_tags) if set(tags) == asked]
    if len(fitting) > 1:  # TensorFlow takes the first of them without a word
        return fitting[0], (
            f"{typed}: holds {len(fitting)} graphs with the tags {wanted}; took the first",
        )
    if fitting:
        return fitting[0], ()
    raise UsageError(
        f"no graph has the tags {wanted!r}", where=typed, remedy=f"The tags there are: {listed}"
    )


def _variables(file: str, graph: GraphModel) -> Container:
    prefix = str(Path(file).parent / _VARIABLES)
    index = f"{prefix}.index"
    if os.path.exists(index):
        if not stays_inside(index, file):
            return Container(warnings=(f"{index}: links out of its folder and is not opened",))
        return _readable(prefix)
    if any(node.op in _VARIABLE_OPS for node in graph.nodes):
        return Container(warnings=(f"{index} is missing: values cannot be read",))
    return Container()


def _readable(prefix: str) -> Container:
    """Read the variables; a damaged index is a warning, for the graph is there without it."""
    try:
        return read_container(prefix)
    except ArtifactError as cause:
        return Container(warnings=(f"{cause.where}: {cause.message}; read without variables",))
