"""A decision as text: its evidence as a waterfall of bits, its margin, its runners-up."""

from __future__ import annotations

from graphmap.model.namemap import Decision

__all__ = ["explain_decision"]


def explain_decision(decision: Decision) -> str:
    """Return the reasons of one decision as lines of text, without a final newline."""
    lines = [_headline(decision)]
    total = 0.0
    for evidence in decision.evidence:
        total += evidence.bits
        lines.append(f"  {evidence.bits:+7.1f}  {evidence.kind:<10} {evidence.why}")
    if decision.evidence:
        lines.append(f"  {total:+7.1f}  in all, log2 odds")
    if decision.actual is not None:
        lines.append(f"  margin {decision.margin:.1f} against the best different assignment")
        if decision.layout != "same":
            lines.append(f"  layout {decision.layout}")
    others = [c for c in decision.candidates if c.actual != decision.actual]
    if others:
        lines.append("  runners-up:" if decision.actual else "  candidates:")
        lines.extend(f"    {c.confidence:.3f}  {c.actual}" for c in others)
    return "\n".join(lines)


def _headline(decision: Decision) -> str:
    if decision.status == "matched":
        meant = decision.actual or ", ".join(str(part) for part in decision.parts)
        return f"{decision.expected} -> {meant} (confidence {decision.confidence:.3f})"
    if decision.status == "ambiguous":
        return f"{decision.expected}: several names fit, none clearly best"
    return f"{decision.expected}: no counterpart"
