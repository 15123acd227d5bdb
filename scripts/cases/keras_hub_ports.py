"""Cases from keras_hub's converters of Hugging Face and timm models, run on coded values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np

from cases.beside import beside
from cases.case import Case, Codes


@dataclass(frozen=True)
class Port:
    """A converter module of keras_hub with the torch model whose names it knows.

    converter: module name under keras_hub.src.utils. config_class, model_class: of transformers;
    timm: name of a timm model instead. sizes: what keeps the model small.
    """

    id: str
    family: str
    converter: str
    config_class: str = ""
    model_class: str = ""
    sizes: dict[str, Any] = field(default_factory=dict)
    timm: str = ""
    beside: str = ""
    needs: str = "names"
    kind: str = "pt_to_keras"
    notes: str = ""


class Coded(np.ndarray):
    """An array that keeps its numbers whatever type a converter wants for it."""

    def astype(self, *_: Any, **__: Any) -> Coded:
        return self


class CodedLoader:
    """Stands in for keras_hub's loader of safetensors: gives coded values by name."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], codes: Codes) -> None:
        self.values = {name: codes.array(name, shape).view(Coded) for name, shape in shapes.items()}

    def get_tensor(self, name: str) -> Coded:
        return self.values[name]

    def get_prefixed_key(self, name: str, _: Any) -> str:
        return name

    def port_weight(self, keras_variable: Any, hf_weight_key: str, hook_fn: Any = None) -> None:
        value = self.values[hf_weight_key]
        if hook_fn:
            value = hook_fn(value, list(keras_variable.shape))
        keras_variable.assign(np.asarray(value))

    # keras_hub.src.utils.timm's loader has these beside port_weight.
    def port_batch_normalization(self, keras_layer: Any, hf_weight_prefix: str) -> None:
        for leaf, word in (
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ):
            self.port_weight(getattr(keras_layer, leaf), f"{hf_weight_prefix}.{word}")


def port_case(port: Port) -> Case:
    """Run the converter and read the truth off the numbers."""
    module = import_module(f"keras_hub.src.utils.{port.converter}")
    if port.timm:
        state, config = _timm_state(port)
    else:
        import transformers

        made = getattr(transformers, port.config_class)(**port.sizes)
        state = getattr(transformers, port.model_class)(made).state_dict()
        config = made.to_dict()
    codes = Codes()
    seen: dict[int, str] = {}
    for name, tensor in state.items():
        seen.setdefault(tensor.data_ptr(), name)
    kept = {n: t for n, t in state.items() if seen[t.data_ptr()] == n}
    loader = CodedLoader({n: tuple(t.shape) for n, t in kept.items()}, codes)
    for name, tensor in state.items():
        loader.values[name] = loader.values[seen[tensor.data_ptr()]]
    backbone = module.backbone_cls(**module.convert_backbone_config(config))
    module.convert_weights(backbone, loader, config)
    values = {
        v.path: np.asarray(v.value).astype(np.float64)
        for v in backbone.variables
        if "seed_generator" not in v.path
    }
    trace = codes.trace(values)
    expected = [
        (v.path, tuple(v.shape), str(v.dtype)) for v in backbone.variables if v.path in values
    ]
    actual = [(n, tuple(t.shape), str(t.dtype).removeprefix("torch.")) for n, t in kept.items()]
    case = Case(
        port.id,
        port.family,
        port.kind,
        port.needs,
        actual,
        expected,
        trace.truth,
        "keras_hub: its converter run on a tiny model whose values are numbered; truth and "
        "layouts read off the numbers",
        port.notes,
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, port.beside)


def _timm_state(port: Port) -> tuple[dict[str, Any], dict[str, Any]]:
    from cases.torchvision_absent import without_torchvision

    with without_torchvision():
        import timm
    model = timm.create_model(port.timm, pretrained=False, **port.sizes)
    return model.state_dict(), {"architecture": port.timm, **model.pretrained_cfg}


def port_cases(ports: tuple[Port, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each port."""
    for port in ports:
        yield port.id, lambda port=port: port_case(port)  # type: ignore[misc]
