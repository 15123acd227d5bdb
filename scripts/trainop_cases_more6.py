"""Further runs of trainop_cases: models that people trained from 2016 to 2020."""

from __future__ import annotations

from typing import Any

import models
import numpy as np
import tensorflow as tf
from trainop_cases import Ops, case, step_of, weights
from trainop_cases_more4 import op_of

tf1 = tf.compat.v1


def adam(b: Any) -> Ops:
    return {"train": tf1.train.AdamOptimizer(0.03).minimize(b.loss, step_of(b), weights(b))}


def clipped_adam(b: Any) -> Ops:
    opt = tf1.train.AdamOptimizer(0.03)
    gs, vs = zip(*opt.compute_gradients(b.loss, weights(b)), strict=True)
    gs, _ = tf.clip_by_global_norm(gs, 0.5)
    return {"train": opt.apply_gradients(list(zip(gs, vs, strict=True)), step_of(b))}


# ------------------------------------------------------------------ half precision
def half_model(b: Any) -> None:
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    with b.scope("forward"):
        h = tf.tanh(b.dense("fc1", tf.cast(x, tf.float16), 6, 8, tf.float16))
        logits = b.dense("out", h, 8, 3, tf.float16)
    with b.scope("loss"):
        b.losses["loss"] = models.xent(tf.cast(logits, tf.float32), y)


def with_masters(b: Any) -> Ops:
    """As OpenSeq2Seq's mixed precision wrapper: float32 copies are trained, halves follow."""
    vs = weights(b)
    masters = [tf1.get_variable(f"{v.op.name}/master", v.shape, tf.float32, trainable=False,
                                initializer=tf1.zeros_initializer()) for v in vs]  # fmt: skip
    b.extra["init"] = [tf1.assign(m, tf.cast(v, tf.float32))
                       for m, v in zip(masters, vs, strict=True)]  # fmt: skip
    gs = [tf.cast(g, tf.float32) / 128.0 for g in tf.gradients(b.loss * 128.0, vs)]
    gs, _ = tf.clip_by_global_norm(gs, 1.0)
    opt = tf1.train.MomentumOptimizer(0.05, 0.9)
    apply = opt.apply_gradients(list(zip(gs, masters, strict=True)), step_of(b))
    with tf.control_dependencies([apply]):
        copies = [tf1.assign(v, tf.saturate_cast(m, tf.float16))
                  for v, m in zip(vs, masters, strict=True)]  # fmt: skip
    return {"train": tf.group(*copies, name="train_and_copy")}


case("float32_masters_of_half_weights", forward=half_model)(with_masters)
case("float32_masters_of_half_weights_res", forward=half_model, kind="res")(with_masters)


# ------------------------------------------------------------------ reinforcement learning
def actor_critic(b: Any) -> None:
    x, action, gain = b.get_inputs([("x", tf.float32, [None, 6]), ("action", tf.int32, [None]),
                                    ("gain", tf.float32, [None])])  # fmt: skip

    def net(who: str) -> tuple[Any, Any]:
        h = tf.nn.relu(b.dense(f"{who}/fc1", x, 6, 8) + 0.2)
        return b.dense(f"{who}/policy", h, 8, 3), b.dense(f"{who}/value", h, 8, 1)

    with b.scope("forward"):
        net("shared")
        logits, value = net("worker")
    with b.scope("loss"):
        advantage = gain - tf.reshape(value, [-1])
        log_p = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=action, logits=logits)
        entropy = -tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits))
        policy = -tf.reduce_sum(log_p * tf.stop_gradient(advantage))
        b.losses["loss"] = policy + 0.5 * tf.reduce_sum(tf.square(advantage)) - 0.01 * entropy


def data_actor(rng: Any, K: int, **_: Any) -> dict[str, Any]:
    return {"x": rng.randn(K, 8, 6).astype(np.float32),
            "action": rng.randint(0, 3, (K, 8)).astype(np.int32),
            "gain": rng.randn(K, 8).astype(np.float32)}  # fmt: skip


def a3c(b: Any) -> Ops:
    """As A3C: gradients of a worker's copy move the shared network; the worker pulls it."""
    own = [v for k, v in b.flat(b.trainable_keys) if k.startswith("worker")]
    shared = [v for k, v in b.flat(b.trainable_keys) if k.startswith("shared")]
    gs, _ = tf.clip_by_global_norm(tf.gradients(b.loss, own), 4.0)
    opt = tf1.train.RMSPropOptimizer(0.02, decay=0.99, epsilon=0.1)
    train = opt.apply_gradients(list(zip(gs, shared, strict=True)), step_of(b))
    pull = tf.group(*[tf1.assign(o, s) for o, s in zip(own, shared, strict=True)], name="pull")
    return {"pull": pull, "train": train}


PULL = {"forward": actor_critic, "data": data_actor, "steps": lambda i: ["pull", "train"],
        "aux": ("pull",)}  # fmt: skip
