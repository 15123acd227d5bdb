"""Further runs of trainop_cases: newer optimizers by hand, rates that move, averages, clipping."""

from __future__ import annotations

import math
from typing import Any

import models
import tensorflow as tf
from trainop_cases import Ops, case, like, state, step_of, two_towers, weights
from trainop_cases_more import gated_gradients

tf1 = tf.compat.v1


def counted(b: Any, done: list[Any]) -> Ops:
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step_of(b), 1)}


# ------------------------------------------------------------------ newer optimizers by hand
@case("adabelief_by_hand", kind="res")
def adabelief(b: Any) -> Ops:
    step = step_of(b)
    t = tf.cast(step.read_value() + 1, tf.float32)
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        m, s = like(v, "belief_m"), like(v, "belief_s")
        nm = m.assign(0.9 * m + 0.1 * g).read_value()
        ns = s.assign(0.99 * s + 0.01 * tf.square(g - nm) + 1e-12).read_value()
        rate = 0.02 * tf.sqrt(1.0 - tf.pow(0.99, t)) / (1.0 - tf.pow(0.9, t))
        done.append(v.assign_sub(rate * nm / (tf.sqrt(ns) + 1e-8)).op)
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step, 1).op}


@case("lamb_by_hand_biases_excluded")
def lamb(b: Any) -> Ops:
    done = []
    for g, v in gated_gradients(b):
        m, s = like(v, "lamb_m"), like(v, "lamb_v")
        nm, ns = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * tf.square(g)
        move = nm / (tf.sqrt(ns) + 1e-6)
        ratio = tf.constant(1.0)
        if "bias" not in v.op.name:
            move += 0.01 * v
            w, n = tf.norm(v), tf.norm(move)
            ratio = tf.where(tf.greater(w, 0), tf.where(tf.greater(n, 0), w / n, 1.0), 1.0)
        new = v - ratio * 0.02 * move
        with tf.control_dependencies([new]):
            done.append(tf.group(m.assign(nm), s.assign(ns), v.assign(new)))
    return counted(b, done)


@case("novograd_moment_of_norms", kind="res")
def novograd(b: Any) -> Ops:
    step = step_of(b)
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        m, s = like(v, "ngm"), state(f"{v.op.name}/ngv", 0.0)
        square = tf.reduce_sum(tf.square(g))
        first = tf.equal(step.read_value(), 0)
        ns = tf.where(first, square, 0.95 * s.read_value() + 0.05 * square)
        nm = 0.9 * m.read_value() + g / (tf.sqrt(ns) + 1e-8) + 0.001 * v
        done += [s.assign(ns).op, m.assign(nm).op, v.assign_sub(0.02 * nm).op]
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step, 1).op}


@case("nadam_with_product_of_momenta", kind="res")
def nadam(b: Any) -> Ops:
    step, product = step_of(b), state("momentum_cache", 1.0)
    t = tf.cast(step.read_value() + 1, tf.float32)
    now = 0.9 * (1.0 - 0.5 * tf.pow(0.96, t * 0.004))
    then = 0.9 * (1.0 - 0.5 * tf.pow(0.96, (t + 1.0) * 0.004))
    upto = product.read_value() * now
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        m, s = like(v, "nm"), like(v, "nv")
        nm, ns = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        bar = (1.0 - now) * g / (1.0 - upto) + then * nm / (1.0 - upto * then)
        move = 0.02 * bar / (tf.sqrt(ns / (1.0 - tf.pow(0.999, t))) + 1e-7)
        done += [m.assign(nm).op, s.assign(ns).op, v.assign_sub(move).op]
    with tf.control_dependencies([*done, upto]):
        kept = product.assign(upto).op
    with tf.control_dependencies([kept]):
        return {"train": tf1.assign_add(step, 1).op}


