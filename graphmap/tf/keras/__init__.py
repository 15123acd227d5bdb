"""Weights and optimizer state of files into live Keras models, Keras 3 and tf_keras alike.

Keras is reached through the model that the caller passes: nothing here imports it first.
"""
