"""Sums of sums as one sum: `(x + a) + b` is `(x + b) + a`, so depth tells no summand from another.

Likewise for products. Rounding aside, exchanging two summands changes nothing, whoever wrote which
of them first; a place that only this tells is none.
"""

from __future__ import annotations

from collections import Counter

from graphmap.matching.forward import Forward

__all__ = ["join_sums"]

ASSOCIATIVE = frozenset({"Add", "Mul", "Maximum", "Minimum"})
JOINED = "Joined"  # class of an op whose inputs went to its only consumer


def join_sums(forward: Forward) -> Forward:
    """Return the forward part with every chain of sums as one op of many inputs.

    An op that a variable enters (a bias is added there), that bears a name or whose value is used
    twice stays by itself. Ops keep their numbers; what was joined has no inputs any more.
    """
    uses = Counter(source for row in forward.inputs for _, _, source in row)
    entered = {place.op for places in forward.places.values() for place in places}
    classes, inputs = list(forward.classes), list(forward.inputs)
    for at, row in enumerate(inputs):  # producers first, so that chains grow along the way
        if classes[at] not in ASSOCIATIVE or not any(classes[s] == classes[at] for _, _, s in row):
            continue
        joined = []
        for port, slot, source in row:
            alone = uses[source] == 1 and source not in entered and source not in forward.names
            if classes[source] == classes[at] and alone:
                joined += inputs[source]
                classes[source], inputs[source] = JOINED, []
            else:
                joined.append((port, slot, source))
        inputs[at] = joined
    return forward._replace(classes=classes, inputs=inputs)
