"""Every bad input: the right error, with what, where and a remedy, and never a traceback."""

import gzip
import os
import zipfile

import pytest
from bundle_writer import write_bundle

from graphmap.errors import (
    ArtifactError,
    CorruptArtifactError,
    UnknownFormatError,
    UnsupportedArtifactError,
    UsageError,
)
from graphmap.formats.registry import read_artifact
from graphmap.schema import message_class

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 81\n"
HTML = b"<!DOCTYPE html>\n<html><body>404</body></html>\n"


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")


def write(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def meta_graph():
    meta = message_class("MetaGraphDef")()
    meta.meta_info_def.tags.append("serve")
    node = meta.graph_def.node.add(name="w", op="VariableV2")
    node.attr["dtype"].type = 1
    return meta.SerializeToString()


def checkpoint_cut(folder):
    write_bundle(folder / "m", {"w": (1, (2,), b"\0" * 8)})
    index = folder / "m.index"
    index.write_bytes(index.read_bytes()[:-7])


def v1_shards(folder):
    (folder / "m-00000-of-00002").write_bytes(b"x")


def saved_model(folder):
    model = message_class("SavedModel")(saved_model_schema_version=1)
    model.meta_graphs.add().MergeFromString(meta_graph())
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())


def two_checkpoints(folder):
    for name in ("first", "second"):
        write_bundle(folder / name, {"w": (1, (), b"\0" * 4)})


# what is there, the path that is typed, the error, words of its message, words of its remedy
CASES = {
    "missing path": (None, "nowhere", ArtifactError, "no such file, folder", "Check the path"),
    "nearly right path": (
        write("model.ckpt-500.index", b"x"), "model.ckpt-50", ArtifactError,
        "no such file", "Did you mean",
    ),
    "empty folder": (None, ".", UnknownFormatError, "without files", ".index"),
    "folder without a model": (
        write("notes.md", b"hello"), ".", UnknownFormatError, "notes.md", ".index",
    ),
    "state file only": (
        write("checkpoint", b'model_checkpoint_path: "m"\n'), ".", UnknownFormatError,
        "no checkpoint that it names", ".index",
    ),
    "two checkpoints": (two_checkpoints, ".", ArtifactError, "first, second", "Name the one"),
    "empty file": (write("m.meta", b""), "m.meta", ArtifactError, "is empty", "Copy"),
    "LFS pointer": (
        write("m.index", LFS), "m.index", UnknownFormatError, "Git LFS pointer", "git lfs pull",
    ),
    "LFS pointer by prefix": (
        write("m.index", LFS), "m", UnknownFormatError, "Git LFS pointer", "git lfs pull",
    ),
    "LFS state file": (
        write("checkpoint", LFS), ".", UnknownFormatError, "Git LFS pointer", "git lfs pull",
    ),
    "truncated index": (checkpoint_cut, "m", CorruptArtifactError, "end is missing", "Copy"),
    "meta is HTML": (write("m.meta", HTML), "m.meta", UnknownFormatError, "HTML", "Download"),
    "truncated meta": (
        write("m.meta", meta_graph()[:-3]), "m.meta", CorruptArtifactError, "MetaGraphDef", "Copy",
    ),
    "meta through a text-mode copy": (
        write("m.meta", b"\n\x12" + b"\xef\xbf\xbd" * 9), "m.meta", UnknownFormatError,
        "text-mode copy", "binary mode",
    ),
    "gzip": (write("m.pb", gzip.compress(b"x")), "m.pb", UnknownFormatError, "gzip", "gunzip"),
    "zip": (
        lambda folder: zipped(folder / "m.zip", "a"), "m.zip", UnknownFormatError, "zip", "unzip",
    ),
    "keras": (
        lambda folder: zipped(folder / "m.keras", "metadata.json", "config.json"), "m.keras",
        CorruptArtifactError, r"holds no model.weights.h5", "Save",
    ),
    "HDF5": (
        write("m.keras", b"\x89HDF\r\n\x1a\n" + b"\0" * 99), "m.keras", UnsupportedArtifactError,
        "a part of HDF5 that is not read", "Save",
    ),
    "safetensors": (
        write("m.safetensors", (2).to_bytes(8, "little") + b"{]"), "m.safetensors",
        CorruptArtifactError, "no readable JSON", "Download",
    ),
    "V1 shards": (v1_shards, "m", CorruptArtifactError, "no table footer", "Copy"),
    "pickle": (write("m.ckpt", b"\x80\x02}q\0."), "m.ckpt", UnknownFormatError, "pickle", "Give"),
    "garbage": (write("m.pb", bytes(range(256))), "m.pb", UnknownFormatError, "no kind", "Give"),
    "graph that is no graph": (
        write("m.pbtxt", b"# net\nthis is no graph\n"), "m.pbtxt", CorruptArtifactError,
        "2:6", "line and column",
    ),
    "listing that is not UTF-8": (
        write("n.txt", b"w [2] float32\nb\xfcro [1]\n"), "n.txt", CorruptArtifactError,
        "line 2", "UTF-8",
    ),
    "listing with a name twice": (
        write("n.txt", b"w [2]\nb\nw:0\n"), "n.txt", CorruptArtifactError, "'w' twice", "one entry",
    ),
    "listing with a bad line": (
        write("n.txt", b"w [2]\nb [x] float32\n"), "n.txt", CorruptArtifactError, "line 2", "NAME",
    ),
    "listing of nothing": (
        write("n.txt", b"# none\n\n"), "n.txt", CorruptArtifactError, "no variable", "NAME",
    ),
    "JSON that is no listing": (
        write("n.json", b'{"a": {"b": 1}}'), "n.json", CorruptArtifactError, "no listing", "name",
    ),
    "broken JSON": (write("n.json", b"[1,"), "n.json", CorruptArtifactError, "no JSON", "Check"),
    "deep JSON": (write("n.json", b"[" * 99_999), "n.json", CorruptArtifactError, "JSON", "Check"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input(tmp_path, monkeypatch, case):
    make, typed, kind, message, remedy = CASES[case]
    monkeypatch.chdir(tmp_path)
    if make:
        make(tmp_path)
    with pytest.raises(ArtifactError) as caught:
        read_artifact(typed)
    error = caught.value
    assert type(error) is kind
    assert message in error.message or message in error.where
    assert remedy in error.remedy
    assert error.where
    assert "\n" not in error.message + error.remedy


def test_tags_that_do_not_exist(tmp_path):
    saved_model(tmp_path)
    with pytest.raises(UsageError, match="'train'") as caught:
        read_artifact(str(tmp_path), tags="train")
    assert "serve" in caught.value.remedy


def test_a_step_that_does_not_exist(tmp_path):
    write_bundle(tmp_path / "m-10", {"w": (1, (), b"\0" * 4)})
    with pytest.raises(ArtifactError, match="step 7") as caught:
        read_artifact(str(tmp_path), step=7)
    assert "10" in caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "m.pb")
    with pytest.raises(ArtifactError, match="not a regular file"):
        read_artifact(str(tmp_path / "m.pb"))


def test_a_name_with_a_zero_byte_is_refused():
    with pytest.raises(ArtifactError, match="no path"):
        read_artifact("a\0b")


def test_a_meta_that_cannot_be_read_does_not_hide_the_variables(tmp_path):
    write_bundle(tmp_path / "m", {"w": (1, (), b"\0" * 4)})
    (tmp_path / "m.meta").write_bytes(HTML)
    model = read_artifact(str(tmp_path / "m"))
    assert len(model.tensors) == 1
    assert "HTML" in model.warnings[0]
