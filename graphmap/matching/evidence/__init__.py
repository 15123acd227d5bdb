"""Evidence: one rule a file, each in the tuple EVIDENCE.

A rule looks at a pair of groups and returns bits (log2 odds) with a reason, or None: no opinion.
To add one: write the file, add it here, write its test.
"""

from __future__ import annotations

from collections.abc import Callable

from graphmap.matching.evidence.contrast import contrast_evidence
from graphmap.matching.evidence.count import count_evidence
from graphmap.matching.evidence.counter import counter_evidence
from graphmap.matching.evidence.kind import kind_evidence
from graphmap.matching.evidence.layout import layout_evidence
from graphmap.matching.evidence.leaf import leaf_evidence
from graphmap.matching.evidence.learned import learned_evidence
from graphmap.matching.evidence.level import level_evidence
from graphmap.matching.evidence.lexical import lexical_evidence
from graphmap.matching.evidence.novelty import novelty_evidence
from graphmap.matching.evidence.order import order_evidence
from graphmap.matching.evidence.scope import scope_evidence
from graphmap.matching.evidence.shape import shape_evidence
from graphmap.matching.evidence.sibling import sibling_evidence
from graphmap.matching.evidence.stack import stack_evidence
from graphmap.matching.evidence.tail import tail_evidence
from graphmap.matching.evidence.trained import trained_evidence
from graphmap.matching.evidence.whole import whole_evidence
from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

__all__ = ["EVIDENCE", "VETOES", "Rule"]

Rule = Callable[[Pair, Context], Evidence | None]

EVIDENCE: tuple[Rule, ...] = (
    shape_evidence,
    kind_evidence,
    lexical_evidence,
    learned_evidence,
    tail_evidence,
    leaf_evidence,
    novelty_evidence,
    contrast_evidence,
    count_evidence,
    counter_evidence,
    stack_evidence,
    level_evidence,
    layout_evidence,
    sibling_evidence,
    trained_evidence,
    scope_evidence,
    order_evidence,
    whole_evidence,
)

# Rules that doubt which member is which, not that the groups belong together: such a pair commits
# nothing but stays a rival to the others.
VETOES: frozenset[Rule] = frozenset((counter_evidence, stack_evidence, level_evidence))
