"""Further runs of trainop_cases: optimizers written by hand, and other ways to train."""

from __future__ import annotations

from typing import Any

import models
import numpy as np
import tensorflow as tf
from trainop_cases import Ops, case, like, state, step_of, weights

tf1 = tf.compat.v1


def gated_gradients(b: Any) -> list[tuple[Any, Any]]:
    """All gradients before the first update: without it, plain ops on ref variables race."""
    opt = tf1.train.GradientDescentOptimizer(0.1)
    return list(opt.compute_gradients(b.loss, weights(b), gate_gradients=opt.GATE_GRAPH))


@case("lars_by_hand")
def lars(b: Any) -> Ops:
    done = []
    for g, v in gated_gradients(b):
        m = like(v, "lars")
        w, n = tf.norm(v), tf.norm(g)
        trust = tf.where(w * n > 0, 0.1 * w / (n + 0.001 * w), 1.0)
        move = tf1.assign(m, 0.9 * m + trust * (g + 0.001 * v))
        done.append(tf1.assign_sub(v, 0.3 * move))
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step_of(b), 1)}


@case("adafactor_factored", kind="res")
def adafactor(b: Any) -> Ops:
    step = step_of(b)
    t = tf.cast(step.read_value(), tf.float32) + 1.0
    decay = 1.0 - tf.pow(t, -0.8)
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        square = tf.square(g) + 1e-30
        if len(v.shape) == 2:
            shape = v.shape.as_list()
            r = tf1.get_variable(f"{v.op.name}/vr", [shape[0]], trainable=False,
                                 initializer=tf1.zeros_initializer())  # fmt: skip
            c = tf1.get_variable(f"{v.op.name}/vc", [shape[1]], trainable=False,
                                 initializer=tf1.zeros_initializer())  # fmt: skip
            nr = decay * r + (1.0 - decay) * tf.reduce_mean(square, 1)
            nc = decay * c + (1.0 - decay) * tf.reduce_mean(square, 0)
            x = g * tf.expand_dims(tf1.rsqrt(nr / tf.reduce_mean(nr)), 1) * tf1.rsqrt(nc)
            done += [r.assign(nr), c.assign(nc)]
        else:
            s = like(v, "v")
            n = decay * s + (1.0 - decay) * square
            x = g * tf1.rsqrt(n)
            done.append(s.assign(n))
        x = x / tf.maximum(1.0, tf.sqrt(tf.reduce_mean(tf.square(x))))
        done.append(v.assign_sub(0.05 * x))
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step, 1).op}


@case("amsgrad_raw_op", kind="res")
def amsgrad(b: Any) -> Ops:
    p1, p2 = state("beta1_power", 0.9), state("beta2_power", 0.999)
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        m, s, h = (like(v, word) for word in ("m", "v", "vhat"))
        done.append(tf.raw_ops.ResourceApplyAdamWithAmsgrad(
            var=v.handle, m=m.handle, v=s.handle, vhat=h.handle, beta1_power=p1.read_value(),
            beta2_power=p2.read_value(), lr=0.02, beta1=0.9, beta2=0.999, epsilon=1e-8, grad=g,
        ))  # fmt: skip
    with tf.control_dependencies(done):
        powers = [p1.assign(p1 * 0.9), p2.assign(p2 * 0.999)]
    with tf.control_dependencies(powers):
        return {"train": tf1.assign_add(step_of(b), 1).op}


@case("powersign_raw_op_scheduled")
def powersign(b: Any) -> Ops:
    step = step_of(b)
    decay = tf1.train.cosine_decay(1.0, step, 20)
    done = []
    for g, v in gated_gradients(b):
        m = like(v, "PowerSign")
        done.append(tf.raw_ops.ApplyPowerSign(
            var=v._ref(), m=m._ref(), lr=0.02,
            logbase=1.0, sign_decay=decay, beta=0.9, grad=g))  # fmt: skip
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step, 1)}


