"""Slots of `.keras` and `.weights.h5`: numbered variables without names, paired by their order.

What the class and its options say about the order is compared with every stored shape; where
several classes or weights would fit, only what all of them agree on is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from graphmap.analysis.keras_layouts import (
    KINDS,
    SlotPlace,
    has_rate_variable,
    slot_places,
    tail_words,
)
from graphmap.analysis.keras_order import TrainedWeight
from graphmap.model.graph import Dims
from graphmap.model.optimizer_state import StoredSlot
from graphmap.model.stored import StoredTensor

__all__ = ["Numbered", "pair_numbered"]


class Numbered(NamedTuple):
    """What the numbered variables of one optimizer are.

    kinds: the classes that fit. weights: keys by position, None where not known.
    """

    iterations: str | None
    learning_rate: str | None
    scalars: Mapping[str, str]
    slots: tuple[StoredSlot, ...]
    weights: tuple[str | None, ...]
    unpaired: tuple[str, ...]
    kinds: frozenset[str]
    notes: tuple[str, ...]


def pair_numbered(
    variables: Sequence[StoredTensor],
    weights: Sequence[TrainedWeight],
    library: str | None,
    kind: str | None,
    options: Mapping[str, Any] | None,
) -> Numbered:
    """Pair the variables of an optimizer, in their order, with the weights that may be trained.

    kind, options: None where the file does not tell; every class that Keras has is tried then.
    """
    rest = list(variables)
    iterations = rate = None
    if rest and rest[0].shape == () and (rest[0].dtype or "").startswith("int"):
        iterations = rest.pop(0).key
    scalar_weight = any(weight.tensor.shape == () for weight in weights)
    has_rate = has_rate_variable(library, options)
    if has_rate is None:
        has_rate = library == "keras 3" and not scalar_weight
    if has_rate and rest and rest[0].shape == () and not (rest[0].dtype or "").startswith("int"):
        rate = rest.pop(0).key
    fits = list(_fits(rest, weights, library, kind, options))
    kinds = frozenset(fit.kind for fit in fits)
    scalars: dict[str, str] = {}
    tails = {fit.tail for fit in fits}
    if len(tails) == 1:
        (tail,) = tails
        if tail:
            scalars = dict(zip(tail, (tensor.key for tensor in rest[-len(tail) :]), strict=True))
            rest = rest[: -len(tail)]
    if not rest:
        return Numbered(iterations, rate, scalars, (), (), (), kinds, ())
    keys = tuple(tensor.key for tensor in rest)
    if not fits or len(tails) > 1:
        note = _why_not(rest, weights, kind)
        return Numbered(iterations, rate, scalars, (), (), keys, kinds, (note,))
    agreed = [_agreed([fit.places[at] for fit in fits]) for at in range(len(rest))]
    shapes = fits[0].shapes if len({fit.shapes for fit in fits}) == 1 else ()
    primaries = _primaries(shapes, weights)
    slots = tuple(
        StoredSlot(key, primaries[at] if at is not None and shapes else None, word, at, "inferred")
        for key, (at, word) in zip(keys, agreed, strict=True)
    )
    notes = []
    if any(slot.primary is None for slot in slots):
        notes.append("which slots belong to weights of equal shape cannot be known from the file")
    if any(slot.word is None for slot in slots):
        notes.append("the file does not tell the optimizer's class, and several would fit")
    return Numbered(iterations, rate, scalars, slots, primaries, (), kinds, tuple(notes))


class _Fit(NamedTuple):
    """A class whose order explains every variable. shapes: of the trained weights, in order."""

    kind: str
    places: list[SlotPlace]
    shapes: tuple[Dims, ...]
    tail: tuple[str, ...]


def _fits(
    rest: Sequence[StoredTensor],
    weights: Sequence[TrainedWeight],
    library: str | None,
    kind: str | None,
    options: Mapping[str, Any] | None,
) -> Iterator[_Fit]:
    libraries = [library] if library is not None else ["keras 3", "keras 2"]
    for one, name in product(libraries, [kind] if kind is not None else sorted(KINDS)):
        tail = tail_words(one, name) if rest else ()
        if any(tensor.shape != () for tensor in rest[len(rest) - len(tail) :]):
            continue
        body = rest[: len(rest) - len(tail)]
        for tried in [options] if options is not None else _possible_options(name):
            shapes = _shapes_in_order(body, weights, one, name, tried)
            places = slot_places(one, name, tried, shapes) if shapes is not None else None
            if places is None or [p.shape for p in places] != [t.shape for t in body]:
                continue
            if shapes is not None and _could_be(shapes, weights):
                yield _Fit(name, places, shapes, tail)


def _possible_options(kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield the options that change which variables there are."""
    words = ["use_ema", "gradient_accumulation_steps"]
    words += {"SGD": ["momentum"], "RMSprop": ["momentum", "centered"]}.get(kind, [])
    words += ["amsgrad"] if kind in ("Adam", "AdamW") else []
    for values in product((0, 1), repeat=len(words)):
        yield dict(zip(words, values, strict=True))


