"""Cases from converters of other programs: DimeNet in PyG, Haiku and Flax readers in transformers.

Each is run on numbered values; truth and layouts are read off the numbers.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes, Row

KEY = "/.ATTRIBUTES/VARIABLE_VALUE"
SLOT = "/.OPTIMIZER_SLOT/trainer/optimizer"


class CodedReader:
    """Stands in for a checkpoint reader; the shape asked for is that of the caller's parameter."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self.values: dict[str, np.ndarray] = {}

    def get_tensor(self, key: str) -> np.ndarray:
        """Return the coded value of a key, in TensorFlow's layout."""
        shape = tuple(sys._getframe(1).f_locals["src"].shape)
        if key.endswith(f"kernel{KEY}"):
            shape = shape[::-1]
        if key not in self.values:
            self.values[key] = self.codes.array(key, shape)
        return self.values[key]


def dimenet(family: str, name: str) -> Case:
    """PyG's reader of the original DimeNet checkpoints: keys of an object graph."""
    import tensorflow as tf
    from torch_geometric.nn.models import dimenet as module

    codes = Codes()
    reader = CodedReader(codes)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(tf.train, "load_checkpoint", lambda _: reader),
    ):
        target = "mu"
        place = {"DimeNet": "pretrained_dimenet", "DimeNetPlusPlus": "pretrained_dimenet_pp"}[name]
        kept = Path(folder) / place / target
        kept.mkdir(parents=True)
        (kept / "checkpoint").touch()
        with mock.patch.object(module, "download_url", lambda *_: None):
            model, _ = getattr(module, name).from_qm9_pretrained(folder, _Nothing(), 0)
    state = model.state_dict()
    trace = codes.trace({k: v.double().numpy() for k, v in state.items()})
    actual: list[Row] = []
    for key, value in reader.values.items():
        actual.append((f"model/{key}", value.shape, "float32"))
        for slot in "mv":
            stem = key.removesuffix(KEY)
            actual.append((f"model/{stem}{SLOT}/{slot}{KEY}", value.shape, "float32"))
    actual += [(f"{one}{KEY}", (), "int64") for one in ("step", "save_counter")]
    return Case(
        "c_dimenet_keys",
        family,
        "object-keys",
        "names",
        actual,
        [(k, tuple(v.shape), "float32") for k, v in state.items()],
        {k: None if one is None else f"model/{one}" for k, one in trace.truth.items()},
        "torch_geometric: its reader of the original TensorFlow checkpoint run on numbered values; "
        "truth and layouts read off them; the slots of a training run added",
        "",
        trace.layout,
    )


class _Nothing:
    def __getitem__(self, _: Any) -> Any:
        return None


def _converter(name: str) -> ModuleType:
    """Import a conversion script of transformers; what only its downloads need is stubbed."""
    for one in ("haiku", "flax", "flax.training", "flax.training.checkpoints"):
        sys.modules.setdefault(one, mock.MagicMock())
    return import_module(f"transformers.models.{name}")


def _attention(at: str, queries: int, keys: int, width: int, out: int, mlp: int) -> dict[str, Any]:
    """Shapes of one attention of DeepMind's perceiver, by its Haiku names."""
    shapes: dict[str, Any] = {}
    plan = ((queries, width), (keys, width), (keys, width), (width, out))
    for i, shape in enumerate(plan):
        linear = f"{at}/attention/linear{f'_{i}' if i else ''}"
        shapes |= {f"{linear}/w": shape, f"{linear}/b": shape[1:]}
    for i, shape in enumerate(((out, mlp), (mlp, out))):
        linear = f"{at}/mlp/linear{'_1' if i else ''}"
        shapes |= {f"{linear}/w": shape, f"{linear}/b": shape[1:]}
    norms = [queries, keys, out] if "cross" in at else [queries, out]
    for i, size in enumerate(norms):
        norm = f"{at}/layer_norm{f'_{i}' if i else ''}"
        shapes |= {f"{norm}/scale": (size,), f"{norm}/offset": (size,)}
    return shapes


