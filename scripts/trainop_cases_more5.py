"""Further runs of trainop_cases: optimizers and recipes that people shared from 2016 to 2020."""

from __future__ import annotations

from typing import Any

import models
import tensorflow as tf
from trainop_cases import Ops, case, like, mlp_again, state, step_of, weights
from trainop_cases_more4 import mlp_on, op_of

tf1 = tf.compat.v1
RAW = tf.raw_ops


# ------------------------------------------------------------------ gradients treated
@case("clipped_by_a_condition_per_variable")
def clipped_by_condition(b: Any) -> Ops:
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    out = []
    for g, v in opt.compute_gradients(b.loss, weights(b)):
        norm = tf.norm(g)
        clipped = tf1.cond(norm > 0.1, lambda g=g, n=norm: g * 0.1 / n, lambda g=g: tf.identity(g))
        out.append((tf.reshape(clipped, g.shape), v))
    return {"train": opt.apply_gradients(out, step_of(b))}


@case("loss_scale_and_multipliers_by_scope", kind="res")
def multipliers(b: Any) -> Ops:
    step = step_of(b)
    rate = tf1.train.polynomial_decay(0.1, step, 8, 0.01, power=2.0, cycle=True)
    opt = tf1.train.FtrlOptimizer(rate, l2_shrinkage_regularization_strength=0.01)
    rates = {"fc1": 0.1, "fc2": 0.5, "out": 1.0}
    out = []
    for g, v in opt.compute_gradients(b.loss * 128.0, weights(b)):
        layer = next(word for word in rates if f"/{word}/" in v.op.name)
        with tf1.name_scope(f"lr_mult_{layer}"):
            out.append((g * (rates[layer] / 128.0), v))
    return {"train": opt.apply_gradients(out, step)}


@case("private_gradients_clipped_by_example", forward=mlp_on)
def private(b: Any) -> Ops:
    """As differentially private SGD without its noise: tf.map_fn over the examples."""
    vs = weights(b)

    def one(example: Any) -> Any:
        x, y = example
        gs = tf.gradients(b.extra["on"](x[None], y[None]), vs)
        clipped, _ = tf.clip_by_global_norm(gs, 0.5)
        return list(clipped)

    all_of = tf1.map_fn(one, tuple(b.inputs.values()), dtype=[tf.float32] * len(vs),
                        parallel_iterations=1)  # fmt: skip
    pairs = [(tf.reduce_mean(g, 0), v) for g, v in zip(all_of, vs, strict=True)]
    return {"train": tf1.train.AdagradOptimizer(0.1).apply_gradients(pairs, step_of(b))}


@case("summaries_and_updates_before_the_gradients", forward=models.conv_bn,
      data=models.data_conv_bn)  # fmt: skip
def slim_with_summaries(b: Any) -> Ops:
    """As slim.learning.create_train_op with summarize_gradients, and a train op of summaries."""
    opt = tf1.train.RMSPropOptimizer(0.01, 0.9, momentum=0.9, epsilon=1.0)
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        barrier = tf.no_op(name="update_barrier")
    with tf.control_dependencies([barrier]):
        total = tf.identity(b.loss)
    pairs = [(tf.clip_by_norm(g, 2.0), v) for g, v in opt.compute_gradients(total, weights(b))]
    for g, v in pairs:
        tf1.summary.histogram(v.op.name + "/gradient", g)
        tf1.summary.scalar(v.op.name + "/gradient_norm", tf.linalg.global_norm([g]))
    apply = opt.apply_gradients(pairs, step_of(b))
    with tf.control_dependencies([apply, tf1.summary.merge_all()]):
        return {"train": tf.identity(tf.debugging.check_numerics(total, "inf or nan"))}


# ------------------------------------------------------------------ optimizers as classes
class Lars(tf1.train.MomentumOptimizer):  # type: ignore[misc]
    """As contrib's LARSOptimizer: trust ratio per layer in the rate of ApplyMomentum."""

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._move(grad, var, super()._apply_dense)

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._move(grad, var, super()._resource_apply_dense)

    def _move(self, grad: Any, var: Any, apply: Any) -> Any:
        if len(var.shape) < 2:
            return apply(grad, var)
        w, g = tf.norm(var), tf.norm(grad)
        trust = tf.where(w > 0, tf.where(g > 0, 0.1 * w / (g + 1e-3 * w), 1.0), 1.0)
        return apply((grad + 1e-3 * var) * trust, var)


