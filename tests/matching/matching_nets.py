"""Small graphs with their variables, for tests of places."""

from graphmap.matching import Side
from graphmap.model.graph import GraphModel, Node
from graphmap.model.variable import Variable


class Net:
    """Nodes and square matrices, added one by one."""

    def __init__(self):
        self.nodes = [Node("x", "Placeholder", (), "", {})]
        self.variables = []

    def op(self, op, *inputs, **attrs):
        name = f"{op}{len(self.nodes)}"
        self.nodes.append(Node(name, op, inputs, "", attrs))
        return name

    def variable(self, name, shape):
        self.nodes += [Node(name, "VariableV2", (), "", {}),
                       Node(f"{name}/read", "Identity", (name,), "", {})]  # fmt: skip
        self.variables.append(Variable(name, shape, "float32", node=name))
        return f"{name}/read"

    def dense(self, name, value):
        return self.op("MatMul", value, self.variable(name, (4, 4)))

    def side(self):
        return Side(tuple(self.variables), GraphModel(tuple(self.nodes)), ordered=True)
