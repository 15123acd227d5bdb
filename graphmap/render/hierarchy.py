"""The tree of name scopes over the visible ops, and equal siblings folded into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphmap.model.graph import GraphModel
from graphmap.names import scope_of
from graphmap.render.forward import Forward, is_loop_state, variable_shape
from graphmap.render.scene import FrameKind

__all__ = ["Scope", "build_tree", "fold_siblings", "scopes_of"]

_DEEPEST = 40  # levels; real graphs have up to 15, and a name of 10,000 is an attack
_LEAST_ROUNDS = 3  # of an unrolled loop
_LEAST_PAIR = 8  # ops of a block that is folded although it stands only twice


@dataclass(slots=True)
class Scope:
    """A name scope. path: its full name. ops: those right in it. parent: None for the root.

    times: equal siblings that this one stands for, itself included; copies: the ops of the others.
    """

    path: str
    parent: Scope | None
    title: str = ""
    ops: list[int] = field(default_factory=list)
    children: list[Scope] = field(default_factory=list)
    times: int = 1
    note: str = ""
    copies: list[int] = field(default_factory=list)
    kind: FrameKind = "scope"

    def all_ops(self) -> list[int]:
        """Return the ops of the whole subtree, in node order."""
        return sorted(op for scope in self.walk() for op in scope.ops)

    def walk(self) -> Iterator[Scope]:
        """Yield this scope and all below it, parents first."""
        stack = [self]
        while stack:
            scope = stack.pop()
            yield scope
            stack.extend(reversed(scope.children))


def scopes_of(name: str) -> list[str]:
    """Return the scopes that hold an op, outermost first; what lies deeper counts as one.

    >>> scopes_of("net/conv1/kernel")
    ['net', 'net/conv1']
    """
    parts = name.split("/", _DEEPEST)
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def build_tree(graph: GraphModel, forward: Forward) -> Scope:
    """Return the root scope. A scope with nothing but one scope in it is joined with that one."""
    root = Scope("", None)
    found = {"": root}
    names = [graph.nodes[op].name for op in forward.ops]
    inner = {scope for name in names for scope in scopes_of(name)}
    for op, name in zip(forward.ops, names, strict=True):
        paths = scopes_of(name)
        if name in inner:  # the op that gives a scope its value stands in it
            paths.append(name)
        scope = root
        for path in paths:
            child = found.get(path)
            if child is None:
                child = found[path] = Scope(path, scope)
                scope.children.append(child)
            scope = child
        scope.ops.append(op)
    _join_lonely(root)
    kinds = _control_flow(graph)
    for scope in list(root.walk()):
        scope.kind = kinds.get(scope.path, "scope")
        if scope.kind != "scope":
            scope.title = f"{scope.title} ({scope.kind})"
        _split_steps(graph, forward, scope)
    return root


def _control_flow(graph: GraphModel) -> dict[str, FrameKind]:
    """Return the scopes that hold a loop's end or the end of two branches (TensorFlow 1)."""
    found: dict[str, FrameKind] = {}
    for position, node in enumerate(graph.nodes):
        if node.op == "LoopCond":
            found[scope_of(node.name)] = "loop"
        elif node.op in ("Merge", "RefMerge") and not is_loop_state(graph, position):
            found.setdefault(scope_of(node.name), "condition")
    found.pop("", None)
    return found


def _split_steps(graph: GraphModel, forward: Forward, scope: Scope) -> None:
    """Group the steps of an unrolled loop (MatMul, MatMul_1, ...) into scopes step_0, step_1 ...

    Unrolled: the ops of one scope repeat in creation order, and every round uses the same
    variables.
    """
    ops = sorted(scope.ops)
    words = [(graph.nodes[op].op, forward.weights[op]) for op in ops]
    size = _period(words)
    rounds = len(ops) // size if size else 0
    if rounds < _LEAST_ROUNDS or not any(weights for _, weights in words[:size]):
        return
    scope.ops = []
    for number in range(rounds):
        step = Scope(f"{scope.path}//step_{number}", scope, f"step_{number}")
        step.ops = ops[number * size : (number + 1) * size]
        scope.children.append(step)