def lazy_adam(b: Any) -> Ops:
    """As contrib's LazyAdamOptimizer: moments of rows that a batch holds, and of no others."""
    opt = tf1.train.AdamOptimizer(0.03)
    pairs = opt.compute_gradients(b.loss, weights(b))
    dense = [(g, v) for g, v in pairs if not isinstance(g, tf.IndexedSlices)]
    done = [opt.apply_gradients(dense, name="dense_part")]
    rate = tf.constant(0.03)
    for g, v in pairs:
        if not isinstance(g, tf.IndexedSlices):
            continue
        m, s = like(v, "lazy_m"), like(v, "lazy_v")
        rows, at = tf.unique(g.indices)
        values = tf1.unsorted_segment_sum(g.values, at, tf.shape(rows)[0])
        nm = 0.9 * tf.gather(m, rows) + 0.1 * values
        ns = 0.99 * tf.gather(s, rows) + 0.01 * tf.square(values)
        move = rate * nm / (tf.sqrt(ns) + 1e-8)
        with tf.control_dependencies([nm, ns, move]):
            done += [tf1.scatter_update(m, rows, nm), tf1.scatter_update(s, rows, ns),
                     tf1.scatter_sub(v, rows, move)]  # fmt: skip
    with tf.control_dependencies([getattr(op, "op", op) for op in done]):
        return {"train": getattr(tf1.assign_add(step_of(b), 1), "op", None)}


case("lazy_sparse_adam_res", forward=models.embed, data=models.data_embed, kind="res")(lazy_adam)
case("lazy_sparse_adam_ref", forward=models.embed, data=models.data_embed)(lazy_adam)


@case("decay_before_the_update")
def decoupled(b: Any) -> Ops:
    """As contrib's DecoupledWeightDecayExtension."""
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    pairs = gated_gradients(b)
    with tf.control_dependencies([g for g, _ in pairs]):
        decay = [tf1.assign_sub(v, 0.01 * v) for _, v in pairs]
    with tf.control_dependencies(decay):
        return {"train": opt.apply_gradients(pairs, step_of(b))}


@case("compensated_sum_of_updates", kind="res")
def kahan(b: Any) -> Ops:
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        lost = like(v, "compensation")
        move = -0.05 * g - lost.read_value()
        new = v.read_value() + move
        with tf.control_dependencies([lost.assign((new - v.read_value()) - move).op]):
            done.append(v.assign(new).op)
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step_of(b), 1).op}


@case("preconditioned_by_root_of_statistics", kind="res")
def shampoo(b: Any) -> Ops:
    done = []
    for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b), strict=True):
        if len(v.shape) < 2:
            done.append(v.assign_sub(0.05 * g).op)
            continue
        n = v.shape.as_list()[0]
        left = tf1.get_variable(f"{v.op.name}/left", [n, n], trainable=False,
                                initializer=tf1.zeros_initializer())  # fmt: skip
        new = left.read_value() + tf.matmul(g, g, transpose_b=True)
        values, vectors = tf.linalg.eigh(new + 1e-3 * tf.eye(n))
        root = tf.matmul(vectors * tf.pow(tf.maximum(values, 1e-6), -0.25), vectors,
                         transpose_b=True)  # fmt: skip
        with tf.control_dependencies([left.assign(new).op]):
            done.append(v.assign_sub(0.05 * tf.matmul(root, g)).op)
    with tf.control_dependencies(done):
        return {"train": tf1.assign_add(step_of(b), 1).op}


# ------------------------------------------------------------------ rates that move
@case("cosine_with_restarts_momentum")
def restarts(b: Any) -> Ops:
    step = step_of(b)
    rate = tf1.train.cosine_decay_restarts(0.1, step, 3, t_mul=2.0, m_mul=0.7, alpha=0.1)
    opt = tf1.train.MomentumOptimizer(rate, 0.9, use_nesterov=True)
    return {"train": opt.minimize(b.loss, step, weights(b))}


@case("triangular_cycle_of_rate_and_momentum", kind="res")
def cyclical(b: Any) -> Ops:
    step = step_of(b)
    t = tf.cast(step.read_value(), tf.float32)
    cycle = tf.floor(1.0 + t / 6.0)
    height = tf.maximum(0.0, 1.0 - tf.abs(t / 3.0 - 2.0 * cycle + 1.0))
    opt = tf1.train.MomentumOptimizer(0.01 + 0.09 * height, 0.95 - 0.1 * height)
    return {"train": opt.minimize(b.loss, step, weights(b))}


RATES = {"rate": lambda i: 0.1 / math.sqrt(i + 1.0), "mu": lambda i: min(0.9, 0.1 * i)}


