"""What rename leaves on disk: the old or the new, never half; and what it refuses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import graphmap
from graphmap.formats.protos import message_from_bytes
from graphmap.formats.sstable import read_table
from graphmap.formats.table_writer import table_bytes
from graphmap.rewrite.staging import Range, Staging

FIXTURES = Path(__file__).parents[2] / "fixtures"
SAVER = FIXTURES / "adam_saver"


@pytest.fixture
def command(tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "graphmap", *words], cwd=tmp_path, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def names(path):
    return {variable.name for variable in graphmap.load(path).variables}


@pytest.mark.parametrize("index", sorted(FIXTURES.rglob("*.index")), ids=lambda p: p.parent.name)
def test_an_index_is_written_as_tensorflow_does(index):
    data = index.read_bytes()
    assert table_bytes(read_table(data, "index").items()) == data


def test_an_index_of_several_blocks():
    entries = {f"layer_{at:06d}/kernel".encode(): b"v" * 40 for at in range(20_000)}
    data = table_bytes(entries.items())
    assert read_table(data, "index") == entries


def test_a_folder_gets_the_old_name(tmp_path):
    report = graphmap.rename(SAVER, None, f"{tmp_path}/new/", prefix="p/")
    assert all(Path(path).parent == tmp_path / "new" for path in report.written)
    assert report.written[-1].endswith(".index")
    assert all(name.startswith("p/") for name in names(tmp_path / "new"))


def test_a_dry_run_writes_nothing(tmp_path, command):
    result = command("rename", str(SAVER), "--prefix", "p/", "--dry-run", "-o", "new/m")
    assert result.returncode == 0 and "would change" in result.stdout and "p/" in result.stdout
    assert not (tmp_path / "new").exists()


def test_existing_files_stay_without_force(tmp_path):
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    with pytest.raises(graphmap.UsageError, match="exists already"):
        graphmap.rename(SAVER, None, tmp_path / "m", prefix="b/")
    assert all(name.startswith("a/") for name in names(tmp_path / "m.index"))
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="b/", force=True)
    assert all(name.startswith("b/") for name in names(tmp_path / "m.index"))
    assert len(list(tmp_path.glob("m.data-*"))) == 2  # one of them empty: other names than before
    assert graphmap.load(tmp_path / "m.index").read("b/" + sorted(names(SAVER))[0]) is not None


def test_nothing_is_renamed_in_place(tmp_path):
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    with pytest.raises(graphmap.UsageError, match="in place"):
        graphmap.rename(tmp_path / "m", None, tmp_path / "m", prefix="b/", force=True)


def test_all_collisions_are_told_at_once(tmp_path):
    weights = [v.name for v in graphmap.load(SAVER).variables if v.role == "weight"]
    with pytest.raises(graphmap.NameMapError) as caught:
        graphmap.rename(SAVER, None, tmp_path / "m", rules=[(".*", "same")])
    assert all(name in str(caught.value) for name in weights)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"only": "nothing like this", "prefix": "a/"}, "no variable would be left"),
        ({"rules": [("W", "X")]}, "none of 12 names would change"),  # it has to fit a whole name
        ({"strip": "other/"}, "none of 12 names would change"),
        ({}, "nothing says the new names"),
    ],
)
def test_a_rename_of_nothing_is_an_error(tmp_path, options, told):
    with pytest.raises(graphmap.UsageError, match=told):
        graphmap.rename(SAVER, None, tmp_path / "m", **options)
    assert not list(tmp_path.iterdir())


def test_what_has_no_variables_is_written_as_it_is(tmp_path):
    graph = message_from_bytes("GraphDef", b"", "")
    graph.node.add(name="one", op="NoOp")
    (tmp_path / "a.pb").write_bytes(graph.SerializeToString())
    graphmap.rename(tmp_path / "a.pb", None, tmp_path / "b.pb", prefix="new/")
    assert (tmp_path / "b.pb").read_bytes() == (tmp_path / "a.pb").read_bytes()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"only": "W$"}, {"my_model/W", "my_model/W/Adam", "my_model/W/Adam_1"}),
        ({"no_slots": True, "only": "my_model"}, {"my_model/W", "my_model/V", "my_model/b"}),
    ],
)
def test_a_part_needs_no_new_names(tmp_path, options, left):
    graphmap.rename(SAVER, None, tmp_path / "m", **options, compact=True)
    assert names(tmp_path / "m") == left


@pytest.mark.parametrize("new", ["with space", "a?b", "/abs"])
def test_a_graph_takes_no_impossible_name(tmp_path, new):
    weight = next(v.name for v in graphmap.load(SAVER).variables if v.role == "weight")
    with pytest.raises(graphmap.GraphmapError):
        graphmap.rename(SAVER, {new: weight}, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", [SAVER, FIXTURES / "adam_saved_model"])
def test_a_refused_rename_leaves_no_folder(tmp_path, source):
    with pytest.raises(graphmap.NameMapError, match="no names of nodes"):
        graphmap.rename(source, None, tmp_path / "new" / "folder" / "m", prefix="a b/")
    assert not list(tmp_path.iterdir())


def test_a_layout_is_for_convert(tmp_path):
    weight = next(v.name for v in graphmap.load(SAVER).variables if v.role == "weight")
    from graphmap.model.namemap import Decision

    moved = Decision("w", "matched", actual=weight, layout="transpose", confidence=1.0)
    with pytest.raises(graphmap.NameMapError, match="convert"):
        graphmap.rename(SAVER, graphmap.NameMap((moved,)), tmp_path / "m")


def test_an_open_row_makes_exit_code_1(tmp_path, command):
    weight = next(v.name for v in graphmap.load(SAVER).variables if v.role == "weight")
    (tmp_path / "names.txt").write_text("nothing_like_it_at_all [17,3,5]\n")
    command("match", str(SAVER), "--expected", "names.txt", "-o", "map.json")
    result = command("rename", str(SAVER), "--map", "map.json", "-o", "m")
    assert result.returncode == 1 and "open in the map" in result.stdout and weight in result.stdout


def test_a_missing_shard_is_an_error_before_anything_is_written(tmp_path):
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    next(tmp_path.glob("m.data-*")).unlink()
    with pytest.raises(graphmap.MissingDataError):
        graphmap.rename(tmp_path / "m", None, tmp_path / "out" / "m", prefix="b/")
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


@pytest.mark.parametrize("link", [True, False])
def test_a_data_file_that_leads_outside_is_not_copied(tmp_path, link):
    graphmap.rename(SAVER, None, tmp_path / "a" / "m", prefix="a/")
    data = next((tmp_path / "a").glob("m.data-*"))
    data.rename(tmp_path / "secret")
    data.symlink_to(tmp_path / "secret")
    with pytest.raises(graphmap.MissingDataError, match="out of its folder"):
        graphmap.rename(tmp_path / "a" / "m", None, tmp_path / "m", prefix="b/", link=link)
    assert not list(tmp_path.glob("m.*"))


def test_no_space_is_one_error(tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full)
    with pytest.raises(graphmap.GraphmapError, match="No space left"):
        graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    assert list(tmp_path.iterdir()) == []


def test_where_the_system_copies_no_ranges(tmp_path, monkeypatch):
    def other(*_args, **_kwargs):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", other)
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    monkeypatch.undo()
    graphmap.rename(SAVER, None, tmp_path / "n", prefix="a/")
    one, other_data = (next(tmp_path.glob(f"{n}.data-*")).read_bytes() for n in "mn")
    assert one == other_data


@pytest.mark.parametrize("out", ["m", "m.safetensors"])
def test_a_source_that_changes_meanwhile_is_one_error(tmp_path, monkeypatch, out):
    """A write of another program at the worst moment: all is copied, nothing is in place yet."""
    source = tmp_path / "source"
    shutil.copytree(SAVER, source)
    write, fsync = graphmap.rename if out == "m" else graphmap.convert, os.fsync
    data = next(source.glob("*.data-*"))

    def meddle(handle):
        with open(data, "r+b") as stream:
            stream.write(b"\1")
        os.utime(data, ns=(1, 1))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", meddle)
    with pytest.raises(graphmap.MissingDataError, match="changed while it was copied"):
        write(source, None, tmp_path / "new" / out, **({"prefix": "a/"} if out == "m" else {}))
    assert not (tmp_path / "new").exists()


SMALL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from graphmap.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of a file there")
@pytest.mark.parametrize("out", ["m", "m.ckpt", "m.safetensors", "m.npz", "m.h5"])
def test_a_full_disk_is_one_error_and_leaves_what_was_there(tmp_path, out):
    words = (
        ["rename", str(SAVER), "--prefix", "a/"]
        if out == "m"
        else ["convert", str(SAVER), "--no-slots"]
    )
    (tmp_path / f"{out}.index").write_bytes(b"old")
    (tmp_path / out).write_bytes(b"old")
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", SMALL, *words, "--force", "-o", str(tmp_path / out)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if "warning: " not in line]
    assert lines[0].startswith("graphmap: error: ") and "cannot be written" in lines[0]
    assert len(lines) <= 3
    assert sorted(tmp_path.iterdir()) == before
    assert {path.read_bytes() for path in before} == {b"old"}


KILLED = """
import os, sys
import graphmap
from graphmap.rewrite import staging
moment = int(sys.argv[1])
calls = 0
def counted(function):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), 9)
        return function(*args, **options)
    return call
