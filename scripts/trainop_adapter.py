"""The adapter between graphmap and the judge of the saved training runs (see check_trainop).

The judge calls `graphmap(ctx)` once a run. Mode "same": the stored graph is imported already.
Mode "new": the user's new graph, without a train op. A GraphmapError becomes the judge's Declined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphmap.tf as gmtf
from graphmap.errors import GraphmapError
from graphmap.names import op_name
from graphmap.opening import OpenedModel, open_model


def graphmap(ctx: Any, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Answer as the contract in the judge's docstring says.

    told: further arguments of reconstruct_train_op, which a user would know.
    """
    from check_resume import Declined

    try:
        return _same(ctx) if ctx.mode == "same" else _new(ctx, told or {})
    except GraphmapError as error:
        raise Declined(" ".join(str(error).split())) from error


def _path(ctx: Any) -> str:
    return str(ctx.checkpoint_dir or ctx.saved_model_dir)


def _same(ctx: Any) -> dict[str, Any]:
    """Find everything; restoring, too, is ours, in the session that the judge hands over.

    `resume` needs a session: one of our own here, so that all checks come before the judge runs.
    """
    import tensorflow as tf
    from common import session_config

    with tf.compat.v1.Session(graph=ctx.graph, config=session_config()) as session:
        resumed = gmtf.resume(_path(ctx), session, ctx.import_scope)
    losses = list(resumed.losses.values())
    answer = {
        "train_ops": resumed.train_ops,
        "loss": losses[0] if losses else None,
        "report": _report(_path(ctx)),
    }
    return answer | {"restore": lambda s: gmtf.resume(_path(ctx), s, ctx.import_scope)}


def _report(path: str) -> dict[str, Any]:
    opened = open_model(path)
    found = opened.train_ops
    steps = [train_op.global_step for train_op in found if train_op.global_step]
    losses = [train_op.loss for train_op in found if train_op.loss]
    report: dict[str, Any] = {"train_ops": [train_op.name for train_op in found]}
    report["loss"] = losses[0] if losses else None
    report["global_step"] = steps[0] if steps else None
    report["optimizers"] = [
        {
            "class": spec.kind,
            "hyperparameters": {k: _now(opened, v) for k, v in spec.hyperparameters.items()},
            "variables": {name: dict(slots) for name, slots in spec.slots.items()},
            "non_slot": dict(spec.non_slots),
        }
        for train_op in found
        for spec in train_op.optimizers
    ]
    return report


def _now(opened: OpenedModel, value: Any) -> Any:
    """What a hyper-parameter is in this checkpoint: of a variable, its stored value counts."""
    if not isinstance(value, dict) or value.get("source") != "variable":
        return value
    keys = {variable.name: variable.checkpoint_key for variable in opened.variables}
    key = keys.get(op_name(value["tensor"]))
    if key is None or opened.stored.values is None:
        return value
    return opened.stored.values.read(key).item()


def _new(ctx: Any, further: Mapping[str, Any]) -> dict[str, Any]:
    """Rebuild over the new graph; several losses are paired by what they compute."""
    loss = ctx.loss if len(ctx.losses) < 2 else list(ctx.losses.values())
    wanted = None
    if ctx.aux_ops:
        found = open_model(_path(ctx)).train_ops
        wanted = [*(train_op.name for train_op in found), *ctx.aux_ops.values()]
        wanted = list(dict.fromkeys(wanted))
    told = dict(ctx.told) if ctx.told else None
    if told is not None:
        told.pop("name_map", None)
        told["kind"] = told.pop("class", None)
        told = {key: value for key, value in told.items() if value is not None}
    with ctx.graph.as_default():
        rebuilt = gmtf.reconstruct_train_op(
            _path(ctx),
            loss,
            **{"name_map": ctx.name_map, "train_op": wanted, "optimizer": told, **further},
        )
    return {
        "train_ops": rebuilt.train_ops,
        "restore": rebuilt.restore,
        "feed_map": rebuilt.feeds,
        "state_map": rebuilt.state_map,
    }
