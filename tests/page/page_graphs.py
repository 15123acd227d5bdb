"""Graphs that the tests of pages open: a large one, and one with hostile names."""

from __future__ import annotations

from graphmap.model.graph import AttrValue, GraphModel, Node, ShapeValue
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable

HOSTILE = (
    "</script><script>window.hurt=1</script>",
    "<img src=x onerror=window.hurt=1>",
    "quote\"'`${window.hurt=1}",
    "bidi\u202etxt.exe",
    "nul\x00bell\x07",
    "]]>&lt;b&gt;",
)


def large_graph(nodes: int, *, blocks: int = 40, layers: int = 25) -> StoredModel:
    """A deep net of about `nodes` nodes in `blocks` x `layers` scopes, no two blocks equal."""
    made: list[Node] = []

    def add(op: str, name: str, *inputs: str, **attrs: AttrValue) -> str:
        made.append(Node(name, op, inputs, "", attrs))
        return name

    shape = {"_output_shapes": (ShapeValue((None, 64)),)}
    top = add("Placeholder", "x", dtype="float32", **shape)
    each = max(1, nodes // (blocks * layers) - 9)
    for block in range(blocks):
        skip = top
        for layer in range(layers):
            scope = f"net/block_{block}/layer_{layer}"
            for part, sizes in (("kernel", (64, 64)), ("bias", (64,))):
                name = f"{scope}/{part}"
                add("VariableV2", name, shape=ShapeValue(sizes), dtype="float32")
                add("Identity", f"{name}/read", name)
            top = add("MatMul", f"{scope}/MatMul", top, f"{scope}/kernel/read", **shape)
            top = add("BiasAdd", f"{scope}/BiasAdd", top, f"{scope}/bias/read", **shape)
            for number in range(each):
                op = ("Relu", "Tanh", "Sigmoid")[(block + number) % 3]
                top = add(op, f"{scope}/act_{number}/{op}", top, **shape)
            if (block * layer) % 7 == 3:
                top = add("Add", f"{scope}/Add", top, skip, **shape)
    add("Mean", "loss/Mean", top, _output_shapes=(ShapeValue(()),))
    return StoredModel("run/large.meta", "metagraph", graph=GraphModel(tuple(made), producer=27))


def hostile_graph() -> StoredModel:
    """Every hostile name as scope, node and attribute value."""
    made = [Node("x", "Placeholder", (), "", {"dtype": "float32"})]
    for number, name in enumerate(HOSTILE):
        attrs: dict[str, AttrValue] = {name: name.encode(), "T": "float32"}
        scope = f"{name}/inner {number}"
        for op in ("Relu", "Tanh"):
            made.append(Node(f"{scope}/{op}{name}", op, (made[-1].name,), name, attrs))
    return StoredModel(f"run/{HOSTILE[0]}", "graphdef", graph=GraphModel(tuple(made)))


def variables_of(stored: StoredModel) -> tuple[Variable, ...]:
    from graphmap.analysis.variables import find_variables

    return find_variables(stored)
