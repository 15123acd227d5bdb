"""keras_hub's networks in Keras 3: the paths of .weights.h5 beside the paths of the variables.

Keras 3 and tf_keras do not live in one process: each model is made in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from cases.case import Case

PROGRAM = """
import json, sys, tempfile
from pathlib import Path
import h5py, keras, keras_hub, numpy as np
model = eval(sys.argv[1], {"M": keras_hub.models})
model.compile(optimizer=keras.optimizers.Adam())
model.optimizer.build(model.trainable_variables)
made = [v for v in model.variables if "seed" not in v.path]
for at, v in enumerate(made):
    v.assign(np.full(v.shape, at + 1, v.dtype))
found = {}
def note(name, part):
    if hasattr(part, "shape"):
        value = np.unique(np.asarray(part))
        found[name] = (list(part.shape), str(part.dtype), [float(x) for x in value[:2]])
with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder) / "model.weights.h5")
    model.save_weights(path)
    with h5py.File(path) as file:
        file.visititems(note)
print(json.dumps([[(v.path, list(v.shape), str(v.dtype)) for v in made], found]))
"""
MODELS = {
    "k_k3h5_moonshine": (
        "moonshine",
        "M.MoonshineBackbone(vocabulary_size=97, filter_dim=24, encoder_num_layers=4, "
        "decoder_num_layers=3, hidden_dim=24, intermediate_dim=40, encoder_num_heads=4, "
        "decoder_num_heads=4)",
    ),
    "k_k3h5_hgnetv2": (
        "hgnet-v2",
        "M.HGNetV2Backbone(depths=[1, 1, 2, 1], embedding_size=8, hidden_sizes=[16, 32, 48, 64], "
        "stem_channels=[3, 8, 8], hidden_act='relu', use_learnable_affine_block=False, "
        "stackwise_stage_filters=[[8, 8, 16, 1, 3, 3], [16, 8, 32, 1, 3, 3], "
        "[32, 16, 48, 2, 3, 5], [48, 24, 64, 1, 3, 5]], "
        "apply_downsample=[False, True, True, True], "
        "use_lightweight_conv_block=[False, False, True, True], image_shape=(64, 64, 3))",
    ),
}


def weights_file(case_id: str, model: tuple[str, str]) -> Case:
    """Number the weights of a (family, expression), write the file, find the numbers in it."""
    family, expression = model
    settings = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    settings.pop("TF_USE_LEGACY_KERAS", None)
    command = [sys.executable, "-c", PROGRAM, expression]
    text = subprocess.run(command, env=settings, check=True, stdout=subprocess.PIPE).stdout
    made, found = json.loads(text.decode().splitlines()[-1])
    key_of: dict[int, str] = {}
    for key, (_, _, values) in found.items():
        if len(values) == 1 and values[0] >= 1 and not key.startswith("optimizer"):
            if int(values[0]) in key_of:
                raise ValueError(f"{key} and {key_of[int(values[0])]} are one")
            key_of[int(values[0])] = key
    if len(key_of) != len(made):
        raise ValueError(f"{case_id}: {len(key_of)} of {len(made)} found")
    return Case(
        case_id,
        family,
        "keras3-path",
        "names",
        [(key, tuple(shape), dtype) for key, (shape, dtype, _) in found.items()],
        [(path, tuple(shape), dtype) for path, shape, dtype in made],
        {path: key_of[at + 1] for at, (path, _, _) in enumerate(made)},
        "keras_hub on Keras 3: every weight numbered, written to .weights.h5 and read back; truth "
        "by identity",
        "paths of the file are class_name_index/vars/slot; Adam's vectors are in the file",
    )


def keras3_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    for case_id, model in MODELS.items():
        yield case_id, lambda case_id=case_id, model=model: weights_file(case_id, model)  # type: ignore[misc]
