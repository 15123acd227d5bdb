"""Layers in the style of TensorFlow 1, for the models of the gallery."""

from __future__ import annotations

import tensorflow as tf

v1 = tf.compat.v1


def dense(x, units, name, activation=None):
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", [x.shape[-1], units])
        bias = v1.get_variable("bias", [units], initializer=v1.zeros_initializer())
        y = tf.nn.bias_add(tf.matmul(x, kernel), bias)
        return activation(y) if activation else y


def conv(x, filters, size, name, stride=1, activation=tf.nn.relu):
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", [size, size, x.shape[-1], filters])
        bias = v1.get_variable("bias", [filters], initializer=v1.zeros_initializer())
        y = tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, "SAME"), bias)
        return activation(y) if activation else y


def batch_norm(x, is_training, name):
    with v1.variable_scope(name):
        size = [x.shape[-1]]
        gamma = v1.get_variable("gamma", size, initializer=v1.ones_initializer())
        beta = v1.get_variable("beta", size, initializer=v1.zeros_initializer())
        mean = v1.get_variable("moving_mean", size, trainable=False)
        variance = v1.get_variable("moving_variance", size, trainable=False)
        axes = list(range(len(x.shape) - 1))
        now_mean, now_variance = tf.nn.moments(x, axes)
        for old, new in ((mean, now_mean), (variance, now_variance)):
            update = v1.assign_sub(old, 0.01 * (old - new))
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
        mean = tf.where(is_training, now_mean, mean)
        variance = tf.where(is_training, now_variance, variance)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)


def cross_entropy(logits, labels, name="loss"):
    with v1.name_scope(name):
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )


def train(loss, optimizer, var_list=None, name="train"):
    step = v1.train.get_or_create_global_step()
    updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    with v1.control_dependencies(updates), v1.name_scope(name):
        return optimizer.minimize(loss, global_step=step, var_list=var_list)


def layer_norm(x, name):
    with v1.variable_scope(name):
        gamma = v1.get_variable("gamma", [x.shape[-1]], initializer=v1.ones_initializer())
        beta = v1.get_variable("beta", [x.shape[-1]], initializer=v1.zeros_initializer())
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)
