"""Runs of trainop_cases whose new side differs from the stored one in more than names."""

from __future__ import annotations

from typing import Any

import models
import tensorflow as tf
from trainop_cases import CASES, Case, Ops, case, step_of, weights

tf1 = tf.compat.v1


def _partition_case(name: str, clip: bool, parts: int | None) -> None:
    def train(b: Any) -> Ops:
        opt = tf1.train.AdamOptimizer(0.03)
        gs, vs = zip(*opt.compute_gradients(b.loss, weights(b)), strict=True)
        if clip:
            gs, _ = tf.clip_by_global_norm(gs, 0.2)
        return {"train": opt.apply_gradients(list(zip(gs, vs, strict=True)), step_of(b))}

    # a norm is a sum over the pieces: with other pieces its last bits are others
    expected = "decline" if clip else "resume"
    told = lambda b: {"optimizer": {}}  # noqa: E731  by class, of what the files tell
    CASES[name] = Case(name, train, models.embed, models.data_embed, expected=expected, told=told,
                       partitions={"emb/table": 4, "fc1/kernel": 1},
                       b_partitions={"emb/table": parts} if parts else {})  # fmt: skip


_partition_case("partitions_4_to_2", False, 2)
_partition_case("partitions_4_to_2_clipped", True, 2)


def averaged_forward(b: Any) -> None:
    models.mlp(b)
    if b.side == "B":  # the caller's code keeps averages, too
        ema = tf1.train.ExponentialMovingAverage(0.8)
        apply = ema.apply(list(b.vars.values()))
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, apply)
        b.extra["shadows"] = [ema.average(v) for v in b.vars.values()]


@case("averages_by_callers_code", forward=averaged_forward)
def averages(b: Any) -> Ops:
    vs = weights(b)
    apply = tf1.train.AdamOptimizer(0.03).minimize(b.loss, step_of(b), vs)
    ema = tf1.train.ExponentialMovingAverage(0.8)
    with tf.control_dependencies([apply]):
        return {"train": ema.apply(vs)}


def side_head(b: Any) -> None:
    models.mlp(b)
    if b.side == "A":
        x, y = b.inputs.values()
        b.extra["aux"] = models.xent(b.dense("aux", x, 6, 3), y)


@case("new_model_lacks_a_variable", forward=side_head,
      told=lambda b: {"var_list": list(b.vars.values())})  # fmt: skip
def lacking(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.03).minimize(b.loss + b.extra["aux"], step_of(b))}


def side_loss(b: Any) -> None:
    side_head(b)


@case("new_model_lacks_a_head_with_own_gradient", forward=side_loss,
      told=lambda b: {"var_list": list(b.vars.values())})  # fmt: skip
def lacking_two(b: Any) -> Ops:
    opt = tf1.train.AdamOptimizer(0.03)
    own = [v for k, v in b.flat(b.trainable_keys) if not k.startswith("aux")]
    aux = [v for k, v in b.flat(b.trainable_keys) if k.startswith("aux")]
    pairs = opt.compute_gradients(b.loss, own) + opt.compute_gradients(b.extra["aux"], aux)
    return {"train": opt.apply_gradients(pairs, step_of(b))}
