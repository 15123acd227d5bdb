"""TF1 layers whose variables have a role and take their name from a naming."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
Naming = Callable[[str, str], str]  # role, kind of the layer -> name


def by_rules(*rules: tuple[str, Any]) -> Naming:
    """Return a naming by regular expressions: the first that fits the whole role rewrites it."""

    def name_of(role: str, kind: str) -> str:
        for pattern, replacement in rules:
            if re.fullmatch(pattern, role):
                return re.sub(f"^(?:{pattern})$", replacement, role)
        return role

    return name_of


def by_default(scope: str = "", base: str = "") -> Naming:
    """Return Keras' default naming: kind, kind_1, ... in order of creation."""
    seen: dict[str, str] = {}
    counts: dict[str, int] = {}

    def name_of(role: str, kind: str) -> str:
        module, _, leaf = role.rpartition("/")
        if module not in seen:
            number = counts.get(kind, 0)
            counts[kind] = number + 1
            seen[module] = f"{base or kind}_{number}" if number else base or kind
        return f"{scope}{seen[module]}/{leaf}"

    return name_of


class Net:
    """Builds layers in the current graph; `roles` remembers {role: variable}."""

    def __init__(self, name_of: Naming) -> None:
        self.name_of = name_of
        self.roles: dict[str, Any] = {}
        self.kinds: dict[str, tuple[tuple[int, ...], str, bool]] = {}
        self.updates: list[Any] = []

    def var(self, role: str, shape: Sequence[int], kind: str = "var", train: bool = True) -> Any:
        """Return the variable of a role, made on first use."""
        if role not in self.roles:
            self.kinds[role] = (tuple(shape), kind, train)
            with tf1.variable_scope(tf1.get_variable_scope(), reuse=False):
                self.roles[role] = tf1.get_variable(
                    self.name_of(role, kind), list(shape), trainable=train, use_resource=True
                )
        return self.roles[role]

    @contextmanager
    def ops_of(self, role: str, kind: str) -> Any:
        """Put ops under the scope of a role's variables."""
        scope = self.name_of(f"{role}/kernel", kind).rpartition("/")[0]
        with tf1.name_scope(f"{scope}/" if scope else None):
            yield

    def dense(
        self,
        role: str,
        x: Any,
        units: int,
        act: Any = None,
        bias: bool = True,
        leaf: str = "kernel",
    ) -> Any:
        """x[..., n] @ kernel[n, units] + bias."""
        with self.ops_of(role, "dense"):
            y = tf.tensordot(x, self.var(f"{role}/{leaf}", (x.shape[-1], units), "dense"), 1)
            if len(x.shape) == 2:
                y = tf.matmul(x, self.var(f"{role}/{leaf}", (x.shape[-1], units), "dense"))
            if bias:
                y = y + self.var(f"{role}/bias", (units,), "dense")
            return act(y) if act else y

    def conv(
        self,
        role: str,
        x: Any,
        filters: int,
        size: int = 3,
        stride: int = 1,
        act: Any = None,
        bias: bool = True,
        dilation: int = 1,
    ) -> Any:
        """2-D (or 1-D for rank 3) convolution, padding SAME."""
        rank = len(x.shape) - 2
        with self.ops_of(role, "conv2d" if rank == 2 else "conv1d"):
            shape = (*[size] * rank, x.shape[-1], filters)
            kernel = self.var(f"{role}/kernel", shape, "conv2d" if rank == 2 else "conv1d")
            y = tf.nn.convolution(x, kernel, stride, "SAME", dilations=dilation)
            if bias:
                name = "conv2d" if rank == 2 else "conv1d"
                y = tf.nn.bias_add(y, self.var(f"{role}/bias", (filters,), name))
            return act(y) if act else y

    def deconv(
        self, role: str, x: Any, filters: int, size: int = 3, stride: int = 2, act: Any = None
    ) -> Any:
        """Transposed 2-D convolution, padding SAME."""
        with self.ops_of(role, "conv2d_transpose"):
            shape = (size, size, filters, x.shape[-1])
            kernel = self.var(f"{role}/kernel", shape, "conv2d_transpose")
            out = (x.shape[0], x.shape[1] * stride, x.shape[2] * stride, filters)
            y = tf.nn.conv2d_transpose(x, kernel, out, stride)
            y = tf.nn.bias_add(y, self.var(f"{role}/bias", (filters,), "conv2d_transpose"))
            return act(y) if act else y

    def layer_norm(self, role: str, x: Any) -> Any:
        """Normalize the last axis."""
        with self.ops_of(role, "layer_normalization"):
            mean, variance = tf.nn.moments(x, [-1], keepdims=True)
            gamma = self.var(f"{role}/gamma", (x.shape[-1],), "layer_normalization")
            beta = self.var(f"{role}/beta", (x.shape[-1],), "layer_normalization")
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-6)

    def batch_norm(self, role: str, x: Any, train: bool) -> Any:
        """Batch norm over all axes but the last; a training graph updates the moving values."""
        kind, n = "batch_normalization", (x.shape[-1],)
        with self.ops_of(role, kind):
            gamma, beta = (self.var(f"{role}/{leaf}", n, kind) for leaf in ("gamma", "beta"))
            mean = self.var(f"{role}/moving_mean", n, kind, False)
            variance = self.var(f"{role}/moving_variance", n, kind, False)
            if not train:
                return tf.nn.batch_normalization(x, mean, tf.abs(variance), beta, gamma, 1e-3)
            now = tf.nn.moments(x, list(range(len(x.shape) - 1)))
            for moving, batch in zip((mean, variance), now, strict=True):
                self.updates.append(tf1.assign_sub(moving, (moving - batch) * 0.01))
            return tf.nn.batch_normalization(x, *now, beta, gamma, 1e-3)

    def embed(self, role: str, ids: Any, rows: int, width: int) -> Any:
        """Rows of a table."""
        with self.ops_of(role, "embedding"):
            return tf.gather(self.var(f"{role}/table", (rows, width), "embedding"), ids)

    def gru(self, role: str, inputs: Sequence[Any], units: int) -> list[Any]:
        """Unrolled GRU; gates in one kernel, candidate in another (as TF1's GRUCell)."""
        state = tf.zeros((inputs[0].shape[0], units))
        outputs = []
        for x in inputs:
            both = self.dense(f"{role}/gates", tf.concat([x, state], -1), 2 * units, tf.sigmoid)
            reset, update = tf.split(both, 2, -1)
            candidate = self.dense(
                f"{role}/candidate", tf.concat([x, reset * state], -1), units, tf.tanh
            )
            state = update * state + (1 - update) * candidate
            outputs.append(state)
        return outputs

    def lstm(self, role: str, inputs: Sequence[Any], units: int) -> list[Any]:
        """Unrolled LSTM with one fused kernel (as TF1's BasicLSTMCell)."""
        h = c = tf.zeros((inputs[0].shape[0], units))
        outputs = []
        for x in inputs:
            i, j, f, o = tf.split(self.dense(role, tf.concat([x, h], -1), 4 * units), 4, -1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
            h = tf.sigmoid(o) * tf.tanh(c)
            outputs.append(h)
        return outputs


def build(
    wiring: Callable[[Net, bool], Any],
    naming: Naming,
    *,
    train: bool,
    shuffle: int | None = None,
    optimizer: str = "",
    ema: bool = False,
    make_net: Callable[[Naming], Net] = Net,
) -> tuple[Any, Net, Any]:
    """Build a wiring in a graph of its own -> (graph, net, output).

    shuffle: a seed; layers are made in another order than they are used.
    optimizer: "Adam", "Momentum", ...; its slots stand beside the weights.
    make_net: Net, or a class whose layers are written in other ops.
    """
    graph = tf.Graph()
    with graph.as_default():
        net = make_net(naming)
        if shuffle is not None:
            with tf.Graph().as_default():
                dry = Net(lambda role, kind: role)
                wiring(dry, train)
            modules = sorted({role.rpartition("/")[0] for role in dry.kinds})
            np.random.RandomState(shuffle).shuffle(modules)
            for module in modules:
                for role, (shape, kind, trains) in dry.kinds.items():
                    if role.rpartition("/")[0] == module:
                        net.var(role, shape, kind, trains)
        output = wiring(net, train)
        if optimizer:
            parts = output if isinstance(output, (list, tuple)) else [output]
            loss = tf.add_n([tf.reduce_mean(tf.square(part)) for part in parts])
            step = tf1.train.get_or_create_global_step()
            maker = {
                "Adam": lambda: tf1.train.AdamOptimizer(1e-3),
                "Momentum": lambda: tf1.train.MomentumOptimizer(0.1, 0.9),
                "RMSProp": lambda: tf1.train.RMSPropOptimizer(1e-3),
                "Adagrad": lambda: tf1.train.AdagradOptimizer(0.1),
            }[optimizer]
            train_op = maker().minimize(loss, step)
            with tf.control_dependencies([train_op, *net.updates]):
                if ema:
                    tf1.train.ExponentialMovingAverage(0.99, step).apply(tf1.trainable_variables())
    return graph, net, output


def variables_of(graph: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """Return (name, shape, dtype) of a graph's variables in order of creation."""
    with graph.as_default():
        found = tf1.global_variables()
    return [(v.op.name, tuple(v.shape.as_list()), v.dtype.base_dtype.name) for v in found]


def equal_outputs(
    actual: tuple[Any, Net, Any], expected: tuple[Any, Net, Any], roles: Sequence[str]
) -> bool:
    """Whether both graphs compute the same from equal inputs when roles have equal values."""
    results = []
    for graph, net, output in (actual, expected):
        random = np.random.RandomState(0)
        values = {r: random.standard_normal(net.roles[r].shape) for r in sorted(roles)}
        with tf1.Session(graph=graph) as session, graph.as_default():
            session.run(tf1.global_variables_initializer())
            starts = {net.roles[r].initializer.inputs[1]: v * 0.3 for r, v in values.items()}
            session.run([net.roles[role].initializer for role in values], starts)
            feeds = {}
            for node in graph.get_operations():
                if node.type == "Placeholder":
                    tensor = node.outputs[0]
                    shape = tensor.shape.as_list()
                    integer = tensor.dtype.is_integer
                    seeded = np.random.RandomState(sum(map(ord, node.name)))
                    feeds[tensor] = (
                        seeded.randint(0, 5, shape) if integer else seeded.standard_normal(shape)
                    )
            results.append(session.run(output, feeds))
    pair = [r if isinstance(r, (list, tuple)) else [r] for r in results]
    return all(np.allclose(a, b, atol=1e-4) for a, b in zip(*pair, strict=True))