@case("radam_rectified_by_cond", kind="res")
def radam(b: Any) -> Ops:
    step = step_of(b)
    t = tf.cast(step.read_value() + 1, tf.float32)
    rho = 199.0 - 2.0 * t * tf.pow(0.99, t) / (1.0 - tf.pow(0.99, t))
    scale = tf1.cond(rho > 4.0, lambda: tf.sqrt((rho - 4.0) / rho), lambda: tf.constant(1.0))
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        m, s = like(v, "ra_m"), like(v, "ra_v")
        nm, ns = 0.9 * m + 0.1 * g, 0.99 * s + 0.01 * g * g
        move = tf.where(rho > 4.0, scale * nm / (tf.sqrt(ns) + 1e-6), nm)
        done += [m.assign(nm), s.assign(ns), v.assign_sub(0.03 * move)]
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step, 1).op}


@case("pruned_by_masks", kind="res")
def pruned(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    apply = tf1.train.MomentumOptimizer(0.05, 0.9).minimize(b.loss, step, vs)
    v = max(vs, key=lambda v: int(np.prod(v.shape.as_list())))
    mask, edge = like(v, "mask", 1.0), state("threshold", 0.0)

    def update() -> Any:
        size = tf.reshape(tf.abs(v.read_value()), [-1])
        new = tf.sort(size)[tf.shape(size)[0] // 4]
        with tf.control_dependencies([edge.assign(new)]):
            keep = tf.cast(tf.abs(v.read_value()) > edge.read_value(), tf.float32)
            with tf.control_dependencies([mask.assign(keep)]):
                return tf.identity(True)

    with tf.control_dependencies([apply]):
        due = tf1.cond(tf.equal(step.read_value() % 2, 0), update, lambda: tf.identity(False))
    with tf.control_dependencies([due]):
        return {"train": v.assign(v.read_value() * mask.read_value()).op}


@case("constraint_after_update", kind="res")
def constraint(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    apply = tf1.train.AdagradOptimizer(0.1).minimize(b.loss, step, vs)
    with tf.control_dependencies([apply]):
        limited = [v.assign(tf.clip_by_norm(v.read_value(), 1.0, 0)).op for v in vs]
    return {"train": tf.group(*limited, name="train_step")}


@case("rate_halves_when_loss_stalls", kind="res")
def plateau(b: Any) -> Ops:
    rate, best, bad = state("rate", 0.1), state("best", 1e9), state("bad", 0, tf.int32)
    loss = tf.identity(b.loss)
    with tf.control_dependencies([loss]):
        is_better = loss < best.read_value()
        waited = tf.where(is_better, 0, bad.read_value() + 1)
    apply = tf1.train.GradientDescentOptimizer(rate.read_value()).minimize(
        b.loss, step_of(b), weights(b)
    )
    with tf.control_dependencies([apply, waited]):
        halve = waited >= 2
        updates = [
            rate.assign(tf.where(halve, rate * 0.5, rate)).op,
            bad.assign(tf.where(halve, 0, waited)).op,
            best.assign(tf.minimum(best, loss)).op,
        ]
    return {"train": tf.group(*updates, name="train_step")}


def penalised(b: Any) -> None:
    models.mlp(b)
    x = b.inputs["x"]
    slope = tf.gradients(b.loss, x)[0]
    penalty = tf.reduce_mean(tf.square(tf.sqrt(tf.reduce_sum(tf.square(slope), 1) + 1e-6)))
    b.losses["loss"] = b.loss + 10.0 * penalty


@case("gradient_penalty_adam", forward=penalised, kind="res")
def penalty(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.02).minimize(b.loss, step_of(b), weights(b))}


@case("gradients_weighted_by_examples", forward=lambda b: models.mlp(b, loss_style="vector"))
def weighted(b: Any) -> Ops:
    share = tf.linspace(0.5, 1.5, tf.shape(b.loss)[0])
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    pairs = opt.compute_gradients(b.loss, weights(b), grad_loss=share)
    return {"train": opt.apply_gradients(pairs, step_of(b))}


@case("recomputed_layer", kind="res")
def recomputed(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.02).minimize(b.loss, step_of(b), weights(b))}


def with_custom_gradient(b: Any) -> None:
    models.mlp(b)

    @tf.custom_gradient
    def reversed_gradient(t: Any) -> Any:
        return tf.identity(t), lambda d: -0.5 * d

    x, y = b.inputs.values()
    with b.scope("forward"):
        h = tf.tanh(b.dense("fc1", x, 6, 8))
        other = b.dense("domain", reversed_gradient(h), 8, 2)
    with b.scope("loss"):
        b.losses["loss"] = b.loss + 0.3 * models.xent(other, y % 2)


@case("reversed_gradient_adam", forward=with_custom_gradient, kind="res")
def reverse(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.02).minimize(b.loss, step_of(b), weights(b))}


