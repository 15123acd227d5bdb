"""Constants whose stored values cannot be those of their type and shape."""

from __future__ import annotations

from graphmap.model.attr_facts import AttrFacts
from graphmap.model.sentences import examples

__all__ = ["constant_defects"]


def constant_defects(facts: AttrFacts, inside: str = "") -> tuple[str, ...]:
    """Return one sentence for each kind of damage; inside: the function that holds the nodes."""
    place = f" in function {inside}" if inside else ""
    return tuple(
        f"constant {examples(names)}{place} {defect}" for defect, names in facts.constants.items()
    )