def lars(b: Any) -> Ops:
    return {"train": Lars(0.3, 0.9, use_nesterov=True).minimize(b.loss, step_of(b), weights(b))}


case("lars_class_of_contrib_ref")(lars)
case("lars_class_of_contrib_res", kind="res")(lars)


class DecayedNadam(tf1.train.AdamOptimizer):  # type: ignore[misc]
    """As contrib's NadamOptimizer with DecoupledWeightDecayExtension over the kernels.

    waits: whether the decay comes after the gradient; contrib's own came when it liked.
    """

    waits = True

    def apply_gradients(self, pairs: Any, global_step: Any = None, name: Any = None) -> Any:
        self._kernels = [v for _, v in pairs if len(v.shape) > 1]
        return super().apply_gradients(pairs, global_step, name)

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._nadam(grad, var, RAW.ApplyAdam, var)

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._nadam(grad, var.handle, RAW.ResourceApplyAdam, var)

    def _nadam(self, grad: Any, target: Any, apply: Any, var: Any) -> Any:
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        is_ref = apply is RAW.ApplyAdam
        p1, p2 = self._get_beta_accumulators()
        with tf.control_dependencies([grad] if self.waits else []):
            decay = [tf1.assign_sub(var, 0.01 * var)] if var in self._kernels else []
        with tf.control_dependencies([op_of(d) for d in decay]):
            return apply(
                var=target._ref() if is_ref else target,
                m=m._ref() if is_ref else m.handle, v=v._ref() if is_ref else v.handle,
                beta1_power=tf.identity(p1), beta2_power=tf.identity(p2), lr=self._lr_t,
                beta1=self._beta1_t, beta2=self._beta2_t, epsilon=self._epsilon_t, grad=grad,
                use_nesterov=True,
            )  # fmt: skip


@case("nadamw_over_kernels_only", kind="res")
def nadamw(b: Any) -> Ops:
    return {"train": DecayedNadam(0.02).minimize(b.loss, step_of(b), weights(b))}


class RacingNadam(DecayedNadam):
    waits = False


@case("nadamw_that_decays_when_it_likes", kind="res", expected="decline", same="skip")
def racing(b: Any) -> Ops:
    return {"train": RacingNadam(0.02).minimize(b.loss, step_of(b), weights(b))}


class LazyAdam(tf1.train.AdamOptimizer):  # type: ignore[misc]
    """As contrib's LazyAdamOptimizer: moments of looked-up rows alone are moved."""

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        p1, p2 = self._get_beta_accumulators()
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        rate = self._lr_t * tf.sqrt(1.0 - p2) / (1.0 - p1)
        at = grad.indices
        m_rows = 0.9 * tf.gather(m, at) + 0.1 * grad.values
        v_rows = 0.999 * tf.gather(v, at) + 0.001 * tf.square(grad.values)
        move = rate * m_rows / (tf.sqrt(v_rows) + self._epsilon_t)
        done = [tf1.scatter_update(m, at, m_rows), tf1.scatter_update(v, at, v_rows),
                tf1.scatter_sub(var, at, move)]  # fmt: skip
        return tf.group(*[op_of(d) for d in done])

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        return self._apply_sparse(tf.IndexedSlices(grad, indices), var)


def lazy(b: Any) -> Ops:
    return {"train": LazyAdam(0.05).minimize(b.loss, step_of(b), weights(b))}


case("lazy_adam_over_embeddings_ref", forward=models.embed, data=models.data_embed)(lazy)
case("lazy_adam_over_embeddings_res", forward=models.embed, data=models.data_embed, kind="res")(
    lazy
)


