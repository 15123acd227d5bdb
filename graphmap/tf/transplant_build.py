"""Rebuilding a train op by copying the stored update onto the caller's graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphmap.analysis.gradients import TensorRef
from graphmap.analysis.raw_gradients import raw_gradients
from graphmap.errors import ReconstructionError
from graphmap.names import op_name
from graphmap.tf.descent import Difference
from graphmap.tf.live import LiveVariable, live_model, variable_object
from graphmap.tf.safety import check_safe
from graphmap.tf.transplant import PREFIX, Copy, NewVariable, plan_copy, plant
from graphmap.tf.transplant_cut import Cut, check_state, find_cut
from graphmap.tf.transplant_drop import decline_unplantable
from graphmap.tf.transplant_given import (
    Given,
    check_given,
    differentiated,
    seeds_below,
    transformed,
)
from graphmap.tf.transplant_pairs import pair_own_updates
from graphmap.tf.transplant_plan import TransplantPlan, chosen_train_ops, graph_of
from graphmap.tf.transplant_races import check_buffers, check_stored_order, order_or_decline
from graphmap.tf.transplant_rebuilt import RebuildReport, Rebuilt
from graphmap.tf.transplant_state import (
    assignments_for,
)

__all__ = ["Transplant"]


class Transplant(TransplantPlan):
    """One rebuild, step by step; every check that can be made comes before the graph is changed."""

    def run(
        self,
        losses: Sequence[tuple[str | None, Any]],
        wanted: Sequence[str] | None,
        global_step: Any,
        allow_unsafe: bool,
        gradient_transform: Any = None,
    ) -> Rebuilt:
        """Pair, cut, copy and order on paper; then make state and import."""
        roots = chosen_train_ops(self.opened, self.stored, self.found, wanted)
        names = [self.stored.nodes[root].name for root in roots]
        check_safe(self.stored, names, allow_unsafe=allow_unsafe, where=self.opened.stored.path)
        decline_unplantable(self.stored, roots)
        given = self._pair_losses(roots, losses)
        self.own = pair_own_updates(self.training, self.descent, roots, self._own_update_ops())
        self.dropped = self._dropped(roots)
        if given:
            replaced = self._new_gradients(roots, given)
        else:
            cut, copy, edges, variables = self._plan(roots, names, global_step, {})
            replaced = {}
        if gradient_transform is not None:
            replaced |= self._transformed(roots, replaced, gradient_transform)
        if replaced:
            cut, copy, edges, variables = self._plan(roots, names, global_step, replaced)
        planted = self._plant(copy)
        state = self._collect_state(variables)
        for first, second in edges:
            source, target = (self._planned(planted, at) for at in (first, second))
            target._add_control_input(source)
        return self._rebuilt(roots, cut, planted, state)

    def _plan(
        self,
        roots: Sequence[int],
        names: Sequence[str],
        global_step: Any,
        replaced: Mapping[TensorRef, str],
    ) -> tuple[Cut, Copy, list[tuple[str, str]], dict[int, NewVariable]]:
        """Work everything out that can be declined; the graph stays as it is.

        Returns what to copy, and (first, second) names of ops that have to be ordered.
        """
        cut = find_cut(
            self.stored, roots, self.descent, self._usable, self.own, self.dropped, replaced
        )
        self.assumed += check_state(
            self.training, cut, self.own, self.dropped, allow_inexact=self.allow_inexact
        )
        self._check_trained(cut)
        variables = self._variables(cut, global_step)
        copy = plan_copy(self.new, self.stored, cut, variables)
        prefix = f"{self.graph.unique_name(PREFIX, mark_as_used=False)}/"
        model = copy.joined_model(self.new, prefix)
        copied = {prefix + node.name for node in copy.made.node}
        starts = [prefix + name for name in names]
        converted = self._converted_refs(variables)
        if converted:
            check_stored_order(self.stored, roots, converted.values(), self.dropped, cut.copied)
        nodes = self.stored.nodes
        flipped = [
            at for at, v in variables.items() if v.is_resource and nodes[at].op != "VarHandleOp"
        ]
        check_buffers(self.stored, roots, flipped, self.dropped, cut.copied)
        edges = order_or_decline(model, starts, converted, copied)
        self.prefix = prefix
        return cut, copy, [(model.nodes[a].name, model.nodes[b].name) for a, b in edges], variables

    def _plant(self, copy: Copy) -> dict[str, Any]:
        handles = {live.node: live.operation.outputs[0] for live in self.lives.values()}
        return plant(self.graph, copy, self.prefix, handles)

    def _planned(self, planted: Mapping[str, Any], name: str) -> Any:
        found = (
            planted.get(name.removeprefix(self.prefix)) if name.startswith(self.prefix) else None
        )
        return found or self.graph.get_operation_by_name(name)

    # ------------------------------------------------------------------ gradients of the caller
    def _plant_part(
        self, tensors: Sequence[TensorRef], replaced: Mapping[TensorRef, str]
    ) -> dict[TensorRef, Any]:
        """Copy what makes some stored tensors, and return the copies."""
        roots = [tensor.node for tensor in tensors if tensor not in replaced]
        cut = find_cut(self.stored, roots, self.descent, self._usable, self.own, (), replaced)
        check_state(self.training, cut, self.own, allow_inexact=self.allow_inexact)
        variables = self._variables(cut, None)
        copy = plan_copy(self.new, self.stored, cut, variables)
        self.prefix = f"{self.graph.unique_name(PREFIX, mark_as_used=False)}/"
        planted = self._plant(copy)
        self._collect_state(variables)
        self.new = self.descent.new = graph_of(live_model(self.graph))
        names = self.stored.nodes
        return {
            tensor: self.graph.get_tensor_by_name(replaced[tensor])
            if tensor in replaced
            else planted[names[tensor.node].name].outputs[tensor.output]
            for tensor in tensors
        }

    def _transformed(
        self, roots: Sequence[int], replaced: Mapping[TensorRef, str], transform: Any
    ) -> dict[TensorRef, str]:
        """Hand the raw gradients to the caller's function, and return what stands for them."""
        raw = raw_gradients(self.training, roots)
        wanted = [t for item in raw for t in (item.tensor, item.indices) if t is not None]
        tensors = self._plant_part(list(dict.fromkeys(wanted)), replaced)
        variables = [variable_object(self.lives[self._new_name(item.variable)]) for item in raw]
        found = transformed(self.graph, raw, tensors, variables, transform)
        self.new = self.descent.new = graph_of(live_model(self.graph))
        self.assumed.append("gradient_transform changed the raw gradients: no stored run did that")
        return found

    def _new_gradients(self, roots: Sequence[int], given: Sequence[Given]) -> dict[TensorRef, str]:
        """Differentiate losses that are taken as given; their gradients replace the stored ones."""
        for stored, new in self._pairs_by_name().items():
            self.descent.variables.setdefault(self.stored.index[stored], self.new.index[new])
        raw = raw_gradients(self.training, roots)
        seeds = seeds_below(self.training, given)
        check_given(self.training, raw, seeds, roots)
        replaced = {item.stored: item.tensor.name for item in given}
        between = self._plant_part([seed.y for seed in seeds if seed.y is not None], replaced)
        own = [item for item in raw if item.seeds & {seed.node for seed in seeds}]
        variables = [variable_object(self.lives[self._new_name(item.variable)]) for item in own]
        found = differentiated(self.graph, list(between.values()), own, variables)
        self.new = self.descent.new = graph_of(live_model(self.graph))
        self.gradients_equal = Difference(
            self.stored.nodes[own[0].tensor.node].name,
            op_name(found[own[0].tensor]),
            "the gradient was made anew, of a loss that was taken as given",
        )
        return {**replaced, **found}

    def _pairs_by_name(self) -> dict[str, str]:
        pairs = {
            self.stored.nodes[a].name: self.new.nodes[b].name
            for a, b in self.descent.variables.items()
        }
        if not self.given:
            self._pair_leftovers(pairs)
        return {a: b for a, b in pairs.items() if a in self.stored.index and b in self.new.index}

    def _new_name(self, position: int) -> str:
        name = self.stored.nodes[position].name
        if position not in self.descent.variables:
            raise ReconstructionError(
                "is trained by the stored op and has no counterpart in the new graph",
                where=name,
                remedy="Pass name_map={new variable: stored variable}.",
            )
        return self.new.nodes[self.descent.variables[position]].name

    # ------------------------------------------------------------------ result
    def _rebuilt(
        self,
        roots: Iterable[int],
        cut: Cut,
        planted: Mapping[str, Any],
        state: Mapping[str, LiveVariable],
    ) -> Rebuilt:
        nodes = self.stored.nodes
        feeds = {f"{nodes[at].name}:0": planted[nodes[at].name].outputs[0] for at in cut.feeds}
        if feeds:
            self.assumed.append(f"a step has to be fed: {', '.join(feeds)}")
        names = {node: place[0].name for node, place in self.places.items()}
        return Rebuilt(
            graph=self.graph,
            stored=self.opened.stored,
            train_ops={nodes[at].name: planted[nodes[at].name] for at in roots},
            feeds=feeds,
            state_map={
                (a if self.places[a][1] is not None else names[a]): variable_object(live)
                for a, live in state.items()
                if a in self.places
            },
            assignments=assignments_for(self.opened.stored, state, self.places, ()),
            report=RebuildReport(
                "transplant",
                forward_equal=self.forward_equal,
                gradients_equal=self.gradients_equal,
                copied=len(cut.copied),
                assumed=tuple(dict.fromkeys(self.assumed)),
                found=tuple(op for op in self.found if self.stored.index[op.name] in set(roots)),
            ),
        )
