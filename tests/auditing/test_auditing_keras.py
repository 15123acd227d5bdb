"""What a Keras config makes Keras do: code, imports, files; usual configs say nothing."""

from __future__ import annotations

import json
import pickle
import time
import zipfile

import numpy
import pytest

import graphmap
from graphmap.auditing.keras_config import audit_config

BYTECODE = ["4wEAAAAAAAAAAAAAAAEAAAACAAAA", None, None]


def layer(class_name, module=None, **config):
    return {"class_name": class_name, "module": module, "config": {"name": "x", **config}}


def model(*layers):
    return {"class_name": "Functional", "config": {"name": "m", "layers": list(layers)}}


@pytest.mark.parametrize(
    ("entry", "severity"),
    [
        pytest.param(layer("Lambda", function=BYTECODE, function_type="lambda"), "critical",
                     id="Keras 2 bytecode"),
        pytest.param(layer("Lambda", "keras.layers", function={
            "class_name": "__lambda__", "config": {"code": "4wEA"}}), "critical",
            id="Keras 3 bytecode"),
        pytest.param(layer("Lambda", function="scale", function_type="function"), "unknown",
                     id="a function that the program supplies"),
        pytest.param({"class_name": "system", "module": "os", "config": "id"}, "critical",
                     id="the Python library"),
        pytest.param(layer("eval", "builtins"), "critical", id="a builtin"),
        pytest.param(layer("get_file", "keras.utils"), "critical", id="a download through Keras"),
        pytest.param(layer("enable_unsafe_deserialization", "keras.config"), "critical",
                     id="the guard is switched off"),
        pytest.param({"class_name": "function", "module": "keras.utils", "config": "get_file"},
                     "critical", id="a download as a function"),
        pytest.param(layer("TFOpLambda", function="io.write_file"), "critical",
                     id="a TensorFlow function that writes"),
        pytest.param(layer("Dense", "their_package.layers"), "unknown", id="a foreign module"),
        pytest.param(layer("StringLookup", "keras.layers", vocabulary="/etc/passwd"), "high",
                     id="a vocabulary anywhere"),
        pytest.param(layer("Own>Dense"), "note", id="a registered class"),
        pytest.param(layer("Dense", "__main__"), "note", id="a class of the program"),
    ],
)  # fmt: skip
def test_reported(entry, severity):
    found = {finding.severity for finding in audit_config(json.dumps(model(entry)), "config.json")}
    assert severity in found


@pytest.mark.parametrize(
    "entry",
    [
        layer("Dense", "keras.layers", units=3, kernel_initializer={
            "class_name": "GlorotUniform", "module": "keras.initializers", "config": {}}),
        layer("TFOpLambda", function="math.reduce_sum"),
        layer("StringLookup", "keras.layers", vocabulary=["a", "b"]),
        {"class_name": "function", "module": "builtins", "config": "relu"},
        {"optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.1}}},
    ],
    ids=["Dense", "a harmless op", "words in the config", "a function by name", "an optimizer"],
)  # fmt: skip
def test_left_alone(entry):
    assert list(audit_config(json.dumps(model(entry)), "config.json")) == []


@pytest.mark.parametrize("text", ["[" * 100_000, "{", b"\xff\xfe{"])
def test_what_cannot_be_read_is_unknown(text):
    assert [finding.severity for finding in audit_config(text, "config.json")] == ["unknown"]


def test_where_it_stands_is_said():
    (found,) = audit_config(
        json.dumps(model(layer("Dense"), layer("Lambda", function=BYTECODE))), "config.json"
    )
    assert found.node == "config.layers[1] (x)" and found.file == "config.json"


HARMFUL = model(layer("Lambda", function=BYTECODE, function_type="lambda"))
HARMLESS = model(layer("Dense", "keras.layers"))


def keras_zip(path, config, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.9.0"}')
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", b"")


def keras_h5(path, config, big):
    import h5py

    if big:  # over 64 KB it lies in another place
        config = {**config, "padding": ["x" * 99] * 1000}
    with h5py.File(path, "w", libver="latest" if big else "earliest") as file:
        file.attrs["keras_version"] = "2.11.0"
        file.attrs["model_config"] = json.dumps(config)
        file.create_dataset("model_weights/dense/kernel", data=[1.0])


@pytest.mark.parametrize(("config", "severities"), [(HARMFUL, {"critical"}), (HARMLESS, set())])
@pytest.mark.parametrize("container", ["stored zip", "packed zip", "h5", "large h5"])
def test_files(tmp_path, container, config, severities):
    if "zip" in container:
        path = tmp_path / "model.keras"
        packed = zipfile.ZIP_DEFLATED if "packed" in container else zipfile.ZIP_STORED
        keras_zip(path, config, compression=packed)
    else:
        path = tmp_path / "model.h5"
        keras_h5(path, config, "large" in container)
    found = graphmap.audit(path)
    assert {finding.severity for finding in found} == severities
    assert found.kind == ("keras-zip" if "zip" in container else "keras-h5")


def test_a_zip_that_blows_up_is_refused(tmp_path):
    keras_zip(tmp_path / "m.keras", {"a": "0" * 50_000_000}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(graphmap.CorruptArtifactError, match="too much"):
        graphmap.audit(tmp_path / "m.keras")


@pytest.mark.parametrize("hidden", ["behind escapes", "behind openings", "in training_config"])
def test_a_config_cannot_hide_in_hdf5(tmp_path, hidden):
    import h5py

    text = json.dumps(HARMFUL)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("model_weights/dense/kernel", data=[1.0])
        if hidden == "behind openings":
            file["noise"] = numpy.frombuffer(b'{"\0' * 20_000, "u1")
        escaped = "".join(f"\\u{ord(c):04x}" if c.isalpha() else c for c in "class_name")
        text = text.replace("class_name", escaped) if hidden == "behind escapes" else text
        file.attrs["training_config" if "training" in hidden else "model_config"] = text
    assert [finding.severity for finding in graphmap.audit(tmp_path / "m.h5")] == ["critical"]


def test_text_that_never_becomes_json_ends_and_is_unknown(tmp_path):
    import h5py

    with h5py.File(tmp_path / "m.h5", "w") as file:
        open_ended = b'{"class_name":[' + b"1," * 2000
        file["noise"] = numpy.frombuffer(open_ended * 500, "u1")
    start = time.process_time()
    assert {finding.severity for finding in graphmap.audit(tmp_path / "m.h5")} == {"unknown"}
    assert time.process_time() - start < 10


def test_pickles_are_unknown(tmp_path):
    keras_zip(tmp_path / "m.keras", HARMLESS)
    with zipfile.ZipFile(tmp_path / "m.keras", "a") as archive:
        archive.writestr("assets/state.bin", pickle.dumps([1]))
        archive.writestr("assets/old.pkl", pickle.dumps([1], protocol=0))
    found = graphmap.audit(tmp_path / "m.keras")
    assert [(f.severity, f.node) for f in found] == [
        ("unknown", "assets/state.bin"), ("unknown", "assets/old.pkl")
    ]  # fmt: skip
    (tmp_path / "model.h5").write_bytes(pickle.dumps([1]))
    found = graphmap.audit(tmp_path / "model.h5")
    assert (found.kind, found.worst) == ("pickle", "unknown")