class Multistep(tf1.train.AdamOptimizer):  # type: ignore[misc]
    """As tensor2tensor's MultistepAdamOptimizer: adds gradients up, moves every second step."""

    def _create_slots(self, var_list: Any) -> None:
        super()._create_slots(var_list)
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(initial_value=1, name="iter", colocate_with=first)
        for v in var_list:
            self._zeros_slot(v, "grad_acc", self._name)

    def _turn(self) -> Any:
        return self._get_non_slot_variable("iter", tf1.get_default_graph())

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._when_due(super()._apply_dense, grad, var)

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._when_due(super()._resource_apply_dense, grad, var)

    def _when_due(self, apply: Any, grad: Any, var: Any) -> Any:
        total = self.get_slot(var, "grad_acc")

        def move() -> Any:
            with tf.control_dependencies([apply((total + grad) / 2.0, var)]):
                return tf.group(tf1.assign(total, tf.zeros_like(total)))

        return tf1.cond(tf.equal(self._turn(), 0), move,
                        lambda: tf.group(tf1.assign_add(total, grad)))  # fmt: skip

    def _finish(self, update_ops: Any, name_scope: Any) -> Any:
        turn = self._turn()
        p1, p2 = self._get_beta_accumulators()
        with tf.control_dependencies(update_ops):

            def powers() -> Any:
                return tf.group(tf1.assign(p1, p1 * self._beta1_t),
                                tf1.assign(p2, p2 * self._beta2_t))  # fmt: skip

            maybe = tf1.cond(tf.equal(turn, 0), powers, tf.no_op)
            with tf.control_dependencies([maybe]):
                again = op_of(tf1.assign(turn, tf1.mod(turn + 1, 2)))
        return tf.group(*update_ops, again, maybe, name=name_scope)


def multistep(b: Any) -> Ops:
    step = step_of(b)
    t = tf.cast(step, tf.float32) + 1.0
    rate = 0.1 * tf.minimum(tf1.rsqrt(t), t * 4.0**-1.5)
    return {"train": Multistep(rate, beta2=0.98).minimize(b.loss, step, weights(b))}


case("multistep_adam_of_tensor2tensor_ref")(multistep)
case("multistep_adam_of_tensor2tensor_res", kind="res")(multistep)


# ------------------------------------------------------------------ averages
@case("average_of_averages")
def twice_averaged(b: Any) -> Ops:
    step, vs = step_of(b), weights(b)
    apply = tf1.train.AdamOptimizer(0.03).minimize(b.loss, step, vs)
    first = tf1.train.ExponentialMovingAverage(0.8)
    second = tf1.train.ExponentialMovingAverage(0.6, step, name="Second")
    with tf.control_dependencies([apply]):
        once = first.apply(vs)
    with tf.control_dependencies([once]):
        return {"train": second.apply([first.average(v) for v in vs])}


@case("saver_that_swaps_averages_in", kind="res")
def swapping(b: Any) -> Ops:
    """As contrib's MovingAverageOptimizer: averages are saved under the names of the weights."""
    step, vs = step_of(b), weights(b)
    apply = tf1.train.MomentumOptimizer(0.05, 0.9).minimize(b.loss, step, vs)
    ema = tf1.train.ExponentialMovingAverage(0.7)
    with tf.control_dependencies([apply]):
        train = ema.apply(vs)
    keys = {v.op.name: v for v in tf1.global_variables()}
    for v in vs:
        keys[v.op.name], keys[ema.average_name(v)] = ema.average(v), v
    b.extra["saver"] = tf1.train.Saver(keys)
    return {"train": train}


@case(
    "cifar10_tutorial_averaged_losses",
    forward=lambda b: models.mlp(b, l2=0.01, loss_style="with_reg"),
)
def cifar10(b: Any) -> Ops:
    step = step_of(b)
    averages = tf1.train.ExponentialMovingAverage(0.9, name="avg")
    followed = averages.apply([b.loss, b.loss.op.inputs[0]])
    tf1.summary.scalar("loss (raw)", b.loss)
    tf1.summary.scalar("loss", averages.average(b.loss))
    rate = tf1.train.exponential_decay(0.1, step, 3, 0.5, staircase=True)
    with tf.control_dependencies([followed]):
        opt = tf1.train.GradientDescentOptimizer(rate)
        pairs = opt.compute_gradients(b.loss, weights(b))
    apply = opt.apply_gradients(pairs, step)
    with tf.control_dependencies([apply]):
        return {"train": tf1.train.ExponentialMovingAverage(0.99, step).apply(weights(b))}


