"""In which order Keras' optimizers keep their variables, and what their slots are called.

Source: keras/src/optimizers (Keras 3) and tf_keras/src/optimizers (Keras 2.11 and later): the
calls of add_optimizer_variables, add_variable_from_reference and add_variable in each `build`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from graphmap.model.graph import Dims

__all__ = ["KINDS", "KIND_OF_NAME", "SlotPlace", "has_rate_variable", "slot_places", "tail_words"]

Blocks = tuple[tuple[str, ...], ...]
"""Blocks one after the other; the words of a block stand together for each weight."""

_KERAS_3: dict[str, Blocks] = {
    "Adam": (("momentum", "velocity"),),
    "AdamW": (("momentum", "velocity"),),
    "Nadam": (("momentum", "velocity"),),
    "Lamb": (("momentum", "velocity"),),
    "Adamax": (("momentum", "norm"),),
    "Adagrad": (("accumulator",),),
    "Adadelta": (("accumulated_grad", "accumulated_delta_var"),),
    "Ftrl": (("accumulator", "linear"),),
    "Lion": (("momentum",),),
    "Adafactor": (("r", "c", "velocity"),),
    "SGD": (("momentum",),),
    "RMSprop": (("velocity",),),
    "Muon": (("momentum", "velocity"),),
}
_KERAS_2: dict[str, Blocks] = {
    **_KERAS_3,
    "Adam": (("m", "v"),),
    "AdamW": (("m", "v"),),
    "Nadam": (("m", "v"),),
    "Adamax": (("m", "u"),),
    "Lion": (("m",),),
    "Adafactor": (("r", "c", "v"),),
    "SGD": (("m",),),
}
_LEGACY: dict[str, Blocks] = {  # of optimizer_v2: one block for each word
    "SGD": (("momentum",),),
    "Adam": (("m",), ("v",)),
    "Nadam": (("m",), ("v",)),
    "Adamax": (("m",), ("v",)),
    "Adagrad": (("accumulator",),),
    "Adadelta": (("accum_grad",), ("accum_var",)),
    "Ftrl": (("accumulator",), ("linear",)),
    "RMSprop": (("rms",),),
}
KINDS = frozenset(_KERAS_3)
# what an optimizer is called when nobody named it
KIND_OF_NAME = {
    **{kind.lower(): kind for kind in KINDS},
    "rm_sprop": "RMSprop",
    "adam_w": "AdamW",
}
_FACTORED_RANK = 2  # Adafactor keeps rows and columns from this rank on


class SlotPlace(NamedTuple):
    """The next variable of an optimizer: for which weight (its number), under which word."""

    weight: int
    word: str
    shape: Dims


def has_rate_variable(library: str | None, options: Mapping[str, Any] | None) -> bool | None:
    """Tell whether a learning rate stands behind the iterations; None where it is not known."""
    if library != "keras 3":
        return False
    if options is None or "learning_rate" not in options:
        return None
    return not isinstance(options["learning_rate"], dict)  # a schedule


def tail_words(library: str | None, kind: str | None) -> tuple[str, ...]:
    """Return the words of scalars behind all slots."""
    return ("u_product",) if (library, kind) == ("keras 3", "Nadam") else ()


def slot_places(
    library: str | None, kind: str, options: Mapping[str, Any], shapes: Sequence[Dims]
) -> list[SlotPlace] | None:
    """Return what follows the heads, in order; None for a class that is not known.

    shapes: of the trained weights, in the optimizer's order.
    """
    blocks = _blocks(library, kind, options)
    if blocks is None:
        return None
    return [
        SlotPlace(number, word, shape)
        for block in blocks
        for number, weight in enumerate(shapes)
        for word, shape in _of_weight(library, kind, block, weight)
    ]


def _blocks(library: str | None, kind: str, options: Mapping[str, Any]) -> Blocks | None:
    known = {"keras 3": _KERAS_3, "keras 2": _KERAS_2, "keras 2 legacy": _LEGACY}
    blocks = known.get(library or "", {}).get(kind)
    if blocks is None:
        return None
    if kind == "SGD" and library != "keras 2" and not options.get("momentum"):
        blocks = ()  # Keras 2.11 and later make the slots in any case
    if kind == "RMSprop":
        legacy = library == "keras 2 legacy"
        blocks += (("momentum",),) if options.get("momentum") else ()
        blocks += (("mg" if legacy else "average_gradient",),) if options.get("centered") else ()
    if kind in ("Adam", "AdamW") and options.get("amsgrad"):
        blocks += (("velocity_hat" if library == "keras 3" else "vhat",),)
    before: Blocks = (("average",),) if options.get("use_ema") else ()
    if library == "keras 3" and options.get("gradient_accumulation_steps"):
        before += (("gradient_accumulator",),)
    return before + blocks


def _of_weight(
    library: str | None, kind: str, block: tuple[str, ...], shape: Dims
) -> Iterator[tuple[str, Dims]]:
    """Yield (word, shape) of the variables that a block has for one weight."""
    rank = len(shape or ())
    for word in block:
        if word in ("r", "c"):
            if rank >= _FACTORED_RANK and shape is not None:
                yield word, shape[:-1] if word == "r" else (*shape[:-2], shape[-1])
            elif library == "keras 3":
                yield word, ()  # a placeholder
        elif kind == "Muon" and word == "velocity" and 2 <= rank <= 4:
            continue  # only what AdamW updates has one; by default that is by rank
        else:
            yield word, shape
