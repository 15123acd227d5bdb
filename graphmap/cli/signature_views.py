"""Signatures as JSON and as text, with the function that computes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graphmap.api.artifact import Artifact
from graphmap.cli.console import escape
from graphmap.cli.wording import count, shape_text

if TYPE_CHECKING:
    from graphmap.model.meta import TensorInfo

__all__ = ["shape_json", "signature_lines", "signatures_json"]

MAX_CAPTURED = 8  # variables named in the text


def signatures_json(artifact: Artifact) -> dict[str, Any]:
    """Return every signature; `function` is null where the top-level graph computes it."""
    return {
        name: {
            "method": signature.method,
            "inputs": {key: _info_json(info) for key, info in signature.inputs.items()},
            "outputs": {key: _info_json(info) for key, info in signature.outputs.items()},
            "function": _function_json(artifact, name),
        }
        for name, signature in artifact.meta.signatures.items()
    }


def signature_lines(artifact: Artifact) -> Iterator[str]:
    """Yield the lines that describe the signatures."""
    for name, signature in artifact.meta.signatures.items():
        yield f"signature {escape(name)}: {_infos(signature.inputs)} -> {_infos(signature.outputs)}"
        told = _function_json(artifact, name)
        if told is not None:
            calls = f", calls {count(told['calls'], 'function')}" if told["calls"] else ""
            yield f"  is {escape(told['name'])}: {count(told['nodes'], 'node')}{calls}"
            yield from _captured(told["variables"])


def shape_json(shape: Any) -> list[int | None] | None:
    """Return a shape as JSON has it."""
    return None if shape is None else list(shape)


def _captured(names: list[str]) -> Iterator[str]:
    if names:
        shown = ", ".join(map(escape, names[:MAX_CAPTURED]))
        more = f" and {len(names) - MAX_CAPTURED} more" if len(names) > MAX_CAPTURED else ""
        yield f"  reads {count(len(names), 'variable')}: {shown}{more}"


def _function_json(artifact: Artifact, signature: str) -> dict[str, Any] | None:
    found = artifact.signature_function(signature)
    if found is None:
        return None
    names = {v.node: v.name for v in artifact.variables if v.node is not None}
    return {
        "name": found.name,
        "node": found.node,
        "nodes": found.nodes,
        "calls": len(found.functions),
        "variables": [names.get(node, node) for node in found.variables],
    }


def _infos(infos: Mapping[str, TensorInfo]) -> str:
    return ", ".join(
        f"{escape(key)} ({escape(info.tensor)} {info.dtype} {shape_text(info.shape)})"
        for key, info in infos.items()
    )


def _info_json(info: TensorInfo) -> dict[str, Any]:
    return {"tensor": info.tensor, "dtype": info.dtype, "shape": shape_json(info.shape)}