def perceiver(case_id: str, family: str) -> Case:
    """Image classification with learned positions: three stacks whose layers look alike."""
    import torch
    import transformers

    module = _converter("perceiver.convert_perceiver_haiku_to_pytorch")
    latents, width, layers = 6, 24, 5
    config = transformers.PerceiverConfig(
        num_latents=latents,
        d_latents=width,
        d_model=512,
        num_blocks=1,
        num_self_attends_per_block=layers,
        num_self_attention_heads=4,
        num_cross_attention_heads=1,
        image_size=8,
        num_labels=7,
    )
    model = transformers.PerceiverForImageClassificationLearned(config)
    encoder, decoder = "perceiver_encoder/~", "classification_decoder/~/basic_decoder"
    inputs = "image_preprocessor/~_build_network_inputs"
    shapes: dict[str, Any] = {
        f"{encoder}/trainable_position_encoding/pos_embs": (latents, width),
        **_attention(f"{encoder}/cross_attention", width, 512, 512, width, width),
    }
    for i in range(layers):
        at = f"{encoder}/self_attention{f'_{i}' if i else ''}"
        shapes |= _attention(at, width, width, width, width, width)
    shapes |= {
        "image_preprocessor/~/conv2_d/w": (1, 1, 3, 256),
        "image_preprocessor/~/conv2_d/b": (256,),
        f"{inputs}/trainable_position_encoding/pos_embs": (64, 256),
        f"{inputs}/position_encoding_projector/linear/w": (256, 256),
        f"{inputs}/position_encoding_projector/linear/b": (256,),
        f"{decoder}/~/trainable_position_encoding/pos_embs": (1, width),
        f"{decoder}/output/w": (width, 7),
        f"{decoder}/output/b": (7,),
        **_attention(f"{decoder}/cross_attention", width, width, width, width, width),
    }
    codes = Codes()
    values = {name: codes.array(name, shape) for name, shape in shapes.items()}
    state = dict(values)
    module.rename_keys(state, "image_classification")
    model.load_state_dict({k: torch.as_tensor(v) for k, v in state.items()})
    return _traced(case_id, family, "haiku_to_pt", shapes, model, codes, "its reader for Haiku")


def vivit(case_id: str, family: str) -> Case:
    """Scenic's video transformer: heads have an axis of their own."""
    import torch
    import transformers

    module = _converter("vivit.convert_vivit_flax_to_pytorch")
    width, heads, wide, layers = 24, 4, 40, 4
    config = transformers.VivitConfig(
        image_size=16,
        num_frames=4,
        tubelet_size=[2, 8, 8],
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=wide,
        num_labels=7,
    )
    model = transformers.VivitForVideoClassification(config)
    each = width // heads
    shapes: dict[str, Any] = {
        "cls": (1, 1, width),
        "embedding/kernel": (2, 8, 8, 3, width),
        "embedding/bias": (width,),
        "Transformer/posembed_input/pos_embedding": (1, 9, width),
        "Transformer/encoder_norm/scale": (width,),
        "Transformer/encoder_norm/bias": (width,),
        "output_projection/kernel": (width, 7),
        "output_projection/bias": (7,),
    }
    for i in range(layers):
        at = f"Transformer/encoderblock_{i}"
        for k in range(2):
            shapes |= {f"{at}/LayerNorm_{k}/{leaf}": (width,) for leaf in ("scale", "bias")}
        for one in ("query", "key", "value"):
            shapes[f"{at}/MultiHeadDotProductAttention_0/{one}/kernel"] = (width, heads, each)
            shapes[f"{at}/MultiHeadDotProductAttention_0/{one}/bias"] = (heads, each)
        shapes[f"{at}/MultiHeadDotProductAttention_0/out/kernel"] = (heads, each, width)
        shapes[f"{at}/MultiHeadDotProductAttention_0/out/bias"] = (width,)
        for k, shape in enumerate(((width, wide), (wide, width))):
            shapes[f"{at}/MlpBlock_0/Dense_{k}/kernel"] = shape
            shapes[f"{at}/MlpBlock_0/Dense_{k}/bias"] = shape[1:]
    codes = Codes()
    tree: dict[str, Any] = {}
    for name, shape in shapes.items():
        *path, leaf = name.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = codes.array(name, shape)
    state = module.transform_state({"optimizer": {"target": tree}}, classification_head=True)
    model.load_state_dict({k: torch.as_tensor(v) for k, v in state.items()})
    case = _traced(case_id, family, "flax_to_pt", shapes, model, codes, "its reader for Flax")
    target = beside(case, "wrap:optimizer/target")
    slots = [
        (f"optimizer/state/param_states/{name}/momentum", shape, "float32")
        for name, shape in shapes.items()
    ]
    target.actual = [*target.actual, *slots, ("optimizer/state/step", (), "int64")]
    return target


def _traced(
    case_id: str, family: str, kind: str, shapes: Any, model: Any, codes: Codes, what: str
) -> Case:
    import transformers

    state = model.state_dict()
    trace = codes.trace({k: v.double().numpy() for k, v in state.items()})
    return Case(
        case_id,
        family,
        kind,
        "names",
        [(name, tuple(shape), "float32") for name, shape in shapes.items()],
        [(k, tuple(v.shape), "float32") for k, v in state.items()],
        trace.truth,
        f"transformers {transformers.__version__}: {what} run on numbered values; truth and "
        "layouts read off them",
        "",
        trace.layout,
        {},
        trace.composite,
    )


def converter_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "c_dimenet_keys", lambda: dimenet("dimenet", "DimeNet")
    yield "c_perceiver_haiku", lambda: perceiver("c_perceiver_haiku", "perceiver")
    yield "c_vivit_flax", lambda: vivit("c_vivit_flax", "vivit")
