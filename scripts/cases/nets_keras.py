"""The layers of nets.py as another library writes their ops; variables and values are the same."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cases.nets import Net, tf1


class OtherOps(Net):
    """Flattened matrix products, BiasAdd, fused norms, 1-D convolutions by 2-D ones."""

    def dense(
        self,
        role: str,
        x: Any,
        units: int,
        act: Any = None,
        bias: bool = True,
        leaf: str = "kernel",
    ) -> Any:
        """x[..., n] @ kernel[n, units] + bias, the leading axes flattened."""
        with self.ops_of(role, "dense"):
            kernel = self.var(f"{role}/{leaf}", (x.shape[-1], units), "dense")
            shape = x.shape.as_list()
            flat = tf.reshape(x, (-1, shape[-1])) if len(shape) > 2 else x
            y = tf.matmul(flat, kernel)
            if bias:
                y = tf.nn.bias_add(y, self.var(f"{role}/bias", (units,), "dense"))
            y = tf.reshape(y, (*shape[:-1], units)) if len(shape) > 2 else y
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
        """As nets' conv; rank 3 goes through an axis of height 1."""
        rank = len(x.shape) - 2
        kind = "conv2d" if rank == 2 else "conv1d"
        with self.ops_of(role, kind):
            kernel = self.var(f"{role}/kernel", (*[size] * rank, x.shape[-1], filters), kind)
            if rank == 1:
                x, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
                y = tf.nn.conv2d(x, kernel, (1, stride), "SAME", dilations=(1, dilation))
                y = tf.squeeze(y, 1)
            else:
                y = tf.nn.conv2d(x, kernel, stride, "SAME", dilations=dilation)
            if bias:
                y = y + self.var(f"{role}/bias", (filters,), kind)
            return act(y) if act else y

    def layer_norm(self, role: str, x: Any) -> Any:
        """Normalize the last axis, written out."""
        kind = "layer_normalization"
        with self.ops_of(role, kind):
            gamma, beta = (
                self.var(f"{role}/{leaf}", (x.shape[-1],), kind) for leaf in ("gamma", "beta")
            )
            centred = x - tf.reduce_mean(x, -1, keepdims=True)
            spread = tf.reduce_mean(centred * centred, -1, keepdims=True)
            return centred * tf.math.rsqrt(spread + 1e-6) * gamma + beta

    def batch_norm(self, role: str, x: Any, train: bool) -> Any:
        """Batch norm of inference: fused for images, written out for the rest."""
        if train:
            return super().batch_norm(role, x, train)
        kind, n = "batch_normalization", (x.shape[-1],)
        with self.ops_of(role, kind):
            gamma, beta = (self.var(f"{role}/{leaf}", n, kind) for leaf in ("gamma", "beta"))
            mean = self.var(f"{role}/moving_mean", n, kind, False)
            variance = tf.abs(self.var(f"{role}/moving_variance", n, kind, False))
            if len(x.shape) == 4:
                return tf1.nn.fused_batch_norm(
                    x, gamma, beta, mean, variance, 1e-3, is_training=False
                )[0]
            return (x - mean) / tf.sqrt(variance + 1e-3) * gamma + beta

    def embed(self, role: str, ids: Any, rows: int, width: int) -> Any:
        """Rows of a table, by a product with one-hot vectors."""
        with self.ops_of(role, "embedding"):
            table = self.var(f"{role}/table", (rows, width), "embedding")
            flat = tf.one_hot(tf.reshape(ids, (-1,)), rows)
            return tf.reshape(tf.matmul(flat, table), (*ids.shape.as_list(), width))
