"""`graphmap.load`: what an Artifact offers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graphmap

FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_a_checkpoint_with_its_meta_is_one_artifact():
    artifact = graphmap.load(FIXTURES / "adam_saver")
    assert artifact.kind == "checkpoint" and artifact.warnings == ()
    assert {v.name for v in artifact.variables if v.role == "weight"} == {
        "my_model/W",
        "my_model/b",
        "my_model/V",
    }
    assert [op.name for op in artifact.train_ops] == ["train_op"]


def test_graph_is_a_networkx_dag_with_the_contract_attributes():
    import networkx

    artifact = graphmap.load(FIXTURES / "adam_saver")
    graph = artifact.graph
    assert isinstance(graph, networkx.MultiDiGraph)
    assert networkx.is_directed_acyclic_graph(graph) and artifact.back_edges == ()
    assert graph.nodes["my_model/W"]["op"] == "VariableV2"
    assert {"output", "input"} <= set(next(iter(graph.edges(data=True)))[2])
    assert artifact.graph is graph, "built once"
    assert graphmap.load(FIXTURES / "weights_only").graph is None


def test_read_takes_names_tensor_names_and_keys():
    artifact = graphmap.load(FIXTURES / "object_checkpoint")
    key = "layer/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    wanted = np.arange(6, dtype=np.float32).reshape(2, 3)
    for name in ("dense/kernel", "dense/kernel:0", key):
        assert np.array_equal(artifact.read(name), wanted)


def test_tensors_is_a_lazy_mapping_of_all_values():
    tensors = graphmap.load(FIXTURES / "adam_saver").tensors()
    assert len(tensors) == 12 and tensors["global_step"] == 5
    assert tensors["my_model/W"].shape == (4, 6)


def test_an_unknown_name_gets_candidates():
    artifact = graphmap.load(FIXTURES / "adam_saver")
    with pytest.raises(graphmap.UnresolvedNameError, match="Did you mean my_model/W") as caught:
        artifact.read("W")
    assert caught.value.candidates[0] == "my_model/W"


def test_values_that_are_not_there_are_an_error():
    with pytest.raises(graphmap.MissingDataError):
        graphmap.load(FIXTURES / "cnn_training").read("conv1/weights")
    with pytest.raises(graphmap.ArtifactError, match="listing"):
        graphmap.load(FIXTURES / "names.txt").read("W")


def test_fingerprint_is_of_names_shapes_and_dtypes():
    saver = graphmap.load(FIXTURES / "adam_saver")
    saved_model = graphmap.load(FIXTURES / "adam_saved_model")
    assert saver.fingerprint == saved_model.fingerprint
    assert saver.fingerprint != graphmap.load(FIXTURES / "weights_only").fingerprint


def test_tags_and_steps_choose():
    assert graphmap.load(FIXTURES / "adam_saved_model", tags="serve").kind == "saved-model"
    assert graphmap.load(FIXTURES / "adam_saver", step=5).kind == "checkpoint"
    with pytest.raises(graphmap.ArtifactError):
        graphmap.load(FIXTURES / "adam_saver", step=6)
