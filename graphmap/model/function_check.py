"""What is wrong with a graph's function library: bodies, and who calls whom.

TensorFlow 2.21 dies where a function calls itself (CVE-2022-23591) and hangs where 41 functions
call one another twice each: so the calls are looked at here, without following them twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from graphmap.model.attr_facts import AttrFacts, graph_facts
from graphmap.model.const_check import constant_defects
from graphmap.model.graph import Function, GraphModel, Node
from graphmap.model.sentences import examples

__all__ = ["is_bomb", "library_defects"]

MOST_CALLS = 10_000_000  # when every call is unfolded


def library_defects(graph: GraphModel) -> tuple[str, ...]:
    """Return one sentence for each kind of defect of the library and of the calls into it."""
    defects = []
    names = [function.name for function in graph.functions]
    if "" in names:
        defects.append("the library has a function without a name")
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        defects.append(f"the library has functions that stand twice: {examples(twice)}")
    for function, facts in zip(graph.functions, graph_facts(graph).bodies, strict=True):
        defects += _body_defects(function, facts)
    return (*defects, *_call_defects(graph))


def _calls(
    nodes: Iterable[Node], facts: AttrFacts, index: Mapping[str, Function]
) -> dict[str, int]:
    """Return the functions that nodes call, and how often: by name as op, or in an attr."""
    calls = dict(facts.calls)
    if index:
        for node in nodes:
            if node.op in index:
                calls[node.op] = calls.get(node.op, 0) + 1
    return calls


def _repeats(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def _body_defects(function: Function, facts: AttrFacts) -> Iterator[str]:
    known = {node.name for node in function.nodes}
    known.update(name for name, _ in function.inputs)
    names = [name for name, _ in function.inputs] + [node.name for node in function.nodes]
    where = f"function {examples([function.name])}"
    if _repeats(names):
        yield f"{where} has node names that stand twice"
    dangling = [
        node.name
        for node in function.nodes
        if any(text.removeprefix("^").partition(":")[0] not in known for text in node.inputs)
    ]
    if dangling:
        yield f"{where} lacks nodes that are inputs of {examples(dangling)}"
    lost = [
        output
        for returns in (function.returns, function.control_returns)
        for output, source in sorted(returns.items())
        if source.partition(":")[0] not in known
    ]
    lost += [name for name, _ in function.outputs if name not in function.returns]
    if lost:
        yield f"{where} returns what is not there: {examples(lost)}"
    yield from constant_defects(facts, function.name)


def _call_defects(graph: GraphModel) -> Iterator[str]:
    index = graph.function_index
    calls, top = _all_calls(graph)
    wanted = {name for found in (top, *calls.values()) for name in found}
    missing = sorted(wanted - set(index))
    if missing:
        yield f"the library lacks functions that are called: {examples(missing)}"
    order, circular = _callees_first(calls)
    if circular:
        yield f"functions call themselves, directly or in a circle: {examples(sorted(circular))}"
        return
    total = _unfolded(order, calls, top)
    if total > MOST_CALLS:
        yield f"the calls of functions unfold to {total:,}: TensorFlow may never end on them"


def is_bomb(graph: GraphModel) -> bool:
    """Tell whether calls unfold to more than MOST_CALLS; a circle of calls is none."""
    calls, top = _all_calls(graph)
    order, circular = _callees_first(calls)
    return not circular and _unfolded(order, calls, top) > MOST_CALLS


def _all_calls(graph: GraphModel) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Return what each function calls, of two with one name the last, and what the graph calls."""
    index, facts = graph.function_index, graph_facts(graph)
    calls = {
        body.name: _calls(body.nodes, found, index)
        for body, found in zip(graph.functions, facts.bodies, strict=True)
    }
    return calls, _calls(graph.nodes, facts.top, index)


def _unfolded(order: list[str], calls: dict[str, dict[str, int]], top: dict[str, int]) -> int:
    unfolded: dict[str, int] = {}
    for name in order:
        found = calls[name].items()
        unfolded[name] = 1 + sum(unfolded.get(callee, 1) * times for callee, times in found)
    return sum(unfolded.get(name, 1) * times for name, times in top.items())


def _callees_first(calls: dict[str, dict[str, int]]) -> tuple[list[str], set[str]]:
    """Return the functions, those called before those that call, and the ones on a circle."""
    callers: dict[str, list[str]] = {name: [] for name in calls}
    waiting = {}
    for name, found in calls.items():
        known = [callee for callee in found if callee in calls]
        waiting[name] = len(known)
        for callee in known:
            callers[callee].append(name)
    order = [name for name, count in waiting.items() if count == 0]
    for name in order:  # grows while it is walked
        for caller in callers[name]:
            waiting[caller] -= 1
            if waiting[caller] == 0:
                order.append(caller)
    left = set(calls) - set(order)
    return order, _inside(left, callers)


def _inside(left: set[str], callers: dict[str, list[str]]) -> set[str]:
    """Take away what merely calls into a circle: it is called by nobody on one."""
    ready = [name for name in left if not any(caller in left for caller in callers[name])]
    called_by = {name: sum(caller in left for caller in callers[name]) for name in left}
    callees: dict[str, list[str]] = {}
    for callee in left:
        for caller in callers[callee]:
            callees.setdefault(caller, []).append(callee)
    left = set(left)
    while ready:
        name = ready.pop()
        left.discard(name)
        for callee in callees.get(name, ()):
            called_by[callee] -= 1
            if called_by[callee] == 0:
                ready.append(callee)
    return left
