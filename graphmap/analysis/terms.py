"""The terms of an update rule: its ops, as seen from the variable that is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphmap.analysis.updates import Training
from graphmap.analysis.values import Value, inputs_of, node_of, number, resolve, root_variable
from graphmap.model.graph import ShapeValue

__all__ = ["Term", "TermReader", "factor_of", "has_own_factor", "is_square", "shape_of"]

_FACTOR_LIMIT = 6  # products in one term
_DEPTH_LIMIT = 50  # ops between a gradient and the variable it updates


@dataclass(frozen=True, slots=True)
class Term:
    """One op of an update rule, seen from the written variable.

    kind: an op type, or "number", "variable", "scalar" (no gradient in it), "gradient" (no state
    in it). variable: position in the top graph.
    """

    kind: str
    value: Value
    operands: tuple[Term, ...] = ()
    number: float | int | bool | None = None
    variable: int = -1

    def parts(self) -> Iterator[Term]:
        """Yield this term and all below it."""
        stack = [self]
        seen = set()
        while stack:
            term = stack.pop()
            if id(term) not in seen:
                seen.add(id(term))
                yield term
                stack.extend(reversed(term.operands))

    def is_free(self) -> bool:
        """Whether no gradient and no slot or weight is in it: a rate, a factor."""
        return not any(
            part.kind == "gradient" or (part.kind == "variable" and _is_array(part))
            for part in self.parts()
        )


class TermReader:
    """Turns values into terms, for the rule of one variable."""

    def __init__(self, training: Training, variable: int) -> None:
        self.training = training
        self.variable = variable
        self.shape = shape_of(training, variable)
        self._terms: dict[tuple[int, int, int], Term] = {}

    def is_slot(self, variable: int) -> bool:
        """A variable that gradients reach, of the shape of the trained one, is its slot."""
        training = self.training
        if variable in training.forward_variables or not training.tainted[variable]:
            return False
        return shape_of(training, variable) == self.shape

    def reads_state(self, value: Value) -> bool:
        """Whether a value of the top graph depends on a slot."""
        return bool(self.training.from_state[resolve(value).node])

    def variable_of(self, value: Value) -> int:
        """Return the top graph's variable that a value is, through reads and earlier writes."""
        return root_variable(value)

    def term(self, value: Value, depth: int = 0) -> Term:
        """Return the term of a value; shared values share their term."""
        value = resolve(value)
        place = (id(value.frame.graph), value.node, value.output)
        known = self._terms.get(place)
        if known is None:
            known = self._terms[place] = self._new_term(value, depth)
        return known

    def _new_term(self, value: Value, depth: int) -> Term:
        variable = self.variable_of(value)
        if variable >= 0:
            return Term("variable", value, variable=variable)
        is_tainted = value.frame.caller is None and self.training.tainted[value.node]
        plain = None if is_tainted else number(value)
        if plain is not None:
            return Term("number", value, number=plain)
        if value.frame.caller is None:
            if not self.training.tainted[value.node]:
                return Term("scalar", value)
            if not self.training.from_state[value.node]:
                return Term("gradient", value)
        if depth > _DEPTH_LIMIT:
            return Term("gradient", value)
        operands = tuple(self.term(source, depth + 1) for source in inputs_of(value))
        return Term(node_of(value).op, value, operands)


def shape_of(training: Training, variable: int) -> object:
    """Return the stored shape of a variable, to be compared; None where it is not known."""
    value = training.graph.nodes[variable].attrs.get("shape")
    return value.dims if isinstance(value, ShapeValue) else None


def has_own_factor(gradient: Term) -> bool:
    """Whether a gradient is scaled by a constant, as in (1 - beta) * g."""
    if node_of(gradient.value).op != "Mul":
        return False
    return any(number(source) is not None for source in inputs_of(gradient.value))


def is_square(term: Term) -> bool:
    """Whether a term, or the ops just behind a gradient leaf, square something."""
    values = [term.value]
    if term.kind == "gradient":
        values += [resolve(source) for source in inputs_of(term.value)]
        values = [value for value in values if value.frame.caller is None]
    for value in values:
        if node_of(value).op == "Square":
            return True
        factors = _factors(value)
        if len(set(map(_place, factors))) < len(factors):
            return True
        sources = inputs_of(value)
        if node_of(value).op == "Pow" and len(sources) == 2 and number(sources[1]) == 2:
            return True
    return False


def _factors(value: Value) -> list[Value]:
    """Return what a product is made of: (c * g) * g is c, g, g."""
    found = [value]
    for _ in range(_FACTOR_LIMIT):
        product = next((v for v in found if node_of(v).op == "Mul"), None)
        if product is None:
            break
        found.remove(product)
        found += [resolve(source) for source in inputs_of(product)]
    return [factor for factor in found if number(factor) is None]


def _place(value: Value) -> tuple[int, int, int]:
    return id(value.frame.graph), value.node, value.output


def factor_of(term: Term) -> Term | None:
    """Return the rate: the factor of an update that holds neither gradient nor state."""
    stack = [term]
    while stack:
        part = stack.pop()
        if part.kind in {"RealDiv", "Div", "Neg"}:
            stack.append(part.operands[0])
        elif part.kind == "Mul":
            for operand in part.operands:
                if operand.is_free():
                    return operand
            stack.extend(reversed(part.operands))
    return None


def _is_array(term: Term) -> bool:
    shape = node_of(Value(term.value.frame, term.value.node)).attrs.get("shape")
    return not (isinstance(shape, ShapeValue) and shape.dims == ())
