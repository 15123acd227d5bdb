"""One step of the stored graph against one of the rebuilt: --verify, and its child process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import small_models as models

from graphmap.errors import GraphmapError, UnsafeGraphError
from graphmap.tf import verify
from graphmap.tf.child import run_in_child


@pytest.mark.tf
def test_verify_runs_both_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from graphmap.cli.app import main

    run = models.train(tmp_path)

    assert main(["train-op", run.checkpoint, "--verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["verify"]
    assert told == {
        "train_ops": ["Adam"],
        "how": "transplant",
        "fed": ["x:0", "y:0"],
        "compared": 1 + len(run.values_before),
        "differs": None,
    }


@pytest.mark.tf
def test_verify_names_the_first_variable_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = models.train(tmp_path)
    real = verify.reconstruct_train_op

    def halved(*arguments: Any, **options: Any) -> Any:
        def half(pairs: list[Any]) -> list[Any]:
            return [(gradient * 0.5, variable) for gradient, variable in pairs]

        return real(*arguments, gradient_transform=half, **options)

    monkeypatch.setattr(verify, "reconstruct_train_op", halved)

    assert verify.compare_step(run.checkpoint)["differs"] == "W"


@pytest.mark.tf
def test_an_unsafe_graph_is_refused_before_it_runs(tmp_path: Path) -> None:
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build()
        written = tf.io.write_file(str(tmp_path / "trace"), "ran")
        with tf.control_dependencies([written]):
            loss = tf.square(model["loss"], name="noisy_loss")
        tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "unsafe"))

    with pytest.raises(UnsafeGraphError, match="WriteFile"):
        verify.compare_step(path)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("function", "said"), [("os:abort", "signal 6"), ("sys:exit", "exit code 0")]
)
def test_a_process_that_dies_is_one_error(function: str, said: str) -> None:
    with pytest.raises(GraphmapError, match=said):
        run_in_child(function, {}, "the step")


def test_an_error_of_the_child_comes_through(tmp_path: Path) -> None:
    with pytest.raises(GraphmapError, match="nothing"):
        run_in_child("graphmap.opening:open_model", {"path": str(tmp_path / "nothing")}, "a path")