@case("two_losses_one_train_op", forward=lambda b: two_heads(b))
def two_losses(b: Any) -> Ops:
    a = tf1.train.AdamOptimizer(0.02).minimize(b.losses["first"], var_list=weights(b)[:4])
    c = tf1.train.FtrlOptimizer(0.05).minimize(b.losses["second"], var_list=weights(b)[4:])
    with tf.control_dependencies([a, c]):
        return {"train": tf1.assign_add(step_of(b), 1)}


def two_heads(b: Any) -> None:
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    with b.scope("forward"):
        h = tf.tanh(b.dense("fc1", x, 6, 8))
        first = b.dense("fc2", h, 8, 3)
        second = b.dense("out", tf.stop_gradient(h), 8, 3)
    with b.scope("loss"):
        b.losses["first"] = models.xent(first, y)
        b.losses["second"] = models.xent(second, (y + 1) % 3)


def spectral(b: Any) -> None:
    """The forward pass itself updates a state: u of a power iteration."""
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    with b.scope("forward"):
        w = b.var("fc1/kernel", [6, 8])
        u = b.var("fc1/u", [1, 8], "ones", trainable=False)
        v = tf.nn.l2_normalize(tf.matmul(u.read_value(), w.read_value(), transpose_b=True))
        new = tf.nn.l2_normalize(tf.matmul(v, w.read_value()))
        sigma = tf.stop_gradient(tf.matmul(tf.matmul(v, w.read_value()), new, transpose_b=True))
        with tf.control_dependencies([v]):
            tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, u.assign(new).op)
        h = tf.tanh(tf.matmul(x, w.read_value() / sigma))
        logits = b.dense("out", h, 8, 3)
    with b.scope("loss"):
        b.losses["loss"] = models.xent(logits, y)


@case("spectral_norm_update_op", forward=spectral, kind="res")
def spectral_norm(b: Any) -> Ops:
    pairs = tf1.train.AdamOptimizer(0.02)
    gs = pairs.compute_gradients(b.loss, weights(b))
    with tf.control_dependencies([g for g, _ in gs]):
        done = tf.group(*tf1.get_collection(tf1.GraphKeys.UPDATE_OPS))
    with tf.control_dependencies([done]):
        return {"train": pairs.apply_gradients(gs, step_of(b))}


@case("seeded_dropout", forward=lambda b: dropped(b), expected="decline", same="skip")
def dropout(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.02).minimize(b.loss, step_of(b), weights(b))}


def dropped(b: Any) -> None:
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    h = tf.tanh(b.dense("fc1", x, 6, 8))
    h = tf1.nn.dropout(h, rate=0.2, seed=11)
    b.losses["loss"] = models.xent(b.dense("out", h, 8, 3), y)


@case("maml_inner_step", forward=lambda b: maml(b), kind="res")
def meta(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.02).minimize(b.loss, step_of(b), weights(b))}


def maml(b: Any) -> None:
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    w = b.var("fc1/kernel", [6, 3])
    with b.scope("forward"):
        inner = models.xent(tf.matmul(x, w.read_value()), y)
        fast = w.read_value() - 0.5 * tf.gradients(inner, [w])[0]
    with b.scope("loss"):
        b.losses["loss"] = models.xent(tf.matmul(x * 0.5, fast), y)


@case("step_of_int32_counts_by_accumulation", kind="res", steps=lambda i: ["add", "add", "train"],
      aux=("add",))  # fmt: skip
def accumulated(b: Any) -> Ops:
    vs = weights(b)
    step, count = state("my_step", 0, tf.int32), state("seen", 0.0)
    sums = [like(v, "sum") for v in vs]
    gs = tf.gradients(b.loss, vs)
    add = [s.assign_add(g).op for s, g in zip(sums, gs, strict=True)]
    with tf.control_dependencies(add):
        add_op = count.assign_add(1.0).op
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    mean = [(s.read_value() / count.read_value(), v) for s, v in zip(sums, vs, strict=True)]
    with tf.control_dependencies([opt.apply_gradients(mean, step)]):
        zero = [s.assign(tf.zeros_like(s)).op for s in sums] + [count.assign(0.0).op]
    return {"add": add_op, "train": tf.group(*zero, name="apply_and_zero")}