case("worker_gradients_on_shared_network", **PULL)(a3c)
case("worker_gradients_on_shared_network_res", kind="res", **PULL)(a3c)


# ------------------------------------------------------------------ sequences
def crf(b: Any) -> None:
    x, tags = b.get_inputs([("x", tf.float32, [None, 4, 3]), ("tags", tf.int32, [None, 4])])
    with b.scope("forward"):
        unary = tf.reshape(b.dense("fc1", tf.reshape(x, [-1, 3]), 3, 3), [-1, 4, 3])
        moves = tf.identity(b.var("crf/transitions", [3, 3]))
        pairs = tf.stack([tags[:, :-1], tags[:, 1:]], -1)
        score = tf.reduce_sum(unary * tf.one_hot(tags, 3), [1, 2])
        score += tf.reduce_sum(tf.gather_nd(moves, pairs), 1)
        by_time = tf.transpose(unary, [1, 0, 2])
        alphas = tf1.scan(lambda a, u: tf.reduce_logsumexp(a[:, :, None] + moves[None], 1) + u,
                          by_time[1:], by_time[0], parallel_iterations=1)  # fmt: skip
        norm = tf.reduce_logsumexp(alphas[-1], 1)
    with b.scope("loss"):
        b.losses["loss"] = tf.reduce_mean(norm - score)


def data_crf(rng: Any, K: int, **_: Any) -> dict[str, Any]:
    return {"x": rng.randn(K, 5, 4, 3).astype(np.float32),
            "tags": rng.randint(0, 3, (K, 5, 4)).astype(np.int32)}  # fmt: skip


case("random_field_over_a_scan_v1", forward=crf, data=data_crf)(clipped_adam)
case("random_field_over_a_scan_v2", forward=crf, data=data_crf, kind="res", cfv2=True)(clipped_adam)


def ctc(b: Any) -> None:
    x, tags = b.get_inputs([("x", tf.float32, [None, 6, 3]), ("tags", tf.int32, [None, 2])])
    with b.scope("forward"):
        logits = tf.reshape(b.dense("out", tf.reshape(x, [-1, 3]), 3, 4), [-1, 6, 4])
        lengths = tf.fill([tf.shape(x)[0]], 6)
    with b.scope("loss"):
        at = tf.where(tf.greater_equal(tags, 0))
        labels = tf.SparseTensor(at, tf.gather_nd(tags, at), tf.shape(tags, tf.int64))
        loss = tf1.nn.ctc_loss(labels, logits, lengths, time_major=False)
        b.losses["loss"] = tf.reduce_mean(loss)


def data_ctc(rng: Any, K: int, **_: Any) -> dict[str, Any]:
    return {"x": rng.randn(K, 5, 6, 3).astype(np.float32),
            "tags": rng.randint(0, 3, (K, 5, 2)).astype(np.int32)}  # fmt: skip


case("connectionist_temporal_loss", forward=ctc, data=data_ctc)(adam)


# ------------------------------------------------------------------ columns and wide and deep
def columns(b: Any) -> None:
    """As an Estimator's DNN head: input_layer makes its variables itself."""
    ids, x, y = b.get_inputs([("ids", tf.int64, [None, 3]), ("x", tf.float32, [None, 6]),
                              ("y", tf.int32, [None])])  # fmt: skip
    fc = tf.feature_column
    word = fc.categorical_column_with_identity("ids", 20)
    known = [fc.embedding_column(word, 4, "sqrtn"), fc.numeric_column("x", (6,)),
             fc.indicator_column(word)]  # fmt: skip
    before = set(tf1.trainable_variables())
    with b.scope("forward"), tf1.variable_scope(b.root):
        h = tf1.feature_column.input_layer({"ids": ids, "x": x}, known)
        table = next(v for v in tf1.trainable_variables() if v not in before)
        b.vars["table"] = table
        b.trainable_keys.append("table")
    with b.scope("forward"):
        logits = b.dense("out", tf.nn.relu(b.dense("fc1", h, 30, 8) + 0.3), 8, 3)
    with b.scope("loss"):
        b.losses["loss"] = models.xent(logits, y)


def data_columns(rng: Any, K: int, **_: Any) -> dict[str, Any]:
    made = dict(models.data_wide_deep(rng, K))
    return made | {"ids": made["ids"].astype(np.int64)}


def column_adagrad(b: Any) -> Ops:
    opt = tf1.train.AdagradOptimizer(0.05)
    return {"train": opt.minimize(b.loss, step_of(b), weights(b))}


case("feature_columns_sparse_adagrad_ref", forward=columns, data=data_columns)(column_adagrad)
case("feature_columns_sparse_adagrad_res", forward=columns, data=data_columns, kind="res")(
    column_adagrad
)


@case("wide_and_deep_over_partitions", forward=models.wide_deep, data=models.data_wide_deep,
      partitions={"wide/table": 3, "deep/fc1/kernel": 2})  # fmt: skip
