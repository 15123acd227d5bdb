"""Remote artifacts: the same as local ones, and nothing is fetched that is not looked at."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import graphmap
from graphmap.files import open_regular
from graphmap.remote import is_remote, redact

FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = ["adam_saver", "adam_saved_model", "object_checkpoint", "partitioned"]


@pytest.mark.parametrize("name", NAMES)
def test_a_remote_folder_is_the_local_one(bucket, name):
    there, here = graphmap.load(f"memory://bucket/{name}"), graphmap.load(FIXTURES / name)
    assert there.path == f"memory://bucket/{name}"
    assert (there.kind, there.variables) == (here.kind, here.variables)
    assert [op.name for op in there.train_ops] == [op.name for op in here.train_ops]
    for variable in here.variables:
        if variable.checkpoint_key is not None:
            assert np.array_equal(there.read(variable.name), here.read(variable.name))


def test_a_prefix_and_a_file_of_it(bucket):
    for name in ("model.ckpt-5", "model.ckpt-5.index"):
        artifact = graphmap.load(f"memory://bucket/adam_saver/{name}")
        assert artifact.kind == "checkpoint" and artifact.has_graph
    alone = graphmap.load("memory://bucket/adam_saver/model.ckpt-5.meta")
    assert alone.kind == "metagraph"


def test_a_listing_fetches_no_data(bucket, monkeypatch):
    asked = []
    real = type(bucket).cat_file

    def cat_file(self, path, start=None, end=None, **others):
        asked.append((path, start, end))
        return real(self, path, start, end, **others)

    monkeypatch.setattr(type(bucket), "cat_file", cat_file)
    artifact = graphmap.load("memory://bucket/adam_saver")
    assert artifact.variables and not any(".data-" in path for path, _, _ in asked)
    artifact.read("my_model/W")
    assert any(".data-" in path for path, _, _ in asked)
    asked.clear()
    graphmap.load("memory://bucket/adam_saver").read("my_model/W")
    assert asked == []  # all of it is in the cache


def test_a_changed_remote_file_is_fetched_again(bucket):
    path = "/bucket/list/names.txt"
    bucket.pipe_file(path, b"a [1]\nb [1]\n")
    assert len(graphmap.load("memory://bucket/list/names.txt").variables) == 2
    bucket.pipe_file(path, b"a [1]\n")
    assert len(graphmap.load("memory://bucket/list/names.txt").variables) == 1


def test_a_file_that_is_gone_is_gone_here_too(bucket):
    graphmap.load("memory://bucket/adam_saver")
    bucket.rm("/bucket/adam_saver/model.ckpt-5.meta")
    assert not graphmap.load("memory://bucket/adam_saver").has_graph


def test_warnings_and_errors_name_the_address(bucket, cache):
    bucket.rm("/bucket/adam_saver/model.ckpt-5.data-00000-of-00001")
    artifact = graphmap.load("memory://bucket/adam_saver")
    (warning,) = artifact.warnings
    with pytest.raises(graphmap.MissingDataError) as missing:
        artifact.read("my_model/W")
    assert missing.value.where.startswith("memory://bucket/adam_saver/")
    assert "memory://bucket/adam_saver/model.ckpt-5.data" in warning and str(cache) not in warning
    bucket.pipe_file("/bucket/bad.h5", b"<html>no</html>")
    with pytest.raises(graphmap.ArtifactError) as caught:
        graphmap.load("memory://bucket/bad.h5")
    assert caught.value.where == "memory://bucket/bad.h5"
    with pytest.raises(graphmap.ArtifactError, match="no such file"):
        graphmap.load("memory://bucket/nothing")


def test_renaming_copies_the_remote_values(bucket, tmp_path):
    out = tmp_path / "new" / "model.ckpt"
    out.parent.mkdir()
    graphmap.rename("memory://bucket/adam_saver", {"W2": "my_model/W"}, out)
    old = graphmap.load(FIXTURES / "adam_saver").read("my_model/W")
    assert np.array_equal(graphmap.load(out).read("W2"), old)
    with pytest.raises(graphmap.UsageError, match="cannot be linked"):
        graphmap.rename(
            "memory://bucket/adam_saver", {"W2": "my_model/W"}, tmp_path / "b", link=True
        )


def test_a_name_that_leads_out_is_not_placed(bucket, cache, tmp_path):
    bucket.store["/bucket/evil/../../../out.pb"] = bucket.store[
        "/bucket/adam_saver/model.ckpt-5.meta"
    ]
    try:
        with pytest.raises(graphmap.ArtifactError):
            graphmap.load("memory://bucket/evil")
    finally:
        del bucket.store["/bucket/evil/../../../out.pb"]
    assert not list(tmp_path.rglob("out.pb"))


def test_a_path_inside_a_file_asks_for_nothing(bucket):
    bucket.pipe_file(
        "/bucket/state/checkpoint", b'model_checkpoint_path: "memory://bucket/adam_saver/x"\n'
    )
    with pytest.raises(graphmap.ArtifactError):
        graphmap.load("memory://bucket/state")


def test_http_with_ranges(serve):
    root, sent = serve(FIXTURES, has_ranges=True)
    artifact = graphmap.load(f"{root}/adam_saver/model.ckpt-5")
    assert artifact.has_graph and not [path for path, _ in sent if ".data-" in path]
    local = graphmap.load(FIXTURES / "adam_saver").read("my_model/W")
    assert np.array_equal(artifact.read("my_model/W"), local)


@pytest.fixture
def large(tmp_path) -> Path:
    """A checkpoint whose data file is larger than what is fetched in one piece."""
    folder = tmp_path / "large"
    shutil.copytree(FIXTURES / "weights_only", folder)
    (data,) = folder.glob("*.data-*")
    with data.open("ab") as stream:
        stream.truncate(1 << 20)
    return folder


def test_http_without_ranges_is_told_apart(serve, large):
    root, _ = serve(large, has_ranges=False)
    artifact = graphmap.load(f"{root}/model.ckpt-5")
    assert artifact.variables
    with pytest.raises(graphmap.ArtifactError, match="no range requests"):
        artifact.read(artifact.variables[-1].name)
        artifact.read(artifact.variables[0].name)


def test_credentials_are_never_told(serve, cache):
    root, _ = serve(FIXTURES, has_ranges=True)
    address = root.replace("http://", "http://me:hunter2@") + "/secret.pb?token=hunter3"
    with pytest.raises(graphmap.GraphmapError) as caught:
        graphmap.load(address)
    assert "hunter" not in str(caught.value)
    assert redact(address) == f"{root}/secret.pb"
    kept = [path for path in cache.rglob("*") if path.is_file() and b"hunter" in path.read_bytes()]
    assert kept == []


def test_unknown_protocols_and_missing_drivers_are_told(monkeypatch):
    with pytest.raises(graphmap.UsageError, match="no address that fsspec knows"):
        graphmap.load("nonsense://a/b")
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(graphmap.MissingDependencyError) as caught:
        graphmap.load("s3://bucket/model")
    assert "pip install" in caught.value.remedy


def test_a_bucket_is_scanned(bucket, tmp_path):
    shutil.copytree(FIXTURES, tmp_path / "here")
    with graphmap.scan("memory://bucket") as there, graphmap.scan(tmp_path / "here") as here:
        wanted = [_plain(row, f"{tmp_path}/here") for row in here]
        assert [_plain(row, "memory://bucket") for row in there] == wanted


def _plain(row, root):
    return str(row).replace(root, "ROOT").replace("ROOT/", "")


def test_what_is_no_address_stays_a_path():
    assert is_remote("s3://b/k") and not is_remote("./a/b") and not is_remote("a:b//c")
    with pytest.raises(graphmap.ArtifactError, match="no such file"):
        graphmap.load("./odd://name")


def test_local_files_are_opened_as_before(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x")
    with open(open_regular(path), "rb") as stream:
        assert stream.read() == b"x"
