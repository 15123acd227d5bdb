"""One step of a stored graph and one of the same update rebuilt elsewhere, compared bit for bit.

The graph elsewhere is a copy of the stored forward pass under another scope; the train ops are
rebuilt over it as over a graph of the user's. Both get the same random input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.analysis.ops import PLACEHOLDER_OPS, VARIABLE_OPS
from graphmap.analysis.updates import upstream
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.opening import OpenedModel
from graphmap.tf.child import run_in_child
from graphmap.tf.descent import INPUT_OPS
from graphmap.tf.importing import open_any
from graphmap.tf.live import live_variables
from graphmap.tf.reconstruct import reconstruct_train_op
from graphmap.tf.resume import resume
from graphmap.tf.runtime import tensorflow

__all__ = ["SCOPE", "compare_step", "forward_copy", "strict_config", "verify"]

SCOPE = "graphmap_copy"
_UNKNOWN_SIZE = 2
_SEED = 1


def verify(
    path: str, tags: str | None = None, step: int | None = None, allow_unsafe: bool = False
) -> dict[str, Any]:
    """Run the comparison in a child process; see compare_step."""
    arguments = {"path": path, "tags": tags, "step": step, "allow_unsafe": allow_unsafe}
    answer: dict[str, Any] = run_in_child("graphmap.tf.verify:compare_step", arguments, path)
    return answer


def compare_step(
    path: str, tags: str | None = None, step: int | None = None, allow_unsafe: bool = False
) -> dict[str, Any]:
    """Return {"train_ops", "how", "fed", "compared", "differs"}.

    compared: how many losses and variables. differs: the first that is not equal in every bit,
    losses before variables, or None. Raises ReconstructionError where no step can be run.
    """
    tf = tensorflow()
    opened = open_any(path, tags, step)
    with tf.Graph().as_default() as graph, _session(graph) as session:
        resumed = resume(opened, session, allow_unsafe=allow_unsafe)
        batch = _random_batch(opened, graph, resumed.prefix)
        first = _one_step(session, resumed.losses, resumed.train_ops, batch, resumed.prefix)
        names = [name for v, lives in resumed.saved for name in (live.node for live in lives)]
        lives = live_variables(graph)
        values = {name: session.run(_value(lives[name], graph)) for name in names}
    graph, losses = forward_copy(opened)
    with graph.as_default():
        rebuilt = reconstruct_train_op(opened, losses, allow_unsafe=allow_unsafe)
    with _session(graph) as session:
        rebuilt.restore(session)
        named = {op.name: f"{SCOPE}/{op.loss}" for op in opened.train_ops if op.loss}
        there = {name: graph.get_tensor_by_name(tensor) for name, tensor in named.items()}
        feeds = {f"{SCOPE}/{name}": value for name, value in batch.items()}
        for stored, tensor in rebuilt.feeds.items():
            feeds.pop(f"{SCOPE}/{stored}", None)
            feeds[tensor.name] = batch[stored]
        second = _one_step(session, there, rebuilt.train_ops, feeds, "")
        lives = live_variables(graph)
        new = {a: v.op.name for a, v in rebuilt.state_map.items() if hasattr(v, "op")}
        shared = [name for name in names if new.get(name, f"{SCOPE}/{name}") in lives]
        results = {
            name: session.run(_value(lives[new.get(name, f"{SCOPE}/{name}")], graph))
            for name in shared
        }
    pairs = [(f"loss of {name}", first[name], second[name]) for name in first]
    pairs += [(name, values[name], results[name]) for name in shared]
    differing = [name for name, a, b in pairs if not _same_bits(a, b)]
    return {
        "train_ops": list(rebuilt.train_ops),
        "how": rebuilt.report.how,
        "fed": sorted(batch),
        "compared": len(pairs),
        "differs": differing[0] if differing else None,
    }


def forward_copy(opened: OpenedModel) -> tuple[Any, list[Any]]:
    """Import what the losses need, and the initializers of its variables, into a new graph.

    Returns the graph, and the losses in it, each once.
    """
    tf = tensorflow()
    stored = opened.stored.graph
    if stored is None or not any(op.loss for op in opened.train_ops):
        raise ReconstructionError(
            "stores no train op with a loss that is known, so there is no step to run",
            where=opened.stored.path,
        )
    losses = list(dict.fromkeys(op.loss for op in opened.train_ops if op.loss))
    kept = _forward_names(stored, [loss.partition(":")[0] for loss in losses])
    proto = tf.compat.v1.GraphDef()
    proto.ParseFromString(stored.raw())
    part = tf.compat.v1.GraphDef(versions=proto.versions, library=proto.library)
    for node in proto.node:
        if node.name in kept:
            new = part.node.add()
            new.CopyFrom(node)
            new.device = ""
            for key in ("_class", "_output_shapes"):
                new.attr.pop(key, None)
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.import_graph_def(part, name=SCOPE)
    return graph, [graph.get_tensor_by_name(f"{SCOPE}/{loss}") for loss in losses]


def _forward_names(stored: GraphModel, losses: list[str]) -> set[str]:
    wanted = upstream(stored, [stored.index[name] for name in losses])
    variables = [stored.nodes[at].name for at in wanted if stored.nodes[at].op in VARIABLE_OPS]
    assigns = [f"{name}/Assign" for name in variables]
    wanted |= upstream(stored, [stored.index[name] for name in assigns if name in stored.index])
    return {stored.nodes[at].name for at in wanted}


def strict_config() -> Any:
    """One thread and no rewriting of graphs: the bits depend on the mathematics only."""
    tf1 = tensorflow().compat.v1
    config = tf1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, allow_soft_placement=True
    )
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
    return config


def _session(graph: Any) -> Any:
    return tensorflow().compat.v1.Session(graph=graph, config=strict_config())


def _random_batch(opened: OpenedModel, graph: Any, prefix: str) -> dict[str, Any]:
    """Return a value for every tensor that comes from outside, by stored tensor name.

    An iterator or queue is fed over: what it gives is made up, like the value of a placeholder.
    """
    import numpy

    stored = opened.stored.graph
    assert stored is not None
    random = numpy.random.RandomState(_SEED)
    roots = [stored.index[op.name] for op in opened.train_ops]
    cone = upstream(stored, roots)
    batch: dict[str, Any] = {}
    for at in sorted(cone):
        node = stored.nodes[at]
        if node.op not in INPUT_OPS or node.op == "PlaceholderWithDefault":
            continue
        operation = graph.get_operation_by_name(prefix + node.name)
        outputs = operation.outputs[:1] if node.op in PLACEHOLDER_OPS else operation.outputs
        for output in outputs:
            batch[f"{node.name}:{output.value_index}"] = _random_value(output, random)
    return batch


def _random_value(tensor: Any, random: Any) -> Any:
    """Floats in (0, 1); integers 0 or 1, which every table has a row for."""
    import numpy

    dims = tensor.shape.as_list() if tensor.shape.rank is not None else []
    shape = [_UNKNOWN_SIZE if size is None else size for size in dims]
    dtype = tensor.dtype.base_dtype.as_numpy_dtype
    if dtype is object:
        return numpy.full(shape, b"a", object)
    if numpy.issubdtype(dtype, numpy.floating):
        return random.uniform(0.05, 0.95, shape).astype(dtype)
    return random.randint(0, 2, shape).astype(dtype)


def _one_step(
    session: Any,
    losses: Mapping[str, Any],
    train_ops: Mapping[str, Any],
    batch: Mapping[str, Any],
    prefix: str,
) -> dict[str, Any]:
    errors = tensorflow().errors
    feeds = {f"{prefix}{name}": value for name, value in batch.items()}
    found = {}
    try:
        for name, loss in losses.items():
            found[name] = session.run(loss, feeds)
        for train_op in train_ops.values():
            session.run(train_op, feeds)
    except (errors.OpError, ValueError) as cause:
        raise ReconstructionError(
            f"TensorFlow cannot run a step on random input: {str(cause).splitlines()[0]}",
            where=", ".join(train_ops),
            remedy="Sizes that the graph does not tell were taken as 2. Compare on real input "
            "with gmtf.resume and gmtf.reconstruct_train_op.",
        ) from cause
    return found


def _value(live: Any, graph: Any) -> Any:
    if live.value is not None:
        return live.value
    tf = tensorflow()
    with graph.as_default(), graph.control_dependencies(None):
        return tf.raw_ops.ReadVariableOp(resource=live.operation.outputs[0], dtype=live.dtype)


def _same_bits(a: Any, b: Any) -> bool:
    import numpy

    a, b = numpy.asarray(a), numpy.asarray(b)
    return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
