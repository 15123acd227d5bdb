"""Cases from transformers' TensorFlow and PyTorch classes: its own converters on coded values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes


@dataclass(frozen=True)
class Pair:
    """One model of transformers in both frameworks.

    config: sizes that keep it small. to_torch: the TensorFlow names are the actual side.
    beside: what stands beside the weights in the files, see cases.beside.
    torch_class: where the asked model is another class (a new or a dropped head).
    """

    id: str
    family: str
    config_class: str
    model_class: str
    config: dict[str, Any] = field(default_factory=dict)
    to_torch: bool = True
    beside: str = ""
    needs: str = "names"
    torch_class: str = ""
    kind: str = ""
    notes: str = ""


def huggingface_case(pair: Pair) -> Case:
    """Run transformers' converter on a tiny model whose values are codes."""
    import torch
    import transformers
    from transformers.modeling_tf_pytorch_utils import (
        load_pytorch_model_in_tf2_model,
        load_tf2_model_in_pytorch_model,
    )

    config = getattr(transformers, pair.config_class)(**pair.config)
    keras_model = getattr(transformers, f"TF{pair.model_class}")(config)
    keras_model.build_in_name_scope()
    torch_model = getattr(transformers, pair.torch_class or pair.model_class)(config)
    codes = Codes()
    if pair.to_torch:
        actual = [(_name(w), tuple(w.shape), _dtype(w.dtype)) for w in keras_model.weights]
        for weight in keras_model.weights:
            kind = weight.dtype.as_numpy_dtype
            if weight.dtype.is_floating or weight.dtype.size >= 4:
                weight.assign(codes.array(_name(weight), weight.shape, kind))
        torch_model = load_tf2_model_in_pytorch_model(
            torch_model, keras_model, allow_missing_keys=True
        )
        state = torch_model.state_dict()
        expected = [(k, tuple(v.shape), _dtype(v.dtype)) for k, v in state.items()]
        values = {name: tensor.detach().double().numpy() for name, tensor in state.items()}
    else:
        state = torch_model.state_dict()
        actual = [(k, tuple(v.shape), _dtype(v.dtype)) for k, v in state.items()]
        seen: dict[int, str] = {}
        shared: list[str] = []
        with torch.no_grad():
            for name, tensor in state.items():
                twin = seen.setdefault(tensor.data_ptr(), name)
                if twin == name and tensor.element_size() >= 4:
                    value = torch.from_numpy(codes.array(name, tuple(tensor.shape)))
                    tensor.copy_(value.to(tensor.dtype))
                elif twin != name:
                    shared.append(name)  # the same memory: either name would be right
        actual = [row for row in actual if row[0] not in shared]
        keras_model = load_pytorch_model_in_tf2_model(
            keras_model, torch_model, allow_missing_keys=True
        )
        expected = [(_name(w), tuple(w.shape), _dtype(w.dtype)) for w in keras_model.weights]
        values = {_name(w): w.numpy().astype(np.float64) for w in keras_model.weights}
    trace = codes.trace(values)
    # Buffers that the converter forgets: their counterpart is known, only not by this converter.
    buffers = {name for name, _ in torch_model.named_buffers()} if pair.to_torch else set()
    made = {name for name in buffers if trace.truth.get(name, "") is None}
    expected = [row for row in expected if row[0] not in made]
    trace.truth = {name: actual for name, actual in trace.truth.items() if name not in made}
    shown = transformers.__version__
    case = Case(
        pair.id,
        pair.family,
        pair.kind or ("keras_to_pt" if pair.to_torch else "pt_to_keras"),
        pair.needs,
        actual,
        expected,
        trace.truth,
        f"transformers {shown}: {pair.model_class} in both frameworks, its own converter run on a "
        "tiny model whose values are numbered; truth and layouts read off the numbers",
        pair.notes,
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, pair.beside)


def _name(weight: Any) -> str:
    return weight.name.removesuffix(":0")


def _dtype(dtype: Any) -> str:
    return getattr(dtype, "name", str(dtype).removeprefix("torch."))


def huggingface_cases(pairs: tuple[Pair, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each pair."""
    for pair in pairs:
        yield pair.id, lambda pair=pair: huggingface_case(pair)  # type: ignore[misc]