# ------------------------------------------------------------------ several optimizers and phases
def one_after_the_other(b: Any) -> Ops:
    """The second optimizer's gradients are taken when the first has moved its part."""
    wide = [v for k, v in b.flat(b.trainable_keys) if k.startswith("wide")]
    deep = [v for k, v in b.flat(b.trainable_keys) if k.startswith("deep")]
    with tf.control_dependencies([tf1.train.AdagradOptimizer(0.1).minimize(b.loss, var_list=wide)]):
        opt = tf1.train.AdamOptimizer(0.02)
        gs = [g + 0.01 * tf1.assign_sub(v, tf.zeros_like(v)) if i == 0 else g
              for i, (g, v) in enumerate(opt.compute_gradients(b.loss, deep))]  # fmt: skip
        last = opt.apply_gradients(list(zip(gs, deep, strict=True)))
    with tf.control_dependencies([last]):
        return {"train": op_of(tf1.assign_add(step_of(b), 1))}


case("second_optimizer_after_the_first", forward=models.wide_deep, data=models.data_wide_deep,
     kind="res")(one_after_the_other)  # fmt: skip


def reptile(b: Any) -> Ops:
    vs = weights(b)
    slow = [like(v, "slow") for v in vs]
    b.extra["init"] = [tf1.assign(s, v) for s, v in zip(slow, vs, strict=True)]
    inner = tf1.train.AdamOptimizer(0.02, beta1=0.0).minimize(b.loss, step_of(b), vs)
    outer = []
    for s, v in zip(slow, vs, strict=True):
        with tf.control_dependencies([tf1.assign_add(s, 0.5 * (v - s))]):
            outer.append(tf1.assign(v, s))
    return {"inner": inner, "outer": tf.group(*outer, name="meta_step")}


case("reptile_inner_and_outer", steps=lambda i: ["inner", "inner", "outer"], aux=("outer",))(
    reptile
)
case("reptile_inner_and_outer_res", kind="res", steps=lambda i: ["inner", "inner", "outer"],
     aux=("outer",))(reptile)  # fmt: skip


@case("accumulated_in_a_loop_over_buffers", forward=mlp_on)
def accumulated(b: Any) -> Ops:
    """The loop adds to variables; the optimizer takes them when it has ended."""
    vs = weights(b)
    sums = [like(v, "sum") for v in vs]
    x, y = b.inputs.values()
    with tf.control_dependencies([op_of(tf1.assign(s, tf.zeros_like(s))) for s in sums]):
        first = tf.constant(0)

    def body(i: Any) -> Any:
        gs = tf.gradients(b.extra["on"](x[2 * i : 2 * i + 2], y[2 * i : 2 * i + 2]), vs)
        with tf.control_dependencies([tf1.assign_add(s, g) for s, g in zip(sums, gs, strict=True)]):
            return i + 1

    loop = tf1.while_loop(lambda i: i < 4, body, [first], parallel_iterations=1)
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    with tf.control_dependencies([loop]):
        pairs = [(tf.identity(s) / 4.0, v) for s, v in zip(sums, vs, strict=True)]
    return {"train": opt.apply_gradients(pairs, step_of(b))}


@case("gradients_of_a_tape_in_a_function", kind="res", forward=mlp_again)
def by_tape(b: Any) -> Ops:
    vs = weights(b)

    @tf.function
    def gradients() -> Any:
        with tf.GradientTape() as tape:
            loss = b.extra["again"]()
        return tape.gradient(loss, vs)

    opt = tf1.train.AdamOptimizer(0.03)
    return {"train": opt.apply_gradients(list(zip(gradients(), vs, strict=True)), step_of(b))}


@case("multiplier_of_a_constraint_ascends")
def lagrange(b: Any) -> Ops:
    """The multiplier is trained, against the weights; no model holds it."""
    vs, multiplier = weights(b), state("multiplier", 0.5)
    excess = tf.add_n([tf.reduce_sum(tf.square(v)) for v in vs]) - 10.0
    total = b.loss + 0.01 * tf.nn.softplus(multiplier) * excess
    opt = tf1.train.AdamOptimizer(0.03)
    pairs = opt.compute_gradients(total, [*vs, multiplier])
    pairs = [(-g if v is multiplier else g, v) for g, v in pairs]
    return {"train": opt.apply_gradients(pairs, step_of(b))}
