"""Further runs of trainop_cases, made to find wrong answers: values that alias a variable's buffer,
conditions and loops inside each other and inside functions, gradients taken in a loop."""

from __future__ import annotations

from typing import Any

import models
import tensorflow as tf
from trainop_cases import Ops, case, like, mlp_again, state, step_of, weights, while_training
from trainop_cases_more import gated_gradients

tf1 = tf.compat.v1


def op_of(item: Any) -> Any:
    return getattr(item, "op", item)


# ------------------------------------------------------------------ aliases of a ref variable
@case("branch_reads_what_it_has_written")
def alias_in_branch(b: Any) -> Ops:
    """In a branch a ref variable is the buffer itself, whenever it was switched in."""
    step, vs = step_of(b), weights(b)
    apply = tf1.train.MomentumOptimizer(0.05, 0.9).minimize(b.loss, step, vs)
    with tf.control_dependencies([apply]):
        due = tf.equal(tf1.floormod(step.read_value(), 2), 0)

    def shrink() -> Any:
        done = []
        for v in vs:
            smaller = tf1.assign(v, 0.99 * v)
            with tf.control_dependencies([smaller]):
                done.append(tf1.assign_sub(v, 0.001 * tf.sign(v) * tf.reduce_mean(tf.abs(v))))
        with tf.control_dependencies(done):
            return tf.constant(True)

    shrunk = tf1.cond(due, shrink, lambda: tf.constant(False))
    return {"train": tf.group(shrunk, name="train_and_shrink")}


case("inner_steps_in_while_v1_ref", forward=mlp_again)(while_training)


@case("flattened_weights_used_again_after_the_update")
def alias_by_reshape(b: Any) -> Ops:
    """A reshaped ref variable is the same buffer, too."""
    opt = tf1.train.GradientDescentOptimizer(0.1)
    flat = {v: tf.reshape(v, [-1]) for v in weights(b)}
    pairs = [(g + 0.01 * tf.reshape(flat[v], v.shape), v) for g, v in gated_gradients(b)]
    with tf.control_dependencies([g for g, _ in pairs]):
        apply = opt.apply_gradients(pairs)
    with tf.control_dependencies([apply]):
        norms = [tf.sqrt(tf.reduce_sum(tf.square(flat[v]))) for _, v in pairs]
    with tf.control_dependencies(norms):
        smaller = [tf1.assign(v, v - 0.01 * n * v) for n, (_, v) in zip(norms, pairs, strict=True)]
    with tf.control_dependencies(smaller):
        return {"train": tf1.assign_add(step_of(b), 1)}


# ------------------------------------------------------------------ conditions
def nested(b: Any) -> Ops:
    """A condition in a condition: what is not finite is skipped; every third step is averaged."""
    step, vs = step_of(b), weights(b)
    means = [like(v, "mean") for v in vs]
    opt = tf1.train.RMSPropOptimizer(0.01, momentum=0.5)
    pairs = gated_gradients(b)
    finite = tf.reduce_all(tf.math.is_finite(tf.linalg.global_norm([g for g, _ in pairs])))

    def average() -> Any:
        moved = [tf1.assign_add(m, 0.3 * (v - m)) for m, v in zip(means, vs, strict=True)]
        with tf.control_dependencies([op_of(m) for m in moved]):
            return tf.constant(2)

    def apply() -> Any:
        with tf.control_dependencies([opt.apply_gradients(pairs)]):
            due = tf.equal(tf1.floormod(step.read_value(), 3), 0)
        return tf1.cond(due, average, lambda: tf.constant(1))

    done = tf1.cond(finite, apply, lambda: tf.constant(0))
    with tf.control_dependencies([done]):
        return {"train": op_of(tf1.assign_add(step, 1))}


case("condition_in_a_condition_v1_ref")(nested)
case("condition_in_a_condition_v2", kind="res", cfv2=True, same="skip")(nested)


