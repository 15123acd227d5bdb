"""One thing that an artifact could do, and how bad it is."""

from __future__ import annotations

from typing import NamedTuple

from graphmap.analysis.effects import Severity

__all__ = ["SEVERITIES", "Finding", "is_serious"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "unknown", "note")  # worst first


class Finding(NamedTuple):
    """What could happen.

    op: the op type, or the class of a Keras config. node: op name, or where in the config.
    function: the body that holds it. file: the file that holds it.
    rule: a word for machines: "op-code", "op-writes", "op-unknown", "keras-lambda", ...
    """

    op: str
    node: str
    function: str | None
    severity: Severity
    why: str
    rule: str
    file: str


def is_serious(finding: Finding) -> bool:
    """Whether a finding counts for the exit code: everything but a note."""
    return finding.severity != "note"
