"""MetaGraphDef protos: a graph with its collections, signatures and saver."""

from __future__ import annotations

from typing import Any

from graphmap.errors import CorruptArtifactError
from graphmap.files import read_file, view_file
from graphmap.formats.attrs import shape_dims
from graphmap.formats.dtypes import dtype_name
from graphmap.formats.graphdef import graph_model
from graphmap.formats.protos import message_from_bytes, parse_text
from graphmap.formats.sniff import look_at, refuse_foreign
from graphmap.formats.stored_graph import graph_at
from graphmap.formats.wire import WireError
from graphmap.formats.wire_walk import Buffer, join, take
from graphmap.model.graph import GraphModel
from graphmap.model.graph_check import find_defects
from graphmap.model.meta import Signature, TensorInfo, VariableDef
from graphmap.model.meta_check import meta_defects
from graphmap.model.stored import MetaInfo, StoredModel
from graphmap.names import op_name
from graphmap.schema import message_class

__all__ = ["GRAPH", "meta_info", "producer_text", "read_meta_graph"]

# collections that hold VariableDef protos (tf.compat.v1.GraphKeys)
_VARIABLE_COLLECTIONS = (
    "variables", "trainable_variables", "local_variables", "model_variables",
    "moving_average_variables", "metric_variables", "global_step",
)  # fmt: skip

GRAPH = 2  # MetaGraphDef.graph_def
_ASSETS = "saved_model_assets"


def read_meta_graph(path: str, typed: str, *, is_text: bool | None = None) -> StoredModel:
    """Read a .meta file; raises ArtifactError. is_text None: told from the content."""
    if is_text is None:
        look = look_at(path)
        refuse_foreign(look)
        is_text = look.text is not None
    text_warnings: tuple[str, ...] = ()
    if is_text:
        proto, text_warnings = parse_text("MetaGraphDef", read_file(path), path)
        graph = graph_model(proto.graph_def)
    else:
        proto, graph = _binary(view_file(path), path)
    meta, warnings = meta_info(proto, path)
    return StoredModel(
        path=typed,
        kind="metagraph",
        producer=producer_text(meta),
        graph=graph,
        meta=meta,
        meta_path=path,
        all_tags=(meta.tags,) if meta.tags else (),
        warnings=text_warnings + warnings + find_defects(graph) + meta_defects(graph, meta),
    )


def _binary(data: Buffer, path: str) -> tuple[Any, GraphModel]:
    """Return a binary MetaGraphDef, its graph left out, and the graph."""
    from google.protobuf.message import DecodeError

    try:
        graphs, rest = take(data, [(0, len(data))], GRAPH)
        meta_graph = message_class("MetaGraphDef").FromString(join(data, rest))
        return meta_graph, graph_at(data, graphs.spans())
    except (WireError, DecodeError):  # odd or damaged: protobuf judges the whole
        proto = message_from_bytes("MetaGraphDef", bytes(data), path)
        return proto, graph_model(proto.graph_def)


def producer_text(meta: MetaInfo) -> str | None:
    """Return who wrote it, such as "tensorflow 1.15.0"."""
    return f"tensorflow {meta.tf_version}" if meta.tf_version else None


def meta_info(proto: Any, where: str) -> tuple[MetaInfo, tuple[str, ...]]:
    """Return what a MetaGraphDef holds beside its graph, and warnings."""
    warnings: list[str] = []
    node_lists: dict[str, tuple[str, ...]] = {}
    counts: dict[str, int] = {}
    variables: dict[str, tuple[VariableDef, ...]] = {}
    for name in sorted(proto.collection_def):
        collection = proto.collection_def[name]
        kind = collection.WhichOneof("kind")
        values = getattr(collection, kind).value if kind else ()
        counts[name] = len(values)
        if kind == "node_list":
            node_lists[name] = tuple(values)
        elif kind == "bytes_list" and name in _VARIABLE_COLLECTIONS:
            variables[name] = _variable_defs(name, values, where, warnings)
    info = proto.meta_info_def
    saver = proto.saver_def
    meta = MetaInfo(
        tags=tuple(info.tags),
        tf_version=info.tensorflow_version,
        node_lists=node_lists,
        counts=counts,
        variables=variables,
        signatures={
            name: _signature(proto.signature_def[name]) for name in sorted(proto.signature_def)
        },
        saver=(saver.filename_tensor_name, saver.save_tensor_name, saver.restore_op_name),
        assets=_assets(proto, where, warnings),
    )
    return meta, tuple(warnings)


def _assets(proto: Any, where: str, warnings: list[str]) -> tuple[tuple[str, str], ...]:
    """Return (tensor, file) of each asset; TensorFlow 1 keeps them in a collection."""
    assets = list(proto.asset_file_def)
    if _ASSETS in proto.collection_def:
        try:
            assets += [
                message_from_bytes("AssetFileDef", stored.value, where)
                for stored in proto.collection_def[_ASSETS].any_list.value
            ]
        except CorruptArtifactError:
            warnings.append(f"{where}: an entry of collection {_ASSETS!r} is no asset")
    return tuple((asset.tensor_info.name, asset.filename) for asset in assets)


def _variable_defs(
    name: str, values: Any, where: str, warnings: list[str]
) -> tuple[VariableDef, ...]:
    found = []
    for value in values:
        try:
            found.append(_variable_def(message_from_bytes("VariableDef", value, where), name))
        except CorruptArtifactError:
            warnings.append(f"{where}: an entry of collection {name!r} is no variable")
    return tuple(found)


def _variable_def(proto: Any, collection: str) -> VariableDef:
    part = proto.save_slice_info_def
    return VariableDef(
        name=op_name(proto.variable_name),
        # files of before TensorFlow 1.11 do not store the flag; the collection tells
        trainable=proto.trainable or collection == "trainable_variables",
        is_resource=proto.is_resource,
        full_name=part.full_name or None,
        offset=tuple(part.var_offset),
        shape=tuple(part.var_shape),
    )


def _signature(proto: Any) -> Signature:
    return Signature(proto.method_name, _tensor_infos(proto.inputs), _tensor_infos(proto.outputs))


def _tensor_infos(protos: Any) -> dict[str, TensorInfo]:
    found = {}
    for name in sorted(protos):
        info = protos[name]
        tensor = info.name or info.coo_sparse.values_tensor_name
        found[name] = TensorInfo(tensor, dtype_name(info.dtype), shape_dims(info.tensor_shape))
    return found
