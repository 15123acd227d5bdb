"""Training runs of kinds that the reference suite does not hold, one function a case.

A function gets the suite's Builder with the forward pass built, and returns {label: op} of what a
step runs. check_own_runs makes the runs and has them judged; further cases: trainop_cases_more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import models
import tensorflow as tf

tf1 = tf.compat.v1
Ops = dict[str, Any]


@dataclass
class Case:
    """One kind of run. forward builds either side, train the stored side only.

    steps: labels that step i runs; aux: those that are no train op (the user names them).
    expected, same: "resume" or "decline", over a new graph and in the stored one; "skip". told:
    further arguments of reconstruct_train_op, made of the new side's Builder.
    feeds: {logical input: value of step i}. export: as a SavedModel for training. scaffold: saved
    by the Saver of a tf.train.Scaffold, with all that it puts into the graph.
    """

    name: str
    train: Callable[[Any], Ops]
    forward: Callable[[Any], None] = models.mlp
    data: Callable[..., dict[str, Any]] = models.data_mlp
    kind: str = "ref"
    b_kind: str | None = None
    cfv2: bool = False
    steps: Callable[[int], list[str]] = lambda i: ["train"]
    aux: tuple[str, ...] = ()
    expected: str = "resume"
    same: str = "resume"
    told: Callable[[Any], dict[str, Any]] = lambda b: {}
    feeds: dict[str, Callable[[int], Any]] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    b_partitions: dict[str, int] | None = None
    export: bool = False
    scaffold: bool = False


CASES: dict[str, Case] = {}


def case(name: str, **options: Any) -> Callable[[Callable[[Any], Ops]], Callable[[Any], Ops]]:
    def register(train: Callable[[Any], Ops]) -> Callable[[Any], Ops]:
        CASES[name] = Case(name, train, **options)
        return train

    return register


def step_of(b: Any) -> Any:
    b.global_step = tf1.train.get_or_create_global_step()
    return b.global_step


def weights(b: Any) -> list[Any]:
    return [v for _, v in b.flat(b.trainable_keys)]


def state(name: str, value: Any, dtype: Any = tf.float32) -> Any:
    """A variable of the optimizer that no collection calls trainable."""
    return tf1.get_variable(name, initializer=tf.constant(value, dtype), trainable=False)


def like(v: Any, word: str, value: float = 0.0) -> Any:
    ini = tf1.constant_initializer(value)
    shape, dtype = v.shape.as_list(), v.dtype.base_dtype
    return tf1.get_variable(f"{v.op.name}/{word}", shape, dtype, ini, trainable=False)


# ------------------------------------------------------------------ gradients treated
@case("slim_train_op_checked_multipliers")
def slim(b: Any) -> Ops:
    opt = tf1.train.RMSPropOptimizer(0.01, momentum=0.5)
    pairs = opt.compute_gradients(b.loss, weights(b))
    pairs = [(g * (2.0 if i % 2 else 0.5), v) for i, (g, v) in enumerate(pairs)]
    apply = opt.apply_gradients(pairs, step_of(b))
    with tf.name_scope("train_op"):
        total = tf.debugging.check_numerics(b.loss, "loss is inf or nan")
        with tf.control_dependencies([apply]):
            return {"train": tf.identity(total)}


@case("stateless_gradient_noise_by_step", kind="res")
def noise(b: Any) -> Ops:
    step = step_of(b)
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    out = []
    for i, (g, v) in enumerate(opt.compute_gradients(b.loss, weights(b))):
        seed = tf.stack([tf.cast(step.read_value(), tf.int32), i])
        n = tf.random.stateless_normal(tf.shape(g), seed) / tf.sqrt(1.0 + tf.cast(step, tf.float32))
        out.append((g + 0.01 * n, v))
    return {"train": opt.apply_gradients(out, step)}


@case("stateful_gradient_noise", expected="decline", same="skip")
def noise_stateful(b: Any) -> Ops:
    opt = tf1.train.GradientDescentOptimizer(0.05)
    pairs = opt.compute_gradients(b.loss, weights(b))
    pairs = [(g + tf1.random_normal(tf.shape(g), stddev=0.01, seed=3), v) for g, v in pairs]
    return {"train": opt.apply_gradients(pairs, step_of(b))}


@case("layerwise_rates_two_optimizers_one_call")
def layerwise(b: Any) -> Ops:
    vs = weights(b)
    gs = [g for g, _ in tf1.train.AdamOptimizer().compute_gradients(b.loss, vs)]  # gated
    adam, sgd = tf1.train.AdamOptimizer(0.02), tf1.train.MomentumOptimizer(0.03, 0.9, True)
    low = adam.apply_gradients(list(zip(gs, vs, strict=True))[:2])
    high = sgd.apply_gradients(list(zip(gs, vs, strict=True))[2:])
    with tf.control_dependencies([low, high]):
        return {"train": tf1.assign_add(step_of(b), 1)}


@case("centralized_gradients_clip_by_average_norm", kind="res")
def centralized(b: Any) -> Ops:
    opt = tf1.train.AdamOptimizer(0.03)
    out = []
    for g, v in opt.compute_gradients(b.loss, weights(b)):
        if len(v.shape) > 1:
            g = g - tf.reduce_mean(g, 0, keepdims=True)
        out.append((tf1.clip_by_average_norm(g, 0.05), v))
    return {"train": opt.apply_gradients(out, step_of(b))}


@case("sparse_rows_clipped", forward=models.embed, data=models.data_embed)
def rows_clipped(b: Any) -> Ops:
    opt = tf1.train.AdagradOptimizer(0.1)
    out = []
    for g, v in opt.compute_gradients(b.loss, weights(b)):
        if isinstance(g, tf.IndexedSlices):
            g = tf.IndexedSlices(tf.clip_by_norm(g.values, 0.1, [-1]), g.indices, g.dense_shape)
        out.append((g, v))
    return {"train": opt.apply_gradients(out, step_of(b))}


# ------------------------------------------------------------------ averages and copies
@case("swa_every_third_step", kind="res")
def swa(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    count = state("swa/count", 0.0)
    means = [like(v, "swa") for v in vs]
    apply = tf1.train.MomentumOptimizer(0.05, 0.9).minimize(b.loss, step, vs)

    def average() -> Any:
        n = count.read_value()
        new = [m.assign(m.read_value() + (v.read_value() - m.read_value()) / (n + 1.0))
               for m, v in zip(means, vs, strict=True)]  # fmt: skip
        with tf.control_dependencies(new), tf.control_dependencies([count.assign_add(1.0)]):
            return tf.identity(True)

    with tf.control_dependencies([apply]):
        now = tf.equal(step.read_value() % 3, 0)
        return {"train": tf1.cond(now, average, lambda: tf.identity(False)).op}


@case("ema_of_num_updates_by_own_group")
def ema_group(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    apply = tf1.train.AdamOptimizer(0.03).minimize(b.loss, step, vs)
    ema = tf1.train.ExponentialMovingAverage(0.9, num_updates=step)
    with tf.control_dependencies([apply]):
        return {"train": tf.group(ema.apply(vs), name="train_and_average")}


@case("reference_network_synced_by_cond", kind="res", cfv2=True)
def synced(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    copies = [like(v, "slow") for v in vs]
    apply = tf1.train.GradientDescentOptimizer(0.1).minimize(b.loss, step, vs)

    def sync() -> Any:
        return tf.group(*[c.assign(0.5 * c + 0.5 * v) for c, v in zip(copies, vs, strict=True)])

    with tf.control_dependencies([apply]):
        return {"train": tf1.cond(tf.equal(step % 2, 0), sync, tf.no_op)}


# ------------------------------------------------------------------ several phases
@case("two_phase_line_search", steps=lambda i: ["direction", "move"], aux=("direction",),
      kind="res")  # fmt: skip
def two_phase(b: Any) -> Ops:
    vs = weights(b)
    old = [like(v, "old_gradient") for v in vs]
    line = [like(v, "direction") for v in vs]
    gs = tf.gradients(b.loss, vs)
    dot = tf.add_n([tf.reduce_sum(g * (g - o)) for g, o in zip(gs, old, strict=True)])
    norm = tf.add_n([tf.reduce_sum(o * o) for o in old]) + 1e-6
    beta = tf.clip_by_value(dot / norm, 0.0, 0.5)  # Polak-Ribiere
    new = [-g + beta * d for g, d in zip(gs, line, strict=True)]
    with tf.control_dependencies(new):
        first = [d.assign(n) for d, n in zip(line, new, strict=True)]
        first += [o.assign(g) for o, g in zip(old, gs, strict=True)]
    direction = tf.group(*first, name="direction")
    # the other phase takes no gradient: it is run by the loop like the first
    move = [v.assign_add(0.05 * d.read_value()) for v, d in zip(vs, line, strict=True)]
    return {"direction": direction, "move": tf.group(*move, name="move")}


@case("optimizer_changes_at_step", kind="res")
def switching(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    pairs = list(zip(tf.gradients(b.loss, vs), vs, strict=True))
    adam, sgd = tf1.train.AdamOptimizer(0.02), tf1.train.GradientDescentOptimizer(0.1)
    is_early = tf.less(step.read_value(), 7)
    done = tf1.cond(is_early, lambda: adam.apply_gradients(pairs),
                    lambda: sgd.apply_gradients(pairs))  # fmt: skip
    with tf.control_dependencies([done]):
        return {"train": tf1.assign_add(step, 1).op}


@case("generator_every_second_step", forward=models.gan, data=models.data_gan,
      steps=lambda i: ["d", "g"] if i % 2 else ["d"])  # fmt: skip
def gan_phases(b: Any) -> Ops:
    step = step_of(b)
    disc = [v for k, v in b.flat(b.trainable_keys) if k.startswith("disc")]
    gen = [v for k, v in b.flat(b.trainable_keys) if k.startswith("gen")]
    d = tf1.train.RMSPropOptimizer(0.01).minimize(b.losses["d"], var_list=disc, name="step_d")
    g = tf1.train.AdamOptimizer(0.01).minimize(b.losses["g"], step, gen, name="step_g")
    clipped = []
    for v in disc:
        with tf.control_dependencies([d]):
            clipped.append(tf1.assign(v, tf.clip_by_value(v, -0.9, 0.9)))
    return {"d": tf.group(*clipped, name="critic"), "g": g}


# ------------------------------------------------------------------ towers, scale, replicas
@case("towers_averaged_then_clipped", kind="res")
def towers(b: Any) -> Ops:
    opt = tf1.train.AdamOptimizer(0.03)
    vs = weights(b)
    per = [opt.compute_gradients(b.losses[k], vs) for k in ("loss", "loss_b")]
    mean = [tf.reduce_mean(tf.stack([a[0], c[0]]), 0) for a, c in zip(*per, strict=True)]
    clipped, _ = tf.clip_by_global_norm(mean, 0.5)
    return {"train": opt.apply_gradients(list(zip(clipped, vs, strict=True)), step_of(b))}


def two_towers(b: Any) -> None:
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    for label, rows in (("loss", slice(0, 4)), ("loss_b", slice(4, 8))):
        with b.scope("forward"):
            h = tf.tanh(b.dense("fc1", x[rows], 6, 8))
            logits = b.dense("out", h, 8, 3)
        with b.scope("loss"):
            b.losses[label] = models.xent(logits, y[rows])


CASES["towers_averaged_then_clipped"].forward = two_towers


@case("dynamic_loss_scale", kind="res")
def dynamic_scale(b: Any) -> Ops:
    mixed = tf1.train.experimental
    scale = mixed.DynamicLossScale(1024.0, increment_period=2)
    opt = mixed.MixedPrecisionLossScaleOptimizer(tf1.train.AdamOptimizer(0.03), scale)
    return {"train": opt.minimize(b.loss, step_of(b), weights(b))}


@case("cross_shard_off_device", kind="res")
def cross_shard(b: Any) -> Ops:
    opt = tf1.tpu.CrossShardOptimizer(tf1.train.MomentumOptimizer(0.05, 0.9))
    pairs = [(g / 1.0, v) for g, v in zip(tf.gradients(b.loss, weights(b)), weights(b))]  # noqa: B905
    return {"train": opt._opt.apply_gradients(pairs, step_of(b))}


@case("sync_replicas", expected="decline", same="skip")
def sync_replicas(b: Any) -> Ops:
    opt = tf1.train.SyncReplicasOptimizer(tf1.train.AdamOptimizer(0.03), 1, 1)
    train = opt.minimize(b.loss, step_of(b), weights(b))
    b.extra["init"] = [opt.chief_init_op, opt.local_step_init_op]
    b.extra["tokens"] = opt.get_init_tokens_op()
    opt.get_chief_queue_runner()
    return {"train": train}


# ------------------------------------------------------------------ loops and functions
@case("inner_steps_in_while_v1", kind="res")
def while_training(b: Any) -> Ops:
    vs, step = weights(b), step_of(b)

    def body(i: Any) -> Any:
        gs = tf.gradients(b.extra["again"](), vs)
        with tf.control_dependencies(gs):
            new = [v.assign_sub(0.05 * g).op for v, g in zip(vs, gs, strict=True)]
        with tf.control_dependencies(new):
            return i + 1

    _loop = tf1.while_loop(lambda i: i < 2, body, [tf.constant(0)], parallel_iterations=1)
    with tf.control_dependencies([_loop]):
        return {"train": tf1.assign_add(step, 1).op}


def mlp_again(b: Any) -> None:
    """The same loss can be built once more, in a loop body."""
    models.mlp(b)
    x, y = b.inputs.values()

    def again() -> Any:
        h = tf.tanh(b.dense("fc1", x, 6, 8))
        h = tf.nn.relu(b.dense("fc2", h, 8, 8) + 0.3)
        return models.xent(b.dense("out", h, 8, 3), y)

    b.extra["again"] = again


CASES["inner_steps_in_while_v1"].forward = mlp_again


@case("update_in_tf_function", kind="res")
def in_function(b: Any) -> Ops:
    vs, step = weights(b), step_of(b)
    gs = tf.gradients(b.loss, vs)
    moments = [like(v, "momentum_buffer") for v in vs]

    @tf.function
    def update(*grads: Any) -> Any:
        for g, v, m in zip(grads, vs, moments, strict=True):
            m.assign(0.9 * m + g)
            v.assign_sub(0.05 * m)
        return tf.constant(0)

    with tf.control_dependencies([update(*gs)]):
        return {"train": tf1.assign_add(step, 1).op}


@case("recurrence_v2_clipped", forward=models.rnn, data=models.data_rnn, kind="res", cfv2=True)
def rnn_v2(b: Any) -> Ops:
    opt = tf1.train.AdamOptimizer(0.02)
    gs, vs = zip(*opt.compute_gradients(b.loss, weights(b)), strict=True)
    gs, _ = tf.clip_by_global_norm(gs, 0.3)
    return {"train": opt.apply_gradients(list(zip(gs, vs, strict=True)), step_of(b))}


@case("conditional_model_adam_v2", forward=models.cond_model, data=models.data_cond, kind="res",
      cfv2=True)  # fmt: skip
def cond_v2(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.02).minimize(b.loss, step_of(b), weights(b))}
