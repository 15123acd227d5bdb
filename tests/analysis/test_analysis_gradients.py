"""Gradient calls of every age, and what they differentiated."""

from __future__ import annotations

from analysis_graphs import GraphBuilder

from graphmap.analysis.gradients import find_gradient_calls


def differentiated(build: GraphBuilder) -> dict[str, list[str | None]]:
    graph = build.graph()
    return {
        call.scope: [
            f"{graph.nodes[seed.y.node].name}:{seed.y.output}" if seed.y else None
            for seed in call.seeds
        ]
        for call in find_gradient_calls(graph)
    }


def with_loss() -> GraphBuilder:
    build = GraphBuilder()
    build.loss("w")
    build.const("gradients/Shape", 1)
    return build


def test_seed_up_to_tensorflow_1_2() -> None:
    build = with_loss()
    build.const("gradients/Const", 1.0)
    build.add("Fill", "gradients/Fill", "gradients/Shape", "gradients/Const")
    build.add("Tile", "gradients/loss_grad/Tile", "gradients/Fill")
    assert differentiated(build) == {"gradients": ["loss:0"]}


def test_seed_up_to_tensorflow_1_15() -> None:
    build = with_loss()
    build.const("gradients/grad_ys_0", 1.0)
    build.add("Fill", "gradients/Fill", "gradients/Shape", "gradients/grad_ys_0")
    build.add("Tile", "gradients/loss_grad/Tile", "gradients/Fill")
    assert differentiated(build) == {"gradients": ["loss:0"]}


def test_seed_of_today() -> None:
    build = with_loss()
    build.gradients("w")
    assert differentiated(build) == {"gradients": ["loss:0"]}


def test_a_dynamic_shape_names_the_tensor_itself() -> None:
    build = GraphBuilder()
    build.loss("w")
    build.add("Shape", "gradients/Shape", "loss:1")
    build.add("Fill", "gradients/grad_ys_0", "gradients/Shape", "one")
    assert differentiated(build) == {"gradients": ["loss:1"]}


def test_a_fill_that_is_no_seed() -> None:
    build = with_loss()
    build.add("Fill", "zeros/Fill", "gradients/Shape", "zero")
    build.add("Add", "sum", "zeros/Fill", "loss")
    assert differentiated(build) == {}


def test_forward_name_relative_to_the_root() -> None:
    build = with_loss()
    build.gradients("w", scope="train/opt/gradients")
    assert differentiated(build) == {"train/opt/gradients": ["loss:0"]}


def test_forward_name_relative_to_an_import_scope() -> None:
    build = with_loss()
    build.add("Mean", "imported/loss", "x")
    build.gradients("w", scope="imported/gradients")
    assert differentiated(build) == {"imported/gradients": ["imported/loss:0"]}


def test_a_gradient_of_a_gradient() -> None:
    build = with_loss()
    build.gradients("w")
    build.add("Sum", "gradients/loss_grad/Sum", "gradients/loss_grad/Tile")
    build.gradients("w", scope="gradients_1", loss="gradients/loss_grad/Sum")
    assert differentiated(build)["gradients_1"] == ["gradients/loss_grad/Sum:0"]


def test_an_ungated_sum_leaves_no_gradient_op_and_is_found() -> None:
    build = with_loss()
    build.add("L2Loss", "penalty", "w/read")
    build.add("AddN", "total", "loss", "penalty")
    build.add("Identity", "shown", "total")
    build.gradients("w")
    build.add("Mul", "gradients/penalty_grad/mul", "w/read", "gradients/grad_ys_0")
    assert differentiated(build) == {"gradients": ["total:0"]}


def test_a_seed_without_a_forward_op() -> None:
    build = GraphBuilder()
    build.add("Identity", "gradients/grad_ys_0", "given")
    assert differentiated(build) == {"gradients": [None]}