for name in ("open", "replace", "fsync", "write", "copy_file_range", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
if sys.argv[3].endswith("safetensors"):
    graphmap.convert(sys.argv[2], None, sys.argv[3], force=True)
else:
    graphmap.rename(sys.argv[2], None, sys.argv[3], prefix="b/", force=True)
"""


def killed_at(moment, out):
    """Run in a process that kills itself at its system call number `moment`; True if it lived."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(moment), str(SAVER), str(out)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode == 0


def test_a_kill_while_converting_leaves_the_old_file_or_the_new(tmp_path):
    out = tmp_path / "m.safetensors"
    graphmap.convert(SAVER, None, tmp_path / "new.safetensors")
    wanted = {b"old", (tmp_path / "new.safetensors").read_bytes()}
    out.write_bytes(b"old")
    moment, lived = 1, False
    while not lived:
        lived = killed_at(moment, out)
        assert out.read_bytes() in wanted
        moment += 2
        assert moment < 200
    assert out.read_bytes() != b"old"


def test_a_kill_leaves_the_old_or_the_new(tmp_path):
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    wanted = {scope: {scope + name for name in names(SAVER)} for scope in ("a/", "b/")}
    seen = set()
    for moment in range(1, 120, 2):
        lived = killed_at(moment, tmp_path / "m")
        artifact = graphmap.load(tmp_path / "m.index")
        found = {variable.name for variable in artifact.variables}
        scope = next(scope for scope, expected in wanted.items() if found >= expected)
        seen.add(scope)
        assert all(artifact.read(name) is not None for name in wanted[scope])
        if lived:
            break
    assert seen == {"a/", "b/"} and lived


@pytest.mark.skipif(os.name != "posix", reason="no folder without permission there")
def test_a_saved_model_into_a_closed_folder_is_one_error(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(graphmap.GraphmapError, match="Permission denied"):
        graphmap.rename(FIXTURES / "adam_saved_model", None, tmp_path / "m", prefix="a/")


@pytest.mark.parametrize("link", [False, True])
def test_without_sync_nothing_waits_for_the_disk(tmp_path, monkeypatch, link):
    waited = []
    monkeypatch.setattr(os, "fsync", lambda handle: waited.append(handle))
    graphmap.rename(SAVER, None, tmp_path / "quick", prefix="a/", link=link, sync=False)
    assert not waited
    graphmap.rename(SAVER, None, tmp_path / "safe", prefix="a/", link=link)
    assert waited
    for suffix in (".index", ".data-00000-of-00001"):
        one, other = (tmp_path / f"{name}{suffix}" for name in ("quick", "safe"))
        assert one.read_bytes() == other.read_bytes()


def test_a_large_file_is_copied_whole(tmp_path):
    """Above 16 MiB, blocks are shared, or set aside before the copy."""
    source = tmp_path / "large"
    source.write_bytes(os.urandom(1 << 20) * 17 + b"end")
    with Staging() as staging:
        staging.copy(str(source), str(tmp_path / "whole"))
        staging.write(str(tmp_path / "parts"), [b"head", Range(str(source), 5, (16 << 20) + 1)])
        staging.commit()
    data = source.read_bytes()
    assert (tmp_path / "whole").read_bytes() == data
    assert (tmp_path / "parts").read_bytes() == b"head" + data[5 : (16 << 20) + 6]


LINKED = """
import sys
from graphmap.cli.app import main
assert main(["rename", *sys.argv[1:], "--link"]) == 0
heavy = {"numpy", "google.protobuf", "zipfile", "json", "ctypes", "pathlib", "shutil", "networkx"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def test_a_linked_checkpoint_loads_no_library_that_it_does_not_need(tmp_path):
    graphmap.rename(SAVER, None, tmp_path / "m", prefix="a/")
    for path in tmp_path.glob("*.meta"):
        path.unlink()

    done = subprocess.run(
        [sys.executable, "-S", "-c", LINKED, str(tmp_path / "m"), "--prefix", "b/", "-o", "n"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    assert done.stderr.strip() == "[]"
