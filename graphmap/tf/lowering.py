"""Conditions and loops over functions (control flow v2) that take a resource variable, as v1.

A ref variable is no argument of a function, so the bodies are set out in the graph: a condition as
Switch and Merge, a loop as Enter, Merge, Switch, NextIteration and Exit (control_flow_ops.cc). A
node is dead where an input of it, controls included, comes from a branch that is not taken.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from graphmap.errors import ReconstructionError
from graphmap.names import parse_input
from graphmap.tf.inlining import (
    Body,
    calls,
    carried,
    inline_call,
    instantiate,
    rewire,
    takes_any,
)

__all__ = ["without_functions"]

_CONDITIONS = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
_LOOPS = frozenset({"While", "StatelessWhile"})
_MAX_ROUNDS = 50  # functions in functions
_MAX_NODES = 200_000  # functions that call others twice grow without end
_BOOL, _INT32, _RESOURCE = 10, 3, 20  # types.proto


def without_functions(nodes: list[Any], library: Any, variables: Collection[str]) -> list[Any]:
    """Return the nodes with no function left that takes one of these resource variables."""
    functions = {function.signature.name: function for function in library.function}
    known: dict[str, int] = {}
    if any(_size(node, functions, known) > _MAX_NODES for node in nodes):
        raise _too_much()
    for _ in range(_MAX_ROUNDS):
        handles = carried(nodes, variables)
        there = {node.name for node in nodes}
        made: list[Any] = []
        results: dict[str, Sequence[str]] = {}
        for node in nodes:
            if node.op in _CONDITIONS | _LOOPS and takes_any(node, handles):
                lowering = _Lowering(node, functions, handles)
                own = lowering.loop() if node.op in _LOOPS else lowering.condition()
            elif calls(node, functions) and takes_any(node, handles):
                own = inline_call(node, functions, handles, there)
            else:
                continue
            made += own[0]
            results[node.name] = own[1]
        if not results:
            return nodes
        nodes = [*made, *(node for node in nodes if node.name not in results)]
        rewire(nodes, results)
    raise _too_much()


def _size(node: Any, functions: Mapping[str, Any], known: dict[str, int], depth: int = 0) -> int:
    """Return how many nodes a node is when all that it calls is set out, and what that calls."""
    names = [node.op, *(value.func.name for value in node.attr.values())]
    names += [func.name for value in node.attr.values() for func in value.list.func]
    total = 1
    for name in names:
        if name in functions and name not in known:
            known[name] = _MAX_NODES  # of one that calls itself, or lies too deep
            body = functions[name].node_def
            if depth < _MAX_ROUNDS:
                known[name] = sum(_size(n, functions, known, depth + 1) for n in body)
        total += known.get(name, 0)
    return total


def _too_much() -> ReconstructionError:
    return ReconstructionError(
        "are nested too deep to be set out for ref variables",
        where="the stored functions",
        remedy="Build the new graph with resource variables.",
    )


class _Lowering:
    """One node that calls functions; builds the nodes that do the same."""

    def __init__(self, node: Any, functions: Mapping[str, Any], handles: Collection[str]) -> None:
        self.node = node
        self.functions = functions
        self.data = [text for text in node.input if not text.startswith("^")]
        self.waits = [text for text in node.input if text.startswith("^")]
        self.is_handle = [parse_input(text).node in handles for text in self.data]
        self.made: list[Any] = []

    def _make(self, name: str, op: str, inputs: Sequence[str], dtype: int = 0) -> str:
        new = type(self.node)(name=f"{self.node.name}/{name}", op=op, input=inputs)
        if dtype:
            new.attr["T"].type = dtype
        self.made.append(new)
        return str(new.name)

    def _end(self, waits: Sequence[str]) -> None:
        """Who waited for the node waits for all that its bodies do."""
        self.made.append(type(self.node)(name=self.node.name, op="NoOp", input=waits))

    def _function(self, name: str) -> Any:
        if name not in self.functions:
            raise ReconstructionError(f"calls {name!r}, which is missing", where=self.node.name)
        return self.functions[name]

    # ------------------------------------------------------------------ conditions
    def condition(self) -> tuple[list[Any], list[str]]:
        """Switch every argument to the branch that is taken; returns (nodes, results)."""
        attr = self.node.attr
        if "branches" in attr:
            names = [branch.name for branch in attr["branches"].list.func]
            choices = [self._is_branch(place) for place in range(len(names) - 1)]
        else:
            names = [attr["then_branch"].func.name, attr["else_branch"].func.name]
            choices = [self.data[0]]
            if attr["Tcond"].type != _BOOL:
                raise self._cannot("is decided by what is no bool")
        kinds = list(attr["Tin"].list.type)
        branches = [
            self._branch(place, name, *arrived)
            for place, (name, arrived) in enumerate(
                zip(names, self._switched(choices, kinds), strict=True)
            )
        ]
        results = []
        for place, dtype in enumerate(attr["Tout"].list.type):
            if dtype == _RESOURCE:
                raise self._cannot("returns a resource")
            merge = self._make(
                f"merge_{place}", "Merge", [b.results[place] for b in branches], dtype
            )
            self.made[-1].attr["N"].i = len(branches)
            results.append(merge)
        done = self._make("done", "Merge", [branch.done[0] for branch in branches], _BOOL)
        self.made[-1].attr["N"].i = len(branches)
        self._end([f"^{name}" for name in (done, *results)])
        return self.made, results

    def _is_branch(self, place: int) -> str:
        """Case takes its last branch for an index that is out of range (functional_ops.cc)."""
        number = self._make(f"branch_{place}", "Const", [])
        attr = self.made[-1].attr
        attr["dtype"].type = attr["value"].tensor.dtype = _INT32
        attr["value"].tensor.tensor_shape.SetInParent()
        attr["value"].tensor.int_val.append(place)
        return self._make(f"is_branch_{place}", "Equal", [self.data[0], number], _INT32)

    def _switched(
        self, choices: Sequence[str], kinds: Sequence[int]
    ) -> list[tuple[str, list[str], list[str]]]:
        """Return (pivot, arguments, what to wait for) of each branch, the last for no choice."""
        token, arguments = choices[0], list(self.data[1:])
        found = []
        for place, choice in enumerate(choices):
            switch = self._make(f"pivot_{place}", "Switch", [token, choice, *self.waits], _BOOL)
            there = [
                self._make(f"switch_{place}_{at}", "Switch", [text, choice], kinds[at])
                for at, text in enumerate(arguments)
            ]
            # what is read in a branch is read when all arguments are there
            values = [f"^{n}" for n, h in zip(there, self.is_handle[1:], strict=True) if not h]
            found.append((f"{switch}:1", [f"{name}:1" for name in there], values))
            token, arguments = switch, there
        return [*found, (token, arguments, values)]

    def _branch(
        self, place: int, name: str, pivot: str, arguments: list[str], waits: list[str]
    ) -> Body:
        """Set one branch out; `done` is one tensor that is there when all of it has run."""
        alive = self._make(f"alive_{place}", "Identity", [pivot], _BOOL)
        self._make(f"start_{place}", "NoOp", [f"^{alive}", *waits])
        scope = f"{self.node.name}/in_{place}"
        body = instantiate(self._function(name), scope, arguments, self.made[-1])
        self.made.extend(body.nodes)
        done = self._make(f"done_{place}", "Identity", [alive, *dict.fromkeys(body.done)], _BOOL)
        return body._replace(done=[done])

    # ------------------------------------------------------------------ loops
    def loop(self) -> tuple[list[Any], list[str]]:
        """Let every value go round; returns (nodes, results)."""
        attr = self.node.attr
        kinds = list(attr["T"].list.type)
        values = [at for at, is_handle in enumerate(self.is_handle) if not is_handle]
        if not values or any(kinds[at] == _RESOURCE for at in values):
            raise self._cannot("carries nothing but resources, or others than variables")
        enters = [self._enter(at, kinds[at]) for at in range(len(kinds))]
        merges = {
            at: self._make(
                f"merge_{at}", "Merge", [enters[at], self._name(f"next_{at}")], kinds[at]
            )
            for at in values
        }
        for node in self.made[-len(values) :]:
            node.attr["N"].i = 2
        before = [merges.get(at, enter) for at, enter in enumerate(enters)]
        self._make("start_cond", "NoOp", [f"^{name}" for name in merges.values()])
        test = instantiate(
            self._function(attr["cond"].func.name), self._name("cond"), before, self.made[-1]
        )
        self.made.extend(test.nodes)
        goes_on = self._make("goes_on", "LoopCond", [test.results[0], *test.done])
        inside = list(enters)
        exits: dict[int, str] = {}
        for at, merge in merges.items():
            switch = self._make(f"switch_{at}", "Switch", [merge, goes_on], kinds[at])
            inside[at] = self._make(f"turn_{at}", "Identity", [f"{switch}:1"], kinds[at])
            exits[at] = self._make(f"exit_{at}", "Exit", [switch], kinds[at])
        self._make("start_body", "NoOp", [f"^{inside[at]}" for at in values])
        body = instantiate(
            self._function(attr["body"].func.name), self._name("body"), inside, self.made[-1]
        )
        self.made.extend(body.nodes)
        for at in values:  # a turn is over when all of it has run
            end = [body.results[at], *dict.fromkeys(body.done)]
            ended = self._make(f"end_{at}", "Identity", end, kinds[at])
            self._make(f"next_{at}", "NextIteration", [ended], kinds[at])
        self._end([f"^{name}" for name in exits.values()])
        return self.made, [exits.get(at, text) for at, text in enumerate(self.data)]

    def _enter(self, at: int, dtype: int) -> str:
        name = self._make(f"enter_{at}", "Enter", [self.data[at], *self.waits], dtype)
        attr = self.made[-1].attr
        attr["frame_name"].s = self.node.name.encode()
        attr["is_constant"].b = self.is_handle[at]
        attr["parallel_iterations"].i = 1  # turns that write variables run one by one
        return name

    def _name(self, name: str) -> str:
        return f"{self.node.name}/{name}"

    def _cannot(self, why: str) -> ReconstructionError:
        return ReconstructionError(
            f"{self.node.op} {why}, so it cannot be set out for ref variables",
            where=self.node.name,
            remedy="Build the new graph with resource variables (tf.compat.v1."
            "enable_resource_variables()).",
        )