@case("rate_and_momentum_fed", forward=lambda b: fed(b), feeds=RATES)
def fed_numbers(b: Any) -> Ops:
    opt = tf1.train.MomentumOptimizer(b.inputs["rate"], b.inputs["mu"])
    return {"train": opt.minimize(b.loss, step_of(b), weights(b))}


def fed(b: Any) -> None:
    models.mlp(b)
    if b.side == "A":
        for name in ("rate", "mu"):
            b.inputs[name] = tf1.placeholder(tf.float32, [], name=f"feed/{name}")


# ------------------------------------------------------------------ averages
@case("averages_of_two_decays")
def two_averages(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    apply = tf1.train.AdamOptimizer(0.03).minimize(b.loss, step, vs)
    fast = tf1.train.ExponentialMovingAverage(0.5, name="Fast")
    slow = tf1.train.ExponentialMovingAverage(0.9, num_updates=step, name="Slow")
    with tf.control_dependencies([apply]):
        return {"train": tf.group(fast.apply(vs), slow.apply(vs), name="averages")}


@case("average_with_zero_debias", kind="res")
def debiased(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    apply = tf1.train.RMSPropOptimizer(0.01).minimize(b.loss, step, vs)
    ema = tf1.train.ExponentialMovingAverage(0.8, zero_debias=True)
    with tf.control_dependencies([apply]):
        average = ema.apply([tf.identity(b.loss)])
        return {"train": tf.group(average, ema.apply(vs), name="train_all")}


# ------------------------------------------------------------------ clipping and towers
@case("clipped_by_variable_then_globally", kind="res")
def clipped_twice(b: Any) -> Ops:
    opt = tf1.train.AdamOptimizer(0.03)
    gs, vs = zip(*opt.compute_gradients(b.loss, weights(b)), strict=True)
    gs = [tf.clip_by_norm(g, 0.3) for g in gs]
    norm = tf.linalg.global_norm(gs)
    gs, _ = tf.clip_by_global_norm(gs, 0.4, use_norm=norm)
    return {"train": opt.apply_gradients(list(zip(gs, vs, strict=True)), step_of(b))}


@case("clipped_by_history_of_norms", kind="res")
def adaptive_clip(b: Any) -> Ops:
    opt, norms = tf1.train.AdagradOptimizer(0.1), state("norm_average", 1.0)
    gs, vs = zip(*opt.compute_gradients(b.loss, weights(b)), strict=True)
    norm = tf.linalg.global_norm(gs)
    new = 0.9 * norms.read_value() + 0.1 * norm
    with tf.control_dependencies([norms.assign(new).op]):
        gs, _ = tf.clip_by_global_norm(gs, 1.2 * new, use_norm=norm)
        return {"train": opt.apply_gradients(list(zip(gs, vs, strict=True)), step_of(b))}


@case("average_gradients_of_towers_on_devices", forward=two_towers)
def average_gradients(b: Any) -> Ops:
    """As the CIFAR-10 tutorial of TensorFlow 1 for several GPUs."""
    opt, vs = tf1.train.MomentumOptimizer(0.05, 0.9), weights(b)
    towers = []
    for i, label in enumerate(("loss", "loss_b")):
        with tf1.device(f"/device:GPU:{i}"), tf1.name_scope(f"tower_{i}"):
            towers.append(opt.compute_gradients(b.losses[label], vs))
    average = []
    for both in zip(*towers, strict=True):
        stacked = tf.concat([tf.expand_dims(g, 0) for g, _ in both], 0)
        average.append((tf.reduce_mean(stacked, 0), both[0][1]))
    apply = opt.apply_gradients(average, step_of(b))
    ema = tf1.train.ExponentialMovingAverage(0.9, b.global_step)
    with tf.control_dependencies([apply]):
        return {"train": tf.group(apply, ema.apply(vs))}


@case("mask_opens_layers_by_step", kind="res")
def unfreezing(b: Any) -> Ops:
    step = step_of(b)
    opt = tf1.train.AdamOptimizer(0.03)
    pairs = opt.compute_gradients(b.loss, weights(b))
    opened = [tf.cast(step.read_value() >= 2 * (i // 2), tf.float32) for i in range(len(pairs))]
    masked = [(g * open_, v) for (g, v), open_ in zip(pairs, opened, strict=True)]
    return {"train": opt.apply_gradients(masked, step)}
