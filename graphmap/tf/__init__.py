"""What needs TensorFlow: names resolved in a live graph, values restored, training gone on with.

`import graphmap.tf as gmtf` is cheap; TensorFlow is imported by the first call that needs it.
"""

from __future__ import annotations

from graphmap.tf.assigning import RestoreReport
from graphmap.tf.autofix import autofix
from graphmap.tf.keras.report import KerasReport
from graphmap.tf.keras.restoring import keras_optimizer
from graphmap.tf.keras.weights import load_weights
from graphmap.tf.listing import write_listing
from graphmap.tf.lookup import get_operation, get_tensor
from graphmap.tf.maps import assignment_map, var_list
from graphmap.tf.reconstruct import RebuildReport, Rebuilt, reconstruct_train_op
from graphmap.tf.restore import restore
from graphmap.tf.resume import Resumed, resume

__all__ = [
    "KerasReport",
    "RebuildReport",
    "Rebuilt",
    "RestoreReport",
    "Resumed",
    "assignment_map",
    "autofix",
    "get_operation",
    "get_tensor",
    "keras_optimizer",
    "load_weights",
    "reconstruct_train_op",
    "restore",
    "resume",
    "var_list",
    "write_listing",
]
