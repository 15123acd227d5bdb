"""Which stored op, loss and variable is which of the new graph; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphmap.analysis.gradients import TensorRef
from graphmap.errors import ReconstructionError, UnresolvedNameError
from graphmap.model.graph import GraphModel, Node
from graphmap.model.training import TrainOp
from graphmap.names import op_name
from graphmap.opening import OpenedModel
from graphmap.tf.descent import HANDLE_CARRIERS, Descent, Difference
from graphmap.tf.live import LiveVariable, live_model, live_variables
from graphmap.tf.runtime import tensorflow
from graphmap.tf.safety import check_agree
from graphmap.tf.transplant import NewVariable
from graphmap.tf.transplant_cut import Cut
from graphmap.tf.transplant_drop import dropped_writes, variable_names
from graphmap.tf.transplant_given import (
    Given,
)
from graphmap.tf.transplant_names import given_pairs, leftover_pairs
from graphmap.tf.transplant_pairs import pair_losses, seeds_of
from graphmap.tf.transplant_state import (
    STATE_SCOPE,
    assignments_for,
    collect_state,
    stored_places,
    unsaved_locals,
    variable_shape,
)

__all__ = ["TransplantPlan", "chosen_train_ops", "graph_of"]


def chosen_train_ops(
    opened: OpenedModel, graph: GraphModel, found: Sequence[TrainOp], wanted: Sequence[str] | None
) -> list[int]:
    """Return the positions of the stored ops to rebuild: those asked for, else all train ops."""
    names = [op_name(name) for name in wanted] if wanted else [op.name for op in found]
    unknown = [name for name in names if name not in graph.index]
    if unknown:
        raise ReconstructionError(
            f"the stored graph has no op {unknown[0]!r}",
            where=opened.stored.path,
            remedy=f"Its train ops: {', '.join(op.name for op in found) or 'none'}.",
        )
    if not names:
        raise ReconstructionError(
            "stores a graph without a train op",
            where=opened.stored.path,
            remedy="A graph exported for inference cannot train: give optimizer= to start anew.",
        )
    return [graph.index[name] for name in dict.fromkeys(names)]


class TransplantPlan:
    """What is known of one rebuild: which loss, update and variable is which, what was assumed."""

    def __init__(
        self,
        opened: OpenedModel,
        graph: Any,
        stored: GraphModel,
        name_map: Any,
        var_list: Iterable[Any] | None = None,
    ) -> None:
        self.opened, self.graph, self.stored = opened, graph, stored
        self.live = live_model(graph)
        self.new = graph_of(self.live)
        self.lives = live_variables(graph)
        self.training, self.found = opened.specs
        given = given_pairs(opened, self.live, name_map)
        index, there = stored.index, self.new.index
        pairs = {index[a]: there[b] for a, b in given.items() if a in index and b in there}
        self.descent = Descent(stored, self.new, pairs)
        self.given = given
        self.places = stored_places(opened.variables)
        self.var_list = None if var_list is None else variable_names(var_list)
        self.pairs: dict[str, str] = {}
        self.prefix = ""
        self.allow_inexact = False
        self.own: dict[int, int] = {}
        self.dropped: frozenset[int] = frozenset()
        self.forward_equal: bool | Difference = True
        self.gradients_equal: bool | Difference = True
        self.assumed: list[str] = []

    # ------------------------------------------------------------------ pairing
    def _pair_losses(
        self, roots: Sequence[int], losses: Sequence[tuple[str | None, Any]]
    ) -> list[Given]:
        """Pair each loss with a stored one; returns those that are taken as given."""
        ys = seeds_of(self.training, roots)
        index = self.new.index
        given = []
        for name, tensor in losses:
            there = TensorRef(index[tensor.op.name], tensor.value_index)
            own = ys if name is None else self._stored_loss(name)
            if name is not None:
                difference = self.descent.walk((own[0], there))
                if difference is not None:
                    given.append(Given(own[0], tensor))
                    self.forward_equal = difference
                    self.assumed.append(
                        f"{tensor.name} is the stored {name}, taken as given: {difference}"
                    )
                    continue
            found = pair_losses(self.training, self.descent, own, [there])
            for stored, _ in found:
                if stored in ys:
                    ys.remove(stored)
                elif stored not in own:
                    node = self.stored.nodes[stored.node].name
                    self.assumed.append(
                        f"{tensor.name} is the stored {node}:{stored.output}; what the stored "
                        "update does between it and what it differentiates was copied"
                    )
        return given

    def _stored_loss(self, name: str) -> list[TensorRef]:
        """Resolve a stored train op or loss name of the caller's mapping."""
        plain = op_name(name)
        by_op = {op.name: op.loss for op in self.found}
        target = op_name(by_op.get(plain) or name)
        known = sorted({str(op.loss) for op in self.found if op.loss} | set(by_op))
        position = self.stored.index.get(target)
        if position is None:
            raise ReconstructionError(
                f"{name!r} is no stored train op and no stored loss",
                where="loss",
                remedy=f"Stored are: {', '.join(known)}",
            )
        return [TensorRef(position, 0)]

    def _own_update_ops(self) -> list[int]:
        key = tensorflow().compat.v1.GraphKeys.UPDATE_OPS
        items = self.graph.get_collection(key)
        return [self.new.index[getattr(item, "op", item).name] for item in items]

    def _usable(self, stored: TensorRef, new: TensorRef) -> bool:
        """Whether a paired tensor of the new graph is a plain value, neither handle nor ref."""
        node = self.stored.nodes[stored.node]
        if node.op in HANDLE_CARRIERS and (
            node.op.startswith("Ref") or node.attrs.get("T") == "resource"
        ):
            return False
        operation = self.graph.get_operation_by_name(self.new.nodes[new.node].name)
        if new.output >= len(operation.outputs):
            return False
        dtype = operation.outputs[new.output].dtype
        return not dtype._is_ref_dtype and dtype.name not in ("resource", "variant")

    def _check_trained(self, cut: Cut) -> None:
        """A trained weight without a partner would train beside the caller's model."""
        trainable = self._trainable()
        written = {
            variable
            for update in self.training.updates
            if update in cut.copied
            for variable in self.training.writes.by_node[update].variables
        }
        for position in sorted(cut.variables):
            name = self.stored.nodes[position].name
            if (
                position not in self.descent.variables
                and position in written
                and position in self.training.forward_variables - self.training.beside
                and (name in trainable or not trainable)
            ):
                raise ReconstructionError(
                    f"the stored update trains {name}, which the new graph has no counterpart for",
                    where=name,
                    remedy="Pass every loss of the old program, choose train ops by train_op=, or "
                    "leave its update out by var_list=, the variables to train.",
                )

    def _trainable(self) -> set[str]:
        defs = self.opened.stored.meta.variables.get("trainable_variables", ())
        return {entry.name for entry in defs}

    def _keep_beside(
        self, name: str, shape: tuple[int, ...], dtype: str, pairs: Mapping[str, str]
    ) -> None:
        """A trainable variable that no loss reads becomes state, if the new graph has none such.

        Raises UnresolvedNameError where it could be one of the caller's.
        """
        taken = set(pairs.values())
        near = [
            variable.op.name
            for variable in self.graph.get_collection("trainable_variables")
            if variable.op.name not in taken
            and variable.dtype.base_dtype.name == dtype
            and variable.shape.is_compatible_with(shape)
        ]
        if near and not self.given:
            raise UnresolvedNameError(
                f"is trainable, no loss reads it, and it could be {', '.join(near[:5])}",
                where=name,
                remedy="Pass name_map={new variable: stored variable}, with every variable that "
                "the files hold.",
                candidates=tuple(near),
            )
        self.assumed.append(f"{name} is trainable, and no loss reads it: kept beside the model")

    def _dropped(self, roots: Sequence[int]) -> frozenset[int]:
        """Return the stored writes of what var_list leaves out; () without a var_list."""
        if self.var_list is None:
            return frozenset()
        dropped = dropped_writes(self.opened, self.training, roots, self.descent, self.var_list)
        if dropped.variables:
            self.assumed.append(
                f"the updates of {', '.join(dropped.variables)} were left out, as var_list asks"
            )
        return dropped.writes

    # ------------------------------------------------------------------ variables
    def _variables(self, cut: Cut, global_step: Any) -> dict[int, NewVariable]:
        """Choose the new variable of each one that the cut uses; it need not be there yet."""
        pairs = dict(self.pairs)
        pairs.update(
            (self.stored.nodes[a].name, self.new.nodes[b].name)
            for a, b in self.descent.variables.items()
        )
        pairs.update({a: b for a, b in self.given.items() if a not in pairs})
        if not self.given:
            self._pair_leftovers(pairs)
        needed = [self.stored.nodes[at].name for at in cut.variables]
        steps = {op.global_step for op in self.found if op.global_step}
        fresh = unsaved_locals(self.opened.stored, self.places, needed)
        kept = [name for name in needed if name not in fresh]
        assignments_for(self.opened.stored, {}, self.places, kept)
        for name in fresh:
            self.assumed.append(f"{name} begins anew: it is a local variable, not stored")
        used = [self.places[name][0] for name in kept]
        check_agree(self.stored, used, self.opened.stored.path)
        flips = self._flips(cut)
        found: dict[int, NewVariable] = {}
        for position in cut.variables:
            node = self.stored.nodes[position]
            shape = variable_shape(self.stored, position, self.places)
            dtype = str(node.attrs["dtype"])
            is_step = node.name in steps
            step = self._step_of(node, global_step) if is_step and node.name not in pairs else None
            if step is not None:
                pairs[node.name] = step.op.name
            if node.name in pairs:
                live = self.lives[pairs[node.name]]
                found[position] = NewVariable(live.node, dtype, shape, live.is_resource)
                continue
            if node.name in self._trainable():
                self._keep_beside(node.name, shape, dtype, pairs)
            resource = (node.op == "VarHandleOp") != (len(flips) == 1 and True in flips)
            name = self.graph.unique_name(f"{STATE_SCOPE}/{node.name}", mark_as_used=False)
            initial = fresh.get(node.name, b"")
            found[position] = NewVariable(name, dtype, shape, resource, initial)
        self.pairs = pairs
        taken = {variable.name for variable in found.values()}
        if global_step is not None and global_step.op.name not in taken:
            raise ReconstructionError(
                "is not the step of the stored train op, which counts "
                + (", ".join(sorted(steps)) if steps else "none"),
                where=f"global_step {global_step.op.name}",
                remedy="Leave global_step out: the step that is counted is found or made.",
            )
        return found

    def _collect_state(self, variables: Mapping[int, NewVariable]) -> dict[str, LiveVariable]:
        """Look at what has been made; returns {stored variable node: live variable}."""
        names = {at: self.stored.nodes[at].name for at in variables}
        steps = {op.global_step for op in self.found if op.global_step}
        known = set(self.lives)
        self.lives = live_variables(self.graph)
        self.pairs.update((names[at], variable.name) for at, variable in variables.items())
        made = [v.name for v in dict.fromkeys(variables.values()) if v.name not in known]
        counting = [v.name for at, v in variables.items() if names[at] in steps]
        collect_state(self.graph, [self.lives[name] for name in made], counting)
        self.lives = live_variables(self.graph) if made else self.lives
        return {a: self.lives[b] for a, b in self.pairs.items()}

    def _pair_leftovers(self, pairs: dict[str, str]) -> None:
        for a, b in leftover_pairs(self.opened, self.live, pairs).items():
            if a not in pairs and b not in pairs.values():
                pairs[a] = b
                self.assumed.append(f"{b} is the stored {a} by name or shape: no loss reaches it")

    def _flips(self, cut: Cut) -> set[bool]:
        """Say, for the paired variables, whether the new one is of the other kind."""
        return {
            (self.stored.nodes[at].op == "VarHandleOp")
            != (self.new.nodes[self.descent.variables[at]].op == "VarHandleOp")
            for at in cut.variables
            if at in self.descent.variables
        }

    def _step_of(self, node: Node, global_step: Any) -> Any:
        """Return the caller's step variable, if it has the stored one's dtype and stands free."""
        tf1 = tensorflow().compat.v1
        step = global_step if global_step is not None else tf1.train.get_global_step(self.graph)
        if step is None:
            return None
        taken = {self.new.nodes[at].name for at in self.descent.variables.values()}
        dtype = str(node.attrs.get("dtype"))
        if step.dtype.base_dtype.name != dtype or step.op.name in taken:
            if global_step is not None:
                raise ReconstructionError(
                    f"is {step.dtype.base_dtype.name} or stands for another variable; the stored "
                    f"step {node.name} is {dtype}",
                    where=f"global_step {step.op.name}",
                    remedy="Pass a step of the stored dtype, or none: one is made.",
                )
            return None
        return step

    def _converted_refs(self, variables: Mapping[int, NewVariable]) -> dict[str, int]:
        """Return {new ref variable: its stored counterpart}, where that is a resource."""
        chosen = {at: variable.name for at, variable in variables.items()}
        refs = {variable.name for variable in variables.values() if not variable.is_resource}
        refs |= {name for name, live in self.lives.items() if not live.is_resource}
        for at, new in self.descent.variables.items():
            chosen[at] = self.new.nodes[new].name
        return {
            name: at
            for at, name in chosen.items()
            if self.stored.nodes[at].op == "VarHandleOp" and name in refs
        }


def graph_of(model: OpenedModel) -> GraphModel:
    assert model.stored.graph is not None
    return model.stored.graph
