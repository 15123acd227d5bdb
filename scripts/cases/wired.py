"""Cases from wirings: what is built twice, under which namings, and what is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cases.case import Case
from cases.nets import Naming, Net, build, equal_outputs, variables_of

SOURCE = (
    "one TF1 wiring of scripts/cases, built twice under two namings; truth = role of the variable, "
    "checked by equal outputs under equal random values"
)


@dataclass(frozen=True)
class Wired:
    """How a wiring becomes a case.

    actual, expected: make a naming. shuffle_*: seeds of another order of creation.
    unknowable: a regular expression of roles whose counterparts nothing tells apart, with the
    regular expression of what may stand in their place. expected_net: how its ops are written.
    """

    id: str
    family: str
    kind: str
    needs: str
    wiring: Callable[[Net, bool], Any]
    actual: Callable[[], Naming]
    expected: Callable[[], Naming]
    optimizer: str = "Adam"
    ema: bool = False
    shuffle_actual: int | None = None
    shuffle_expected: int | None = None
    unknowable: str = ""
    swaps: tuple[tuple[str, str], ...] = ()
    notes: str = ""
    intent: str = "raw"
    expected_net: type[Net] = Net


def wired_case(spec: Wired) -> Case:
    """Build both graphs, check that the truth computes the same, and return the case."""
    actual = build(
        spec.wiring,
        spec.actual(),
        train=True,
        shuffle=spec.shuffle_actual,
        optimizer=spec.optimizer,
        ema=spec.ema,
    )
    expected = build(
        spec.wiring,
        spec.expected(),
        train=False,
        shuffle=spec.shuffle_expected,
        make_net=spec.expected_net,
    )
    check = build(spec.wiring, spec.actual(), train=False, shuffle=spec.shuffle_actual)
    if not equal_outputs(check, expected, list(expected[1].roles)):
        raise ValueError(f"{spec.id}: the truth does not compute the same")
    names = {role: v.op.name for role, v in actual[1].roles.items()}
    suffix = "/ExponentialMovingAverage" if spec.intent == "ema" else ""
    truth: dict[str, str | None] = {}
    ambiguous: dict[str, list[str]] = {}
    for role, v in expected[1].roles.items():
        trained = expected[1].kinds[role][2]
        truth[v.op.name] = names[role] + (suffix if trained else "")
        if spec.unknowable and re.fullmatch(spec.unknowable, role):
            truth[v.op.name] = None
            swapped = re.sub(*spec.swaps[0], role)
            if swapped == role:
                swapped = re.sub(*spec.swaps[1], role)
            ambiguous[v.op.name] = sorted((names[role], names[swapped]))
    return Case(
        spec.id,
        spec.family,
        spec.kind,
        spec.needs,
        variables_of(actual[0]),
        variables_of(expected[0]),
        truth,
        SOURCE,
        spec.notes,
        {},
        ambiguous,
        [],
        spec.intent,
        actual[0].as_graph_def(),
        expected[0].as_graph_def(),
    )


def wired_cases(specs: tuple[Wired, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: wired_case(spec)  # type: ignore[misc]