@case("one_of_three_rules_by_switch_case", kind="res", cfv2=True)
def three_rules(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    gs = tf.gradients(b.loss, vs)
    moments = [like(v, "m") for v in vs]

    def heavy_ball() -> Any:
        for g, v, m in zip(gs, vs, moments, strict=True):
            v.assign_sub(0.05 * m.assign(0.9 * m + g))
        return tf.constant(0)

    def plain() -> Any:
        for g, v in zip(gs, vs, strict=True):
            v.assign_sub(0.1 * g)
        return tf.constant(1)

    def signs() -> Any:
        for g, v in zip(gs, vs, strict=True):
            v.assign_sub(0.01 * tf.sign(g))
        return tf.constant(2)

    turn = tf.cast(step.read_value() % 3, tf.int32)
    done = tf.switch_case(turn, [heavy_ball, plain, signs])
    with tf.control_dependencies([done]):
        return {"train": tf1.assign_add(step, 1).op}


@case("function_with_a_condition_and_a_loop", kind="res")
def function_inside(b: Any) -> Ops:
    vs, step = weights(b), step_of(b)
    gs = tf.gradients(b.loss, vs)
    total = state("total", 0.0)

    @tf.function
    def update(now: Any, *grads: Any) -> Any:
        if tf.equal(now % 2, 0):
            for g, v in zip(grads, vs, strict=True):
                v.assign_sub(0.1 * g)
        else:
            for _ in tf.range(2):
                for g, v in zip(grads, vs, strict=True):
                    v.assign_sub(0.05 * g + 0.001 * v)
        total.assign_add(tf.reduce_sum(vs[0]))
        return tf.constant(0)

    with tf.control_dependencies([update(step.read_value(), *gs)]):
        return {"train": tf1.assign_add(step, 1).op}


# ------------------------------------------------------------------ gradients in a loop
def micro_batches(b: Any) -> Ops:
    """Gradients of four small batches, added up in a loop; then one step."""
    step, vs = step_of(b), weights(b)
    x, y = b.inputs.values()

    def body(i: Any, *sums: Any) -> Any:
        gs = tf.gradients(b.extra["on"](x[2 * i : 2 * i + 2], y[2 * i : 2 * i + 2]), vs)
        return [i + 1, *(s + g / 4.0 for s, g in zip(sums, gs, strict=True))]

    start = [tf.zeros(v.shape) for v in vs]
    _, *sums = tf1.while_loop(lambda i, *_: i < 4, body, [tf.constant(0), *start],
                              parallel_iterations=1)  # fmt: skip
    gs, _ = tf.clip_by_global_norm(sums, 0.5)
    opt = tf1.train.AdamOptimizer(0.03)
    return {"train": op_of(opt.apply_gradients(list(zip(gs, vs, strict=True)), step))}


def mlp_on(b: Any) -> None:
    models.mlp(b)

    def on(x: Any, y: Any) -> Any:
        h = tf.tanh(b.dense("fc1", x, 6, 8))
        h = tf.nn.relu(b.dense("fc2", h, 8, 8) + 0.3)
        return models.xent(b.dense("out", h, 8, 3), y)

    b.extra["on"] = on


case("micro_batches_in_while_v1", forward=mlp_on)(micro_batches)
case("micro_batches_in_while_v2", forward=mlp_on, kind="res", cfv2=True)(micro_batches)


@case("rate_learned_by_hypergradient")
def hypergradient(b: Any) -> Ops:
    rate = state("rate", 0.05)
    pairs = gated_gradients(b)
    old = [like(v, "last_gradient") for _, v in pairs]
    dot = tf.add_n([tf.reduce_sum(g * o) for (g, _), o in zip(pairs, old, strict=True)])
    with tf.control_dependencies([dot]):
        new = tf1.assign(rate, tf.maximum(rate + 0.001 * dot, 0.001))
        kept = [tf1.assign(o, g) for (g, _), o in zip(pairs, old, strict=True)]
    with tf.control_dependencies([new, *kept]):
        opt = tf1.train.GradientDescentOptimizer(rate.read_value())
        return {"train": opt.apply_gradients(pairs, step_of(b))}