def _period(words: list[tuple[str, tuple[int, ...]]]) -> int:
    """Return the length of what the whole list repeats; 0 where it repeats nothing.

    By the failure function of Knuth, Morris and Pratt: linear in the length.
    """
    border = [0] * len(words)
    matched = 0
    for place in range(1, len(words)):
        while matched and words[place] != words[matched]:
            matched = border[matched - 1]
        matched += words[place] == words[matched]
        border[place] = matched
    size = len(words) - border[-1] if words else 0
    return size if size and size < len(words) and len(words) % size == 0 else 0


def _join_lonely(root: Scope) -> None:
    for scope in root.walk():
        for place, first in enumerate(scope.children):
            child = first
            while not child.ops and len(child.children) == 1:
                child = child.children[0]
            child.parent = scope
            scope.children[place] = child
            start = len(scope.path) + 1 if scope.path else 0
            child.title = child.path[start:]


def fold_siblings(
    graph: GraphModel, forward: Forward, root: Scope, status: Mapping[int, object]
) -> dict[int, int]:
    """Fold equal siblings; return {op of a left-out copy: its counterpart in the drawn one}.

    Siblings are folded where they stand in series, or in parallel on equal inputs.
    Equal: same ops in the same order, same inner edges, same variable shapes. What shares its
    variables differently is never one thing, nor is what a map or a diff says different things of.
    """
    same_as: dict[int, int] = {}
    for scope in root.walk():  # a folded scope's children are walked once, in the drawn copy
        groups: dict[object, list[Scope]] = {}
        for child in scope.children:
            groups.setdefault(_signature(graph, forward, child, status), []).append(child)
        for members in groups.values():
            _fold_group(forward, scope, members, same_as)
    for op in same_as:  # a counterpart may itself be in a copy, one level further in
        drawn = same_as[op]
        while drawn in same_as:
            drawn = same_as[drawn]
        same_as[op] = drawn
    return same_as


def _signature(
    graph: GraphModel, forward: Forward, scope: Scope, status: Mapping[int, object]
) -> object:
    ops = scope.all_ops()
    place = {op: index for index, op in enumerate(ops)}
    return tuple(
        (
            graph.nodes[op].op,
            tuple(place.get(producer, -1) for producer in forward.producers[op]),
            tuple(variable_shape(graph, weight) for weight in forward.weights[op]),
            tuple(status.get(n) for n in (op, *forward.weights[op])) if status else (),
        )
        for op in ops
    )


def _fold_group(
    forward: Forward, parent: Scope, members: list[Scope], same_as: dict[int, int]
) -> None:
    size = len(members[0].all_ops())
    if len(members) < 2 or (len(members) == 2 and size < _LEAST_PAIR):
        return
    note = _relation(forward, members)
    if not note:
        return
    first, rest = members[0], members[1:]
    originals = first.all_ops()
    for member in rest:
        first.copies.extend(member.all_ops())
        same_as.update(zip(member.all_ops(), originals, strict=True))
    dropped = {id(member) for member in rest}
    parent.children = [child for child in parent.children if id(child) not in dropped]
    first.times, first.note = len(members), note
    first.title = f"{first.title} … {rest[-1].title.rpartition('/')[2]}"


def _relation(forward: Forward, members: list[Scope]) -> str:
    ops = [set(member.all_ops()) for member in members]
    outside = [
        {p for op in inside for p in forward.producers[op] if p not in inside} for inside in ops
    ]
    weights = [{w for op in inside for w in forward.weights[op]} for inside in ops]
    use = Counter(weight for own in weights for weight in own)
    is_shared = all(own == weights[0] for own in weights)
    if use and not is_shared and max(use.values()) > 1:
        return ""
    if all(outside[k + 1] & ops[k] for k in range(len(ops) - 1)):
        return "in series"
    if all(taken == outside[0] for taken in outside):
        return "in parallel"
    return ""
