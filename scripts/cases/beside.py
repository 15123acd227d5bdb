"""What stands beside the weights in real files: slots, averages, wrappers, other copies."""

from __future__ import annotations

import re
from dataclasses import replace

from cases.case import Case, Row


def beside(case: Case, what: str) -> Case:
    """Return the case with the things named in `what` (words joined by +) on its actual side.

    adam: slots as TF1's Adam names them; adamw: as BERT's optimizer does; ema: moving averages;
    adafactor: factored slots;
    wrap:SCOPE puts all under a scope; twin:A,B makes a copy under B, the right one under A;
    strip:PREFIX removes a common prefix; keys: names as an object graph's keys.
    """
    for word in filter(None, what.split("+")):
        verb, _, rest = word.partition(":")
        case = _VERBS[verb](case, rest)
    return case


def _slots(case: Case, suffixes: tuple[str, ...], others: tuple[str, ...]) -> Case:
    rows: list[Row] = list(case.actual)
    for name, shape, dtype in case.actual:
        if dtype.startswith("float") and not re.search("moving_|running_", name):
            rows += [(name + suffix, shape, dtype) for suffix in suffixes]
    rows += [(name, (), "int64" if "step" in name else "float32") for name in others]
    return replace(case, actual=rows)


def _factored(case: Case) -> Case:
    """Adafactor keeps a row and a column of each matrix, and one slot of each vector."""
    rows: list[Row] = list(case.actual)
    for name, shape, dtype in case.actual:
        if shape is not None and len(shape) == 2:
            rows += [(f"{name}/Adafactor", shape[:1], dtype)]
            rows += [(f"{name}/Adafactor_1", shape[1:], dtype)]
        else:
            rows += [(f"{name}/Adafactor", shape, dtype)]
    return replace(case, actual=[*rows, ("global_step", (), "int64")])


def _renamed(case: Case, rename) -> Case:  # type: ignore[no-untyped-def]
    rows = [(rename(name), shape, dtype) for name, shape, dtype in case.actual]
    truth = {e: None if a is None else rename(a) for e, a in case.truth.items()}
    ambiguous = {e: [rename(a) for a in names] for e, names in case.ambiguous.items()}
    return replace(case, actual=rows, truth=truth, ambiguous=ambiguous)


def _twin(case: Case, rest: str) -> Case:
    right, wrong = rest.split(",")
    other = [(f"{wrong}/{name}", shape, dtype) for name, shape, dtype in case.actual]
    right_case = _renamed(case, lambda name: f"{right}/{name}")
    return replace(right_case, actual=[*right_case.actual, *other])


def _keys(case: Case, rest: str) -> Case:
    def key(name: str) -> str:
        return f"{rest or 'model'}/{name.replace('.', '/')}/.ATTRIBUTES/VARIABLE_VALUE"

    return _renamed(case, key)


_VERBS = {
    "adam": lambda c, _: _slots(
        c, ("/Adam", "/Adam_1"), ("beta1_power", "beta2_power", "global_step")
    ),
    "adamw": lambda c, _: _slots(c, ("/adam_m", "/adam_v"), ("global_step",)),
    "adafactor": lambda c, _: _factored(c),
    "momentum": lambda c, _: _slots(c, ("/Momentum",), ("global_step",)),
    "ema": lambda c, _: _slots(c, ("/ExponentialMovingAverage",), ("global_step",)),
    "wrap": lambda c, scope: _renamed(c, lambda name: f"{scope}/{name}"),
    "strip": lambda c, prefix: _renamed(c, lambda name: name.removeprefix(prefix)),
    "twin": _twin,
    "keys": _keys,
}
