"""A decision as text: from the prior to the final odds, why not another, what would change it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from graphmap.model.namemap import Decision, NameMap

__all__ = ["explain_decision"]

BAR = 24  # characters of the longest bar
MOST_DECISIVE = 3


def explain_decision(decision: Decision, name_map: NameMap | None = None) -> str:
    """Return the reasons of one decision as lines of text, without a final newline.

    name_map: the map that it stands in; with it, what more could be given is told too.
    """
    lines = [_headline(decision), *_waterfall(decision)]
    if decision.actual is not None:
        lines.append(f"  margin {decision.margin:.1f} against the best different assignment")
        if decision.layout != "same":
            lines.append(f"  layout {decision.layout}")
    lines += _others(decision)
    lines += _changes(decision, {} if name_map is None else name_map.settings)
    return "\n".join(lines)


def _headline(decision: Decision) -> str:
    if decision.status == "matched":
        meant = decision.actual or ", ".join(str(part) for part in decision.parts)
        return f"{decision.expected} -> {meant} (confidence {decision.confidence:.3f})"
    if decision.status == "ambiguous":
        return f"{decision.expected}: several names fit, none clearly best"
    return f"{decision.expected}: no counterpart"


def _waterfall(decision: Decision) -> Iterator[str]:
    """Yield a line for each evidence, with the odds that it leads to and a bar."""
    if not decision.evidence:
        return
    if decision.status != "matched" and decision.candidates:
        yield f"  for {decision.candidates[0].actual}:"
    most = max(abs(one.bits) for one in decision.evidence) or 1.0
    total = 0.0
    for one in decision.evidence:
        total += one.bits
        bar = ("+" if one.bits >= 0 else "-") * round(BAR * abs(one.bits) / most)
        yield f"  {one.bits:+7.1f}  {one.kind:<10} {one.why}"
        yield f"  {total:7.1f}  {'':<10} {bar}" if bar else f"  {total:7.1f}"
    final = decision.confidence or (decision.candidates[0].confidence if decision.candidates else 0)
    yield f"  {total:+7.1f}  in all, log2 odds"
    yield f"  {_bits(final):+7.1f}  after rivals and calibration: confidence {final:.3f}"


def _others(decision: Decision) -> Iterator[str]:
    others = [c for c in decision.candidates if c.actual != decision.actual]
    if not others:
        return
    best = decision.candidates[0].confidence
    yield "  why not another:" if decision.actual else "  candidates:"
    for one in others:
        behind = _bits(best) - _bits(one.confidence)
        text = f", {behind:.1f} bits behind" if behind > 0.05 else ""
        yield f"    {one.confidence:.3f}  {one.actual}{text}"


def _changes(decision: Decision, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what would change the decision: evidence that carries it, a pin, more knowledge."""
    least = float(settings.get("min_confidence", 0.95))
    yield "  what would change it:"
    if decision.status == "matched":
        slack = decision.margin - _bits(least)
        yield f"    {max(0.0, slack):.1f} bits against it would leave it open"
        carrying = sorted(decision.evidence, key=lambda one: (-one.bits, one.kind))
        for one in carrying[:MOST_DECISIVE]:
            if one.bits > slack > 0:
                yield f"    without {one.kind} ({one.bits:+.1f}) it would be open"
        rivals = [c.actual for c in decision.candidates if c.actual != decision.actual]
        yield f"    --pin {decision.expected}={rivals[0] if rivals else 'ACTUAL'}"
        return
    for candidate in decision.candidates[:MOST_DECISIVE]:
        yield f"    --pin {decision.expected}={candidate.actual}"
    if decision.shape is None:
        yield "    shapes: give EXPECTED as a listing with shapes, or as a checkpoint"
    yield "    graphs on both sides (.meta, GraphDef): where a variable is used tells twins apart"


def _bits(confidence: float) -> float:
    """Return log2 odds of a probability, between -50 and 50."""
    if confidence <= 0.0 or confidence >= 1.0:
        return -50.0 if confidence <= 0.0 else 50.0
    return max(-50.0, min(50.0, math.log2(confidence / (1.0 - confidence))))