def _shapes_in_order(
    body: Sequence[StoredTensor],
    weights: Sequence[TrainedWeight],
    library: str | None,
    kind: str,
    options: Mapping[str, Any],
) -> tuple[Dims, ...] | None:
    """Return the shapes of the trained weights as the slots themselves show them."""
    told = tuple(weight.tensor.shape for weight in weights)
    if slot_places(library, kind, options, [()]) == []:
        return () if not body else None  # a class that keeps nothing for a weight
    if kind in ("Adafactor", "Muon"):  # how many variables a weight has depends on its shape
        return told
    probe = slot_places(library, kind, options, [(0,), (1,)])
    if probe is None:
        return None
    each = len(probe) // 2
    if len(body) % each:
        return None
    count = len(body) // each
    stride = next(at for at, place in enumerate(probe) if place.weight == 1)
    return tuple(body[at * stride].shape for at in range(count))


def _could_be(shapes: Sequence[Dims], weights: Sequence[TrainedWeight]) -> bool:
    """Tell whether there are weights of these shapes, in this order where one is known."""
    if all(weight.block == 0 for weight in weights):
        return _embed(shapes, weights) is not None
    return Counter(shapes) <= Counter(weight.tensor.shape for weight in weights)


def _primaries(shapes: Sequence[Dims], weights: Sequence[TrainedWeight]) -> tuple[str | None, ...]:
    """Return the key of the weight at each position, None where shapes leave a choice."""
    if all(weight.block == 0 for weight in weights):
        first, last = _embed(shapes, weights), _embed(shapes[::-1], weights[::-1])
        if first is not None and last is not None:
            return tuple(
                one.tensor.key if one is other else None
                for one, other in zip(first, last[::-1], strict=True)
            )
    elif len(shapes) == len(weights):
        return tuple(_within_blocks(shapes, weights))
    return tuple(_by_shape(shapes, weights))


def _embed(shapes: Sequence[Dims], weights: Sequence[TrainedWeight]) -> list[TrainedWeight] | None:
    """Return the first weights, in order, that have these shapes; None where there are none."""
    found = []
    rest = iter(weights)
    for shape in shapes:
        weight = next((one for one in rest if one.tensor.shape == shape), None)
        if weight is None:
            return None
        found.append(weight)
    return found


def _within_blocks(
    shapes: Sequence[Dims], weights: Sequence[TrainedWeight]
) -> Iterator[str | None]:
    start = 0
    while start < len(weights):
        block = weights[start].block
        end = start + 1
        while block and end < len(weights) and weights[end].block == block:
            end += 1
        yield from _by_shape(shapes[start:end], weights[start:end])
        start = end


def _by_shape(shapes: Sequence[Dims], weights: Sequence[TrainedWeight]) -> Iterator[str | None]:
    """Yield the weight of each shape that stands once on either side."""
    times = Counter(weight.tensor.shape for weight in weights)
    asked = Counter(shapes)
    keys = {weight.tensor.shape: weight.tensor.key for weight in weights}
    for shape in shapes:
        yield keys[shape] if times[shape] == 1 == asked[shape] else None


def _agreed(places: Sequence[SlotPlace]) -> tuple[int | None, str | None]:
    numbers, words = {place.weight for place in places}, {place.word for place in places}
    return (
        numbers.pop() if len(numbers) == 1 else None,
        words.pop() if len(words) == 1 else None,
    )


def _why_not(
    rest: Sequence[StoredTensor], weights: Sequence[TrainedWeight], kind: str | None
) -> str:
    what = f"{len(rest)} variables for {len(weights)} weights"
    if kind is not None and kind not in KINDS:
        return f"{kind} is no class of Keras: its {what} cannot be paired"
    return f"its {what} do not fit {'the order of ' + kind if kind else 'one class of Keras'}"
