"""The name map: for every expected name one actual name, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from graphmap.errors import NameMapError, UnresolvedNameError
from graphmap.showing import Part, Sheet, Shown

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

Status = Literal["matched", "ambiguous", "unmatched"]
Verdict = Literal["same", "partial", "other"]


class Evidence(NamedTuple):
    """One reason for or against a pair. bits: log2 odds, negative speaks against it."""

    kind: str
    bits: float
    why: str


class Candidate(NamedTuple):
    """An actual name that could be meant; confidence is a probability."""

    actual: str
    confidence: float


class Decision(NamedTuple):
    """What was decided for one expected name; exactly one for each. Keys are those of the JSON.

    shape: the expected shape. tensor: name of the actual tensor in the graph ("W:0").
    confidence: probability in [0, 1]; margin: log2 odds against the best different assignment.
    """

    expected: str
    status: Status
    shape: Dims = None
    actual: str | None = None
    tensor: str | None = None
    checkpoint_key: str | None = None
    confidence: float = 0.0
    margin: float = 0.0
    layout: str = "same"
    parts: tuple[Any, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Candidate, ...] = ()


class Decisions(tuple[Decision, ...], Shown):
    """The decisions of a map, in the order of the expected names."""

    __slots__ = ()

    def __new__(cls, decisions: Iterable[Decision]) -> Decisions:
        """Keep decisions that are one for each name; raises NameMapError where they are not."""
        if isinstance(decisions, Decisions):
            return decisions
        made = super().__new__(cls, decisions)
        names = [decision.expected for decision in made]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise NameMapError(
                f"{twice[0]!r} stands twice among the expected names",
                remedy="Keep one entry for each expected name.",
            )
        return made

    def __repr__(self) -> str:
        return f"<{len(self):,} decisions, {sum(d.status == 'matched' for d in self):,} matched>"

    __str__ = Shown.__str__

    def _sheet(self) -> Sheet:
        return Sheet(f"{len(self):,} expected names", (), (self.as_part("decisions", self),))

    @staticmethod
    def as_part(title: str, decisions: Iterable[Decision], *, is_open: bool = True) -> Part:
        """Return decisions as a table."""
        rows = [
            (d.expected, d.status, _answer(d), f"{d.confidence:.3f}" if d.actual else "",
             "" if d.layout == "same" else d.layout)
            for d in decisions
        ]  # fmt: skip
        columns = ("expected", "status", "actual", "confidence", "layout")
        return Part(title, columns, rows, is_open=is_open)


def _answer(decision: Decision) -> str:
    if decision.status == "matched":
        return decision.actual or " + ".join(str(part) for part in decision.parts)
    return " or ".join(candidate.actual for candidate in decision.candidates[:3])


class Rule(NamedTuple):
    """An anchored regular expression that rewrites `covers` expected names to actual ones."""

    pattern: str
    replacement: str
    covers: int


class NameMap(Mapping[str, str]):
    """Expected -> actual names; as a mapping it holds the matched names only.

    decisions: one for each expected name, in the order of the expected names.
    artifact: {"path", "kind", "fingerprint"} of the actual side.
    """

    def __init__(
        self,
        decisions: tuple[Decision, ...],
        verdict: Verdict = "same",
        unused: tuple[str, ...] = (),
        rules: tuple[Rule, ...] = (),
        expected_wrong: float = 0.0,
        artifact: Mapping[str, Any] | None = None,
        expected_source: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.decisions = Decisions(decisions)
        self.verdict: Verdict = verdict
        self.unused = unused
        self.rules = rules
        self.expected_wrong = expected_wrong
        self.artifact = artifact or {}
        self.expected_source = expected_source or {}
        self.settings = settings or {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NameMap):
            return NotImplemented
        one, two = ({k: v for k, v in vars(m).items() if k != "_by_name"} for m in (self, other))
        return one == two

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._counts()}>"

    def _counts(self) -> str:
        counts = {"ambiguous": len(self.ambiguous), "unmatched": len(self.unmatched)}
        told = "".join(f", {count:,} {word}" for word, count in counts.items() if count)
        return f"{len(self.matched):,} of {len(self.decisions):,} matched{told}"

    @cached_property
    def _by_name(self) -> dict[str, Decision]:
        return {decision.expected: decision for decision in self.decisions}

    def decision(self, expected: str) -> Decision:
        """Return the decision for one expected name (":0" may be written); KeyError if absent."""
        return self._by_name[expected.removesuffix(":0")]

    def __getitem__(self, expected: str) -> str:
        decision = self._by_name.get(expected.removesuffix(":0"))
        if decision is None:
            raise UnresolvedNameError(
                "is not among the expected names of this map",
                where=expected,
                remedy="Match again with a listing that holds it.",
            )
        if decision.status != "matched" or decision.actual is None:
            raise UnresolvedNameError(
                f"is {decision.status}",
                where=expected,
                remedy=_candidates_text(decision),
                candidates=tuple(candidate.actual for candidate in decision.candidates),
            )
        return str(decision.actual)

    def __iter__(self) -> Iterator[str]:
        return (decision.expected for decision in self.matched if decision.actual is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        decision = self._by_name.get(name) if isinstance(name, str) else None
        return decision is not None and decision.status == "matched"

    @property
    def matched(self) -> tuple[Decision, ...]:
        """Decisions with exactly one answer."""
        return tuple(d for d in self.decisions if d.status == "matched")

    @property
    def ambiguous(self) -> tuple[Decision, ...]:
        """Decisions with several equally good answers."""
        return tuple(d for d in self.decisions if d.status == "ambiguous")

    @property
    def unmatched(self) -> tuple[Decision, ...]:
        """Decisions without an answer."""
        return tuple(d for d in self.decisions if d.status == "unmatched")

    def tensor_name(self, expected: str) -> str:
        """Return the tensor that `get_tensor_by_name` takes, such as "my_model/W:0"."""
        actual = self[expected]
        return self.decision(expected).tensor or f"{actual}:0"


def _candidates_text(decision: Decision) -> str:
    if not decision.candidates:
        return "Nothing stored comes close; check that this is the right artifact."
    listed = ", ".join(f"{c.actual} ({c.confidence:.2f})" for c in decision.candidates[:5])
    return f"Candidates, best first: {listed}. Pin one: --pin {decision.expected}=NAME"
