"""What was put back into a Keras model or optimizer, and what had to be assumed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KerasReport"]


@dataclass(frozen=True, slots=True)
class KerasReport:
    """What a restore did, by names of the live variables.

    restored: assigned, and read back byte for byte. untouched: left as they were.
    mismatched: stored with another shape or dtype; a restore with any is an error, so empty here.
    assumed: one sentence for each thing that the file does not tell and the caller, or a default
        of Keras, does. notes: one sentence for each thing worth knowing.
    how: what paired the names: "name_map", "structure", "names" or "matching".
    exact: whether the next steps are those of the run that was saved, bit for bit, as far as the
        optimizer decides them; None where only weights were restored.
    """

    restored: tuple[str, ...]
    untouched: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    how: str = ""
    exact: bool | None = None

    def __str__(self) -> str:
        total = len(self.restored) + len(self.untouched)
        text = f"restored {len(self.restored)} of {total} variables, read back byte for byte"
        if self.how:
            text += f"; names paired by {self.how}"
        if self.untouched:
            text += f"; {len(self.untouched)} untouched ({', '.join(self.untouched[:5])}"
            text += ", ...)" if len(self.untouched) > 5 else ")"
        assumed = [f"assumed: {sentence}" for sentence in self.assumed]
        return "\n".join([text, *assumed, *self.notes])
