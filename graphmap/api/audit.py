"""What an artifact could do when it is run or loaded: `graphmap.audit`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from graphmap.auditing.findings import SEVERITIES, Finding, is_serious
from graphmap.errors import ArtifactError

if TYPE_CHECKING:
    from graphmap.analysis.effects import Severity
    from graphmap.api.artifact import Artifact

__all__ = ["Audit", "audit"]


class Audit(Sequence[Finding]):
    """The findings, worst first; `serious` are those that count, `worst` is the worst severity."""

    def __init__(
        self, path: str, kind: str, findings: tuple[Finding, ...], warnings: tuple[str, ...] = ()
    ) -> None:
        self.path = path
        self.kind = kind
        self.findings = findings
        self.warnings = warnings

    @property
    def worst(self) -> Severity | None:
        """The worst severity, None without a finding."""
        return self.findings[0].severity if self.findings else None

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Findings of severity critical, high or unknown."""
        return tuple(finding for finding in self.findings if is_serious(finding))

    @property
    def counts(self) -> dict[str, int]:
        """How many findings each severity has."""
        return {
            severity: sum(1 for finding in self.findings if finding.severity == severity)
            for severity in SEVERITIES
        }

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return self.findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __repr__(self) -> str:
        return f"<Audit {self.path!r}: {len(self.serious)} serious of {len(self)} findings>"


def audit(
    artifact: Artifact | str | os.PathLike[str], tags: str | None = None, step: int | None = None
) -> Audit:
    """Say what an artifact could do; nothing in it is executed.

    A SavedModel is looked at as a whole: every graph whatever its tags, and its Keras metadata. A
    file that a text-mode copy damaged is a finding, and so is a pickle; other damage raises
    ArtifactError.
    """
    from graphmap.api.artifact import Artifact, load
    from graphmap.auditing.audit import audit_keras, audit_model, audit_unreadable

    if not isinstance(artifact, Artifact):
        path = os.fspath(artifact)
        try:
            artifact = load(path, tags, step)
        except ArtifactError as cause:
            told = (f"{cause.where}: {cause.message}",)
            keras = audit_keras(cause.where)  # a config can be judged without its weights
            if keras is not None:
                return Audit(path, keras[0], keras[1], told)
            findings = audit_unreadable(cause.where)
            if not findings:
                raise
            kind = "pickle" if findings[0].rule == "pickle" else "damaged"
            return Audit(path, kind, findings, told)
    stored = artifact.opened.stored
    return Audit(
        stored.path, stored.kind, audit_model(stored, artifact.unsafe_ops), stored.warnings
    )