def wide_and_deep(b: Any) -> Ops:
    """As DNNLinearCombinedClassifier: two optimizers over partitioned variables, then the step."""
    wide = [v for k, v in b.flat(b.trainable_keys) if k.startswith("wide")]
    deep = [v for k, v in b.flat(b.trainable_keys) if k.startswith("deep")]
    step = step_of(b)
    ftrl = tf1.train.FtrlOptimizer(0.2, l1_regularization_strength=0.001)
    both = [tf1.train.AdagradOptimizer(0.05).minimize(b.loss, var_list=deep),
            ftrl.minimize(b.loss, var_list=wide)]  # fmt: skip
    with tf.control_dependencies([tf.group(*both)]):
        return {"train": op_of(tf1.assign_add(step, 1))}


# ------------------------------------------------------------------ teachers, samplers, strategies
def distilled(b: Any) -> None:
    """The teacher has the student's shapes, and is not trained."""
    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])

    def net(who: str, trained: bool) -> Any:
        w1 = b.var(f"{who}/w1", [6, 8], trainable=trained)
        w2 = b.var(f"{who}/w2", [8, 3], trainable=trained)
        return tf.matmul(tf.tanh(tf.matmul(x, w1)), w2)

    with b.scope("forward"):
        teacher, student = net("teacher", False), net("pupil", True)
    with b.scope("loss"):
        soft = tf.nn.softmax(tf.stop_gradient(teacher) / 2.0)
        far = tf.nn.softmax_cross_entropy_with_logits(labels=soft, logits=student / 2.0)
        b.losses["loss"] = models.xent(student, y) + tf.reduce_mean(far)


case("distilled_from_a_frozen_teacher", forward=distilled)(clipped_adam)


def skipgram(b: Any) -> None:
    ids, y = b.get_inputs([("ids", tf.int32, [None, 3]), ("y", tf.int32, [None])])
    with b.scope("forward"):
        h = tf.nn.embedding_lookup(b.var("emb/table", [20, 5]), ids[:, 0])
        w, bias = b.var("cls/kernel", [20, 5]), b.var("cls/bias", [20], "zeros")
    with b.scope("loss"):
        b.losses["loss"] = tf.reduce_mean(
            tf1.nn.nce_loss(w, bias, tf.cast(y[:, None], tf.int64), h, 4, 20)
        )


case("words_by_noise_contrast", forward=skipgram, data=models.data_embed, expected="decline",
     same="skip")(adam)  # fmt: skip


def in_strategy(kind: str) -> Any:
    def forward(b: Any) -> None:
        made = {"one": tf.distribute.OneDeviceStrategy, "mirrored": tf.distribute.MirroredStrategy}
        b.extra["strategy"] = made[kind](["/cpu:0"] if kind == "mirrored" else "/cpu:0")
        with b.extra["strategy"].scope():
            models.mlp(b)

    return forward


def by_strategy(b: Any) -> Ops:
    strategy, step = b.extra["strategy"], step_of(b)
    opt = tf1.train.AdamOptimizer(0.03)
    with strategy.scope():
        train = strategy.run(lambda: opt.minimize(b.loss, step, weights(b)))
    return {"train": train}


case("strategy_of_one_device", kind="res", forward=in_strategy("one"))(by_strategy)


def keras_layers(b: Any) -> None:
    """A Keras model in a graph: its layers make the variables."""
    import tf_keras

    x, y = b.get_inputs([("x", tf.float32, [None, 6]), ("y", tf.int32, [None])])
    words = ("hidden", "head") if b.side == "A" else ("block_1", "block_0")
    with tf1.name_scope(b.root):
        layers = [tf_keras.layers.Dense(8, "tanh", name=words[0]),
                  tf_keras.layers.Dense(3, name=words[1])]  # fmt: skip
        model = tf_keras.Sequential([tf_keras.Input((6,)), *layers])
        logits = model(x)
    for place, layer in enumerate(layers):
        for word, v in zip(("kernel", "bias"), layer.weights, strict=True):
            b.vars[f"{place}/{word}"] = v
            b.trainable_keys.append(f"{place}/{word}")
    with b.scope("loss"):
        b.losses["loss"] = models.xent(logits, y)


def get_updates(**options: Any) -> Any:
    """As the train function of a compiled Keras model before version 2: a list of updates."""

    def train(b: Any) -> Ops:
        from tf_keras.src.optimizers import optimizer_v1

        opt = optimizer_v1.Adam(lr=0.02, clipnorm=0.5, **options)
        return {"train": tf.group(*opt.get_updates(loss=b.loss, params=weights(b)), name="updates")}

    return train


case("keras_optimizer_of_updates", kind="res", forward=keras_layers)(get_updates(amsgrad=True))
# its decay reads the count of iterations, and nothing says whether before or after it is moved
case("keras_optimizer_of_updates_with_decay", kind="res", forward=keras_layers, expected="decline",
     same="skip")(get_updates(decay=0.01))  # fmt: skip
