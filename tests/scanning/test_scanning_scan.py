"""Scanning folders: every artifact once, damage as a row, and going on after a stop."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import pytest

import graphmap
from graphmap.scanning.items import Item
from graphmap.scanning.scan import scan
from graphmap.scanning.spool import Spool
from graphmap.scanning.working import each, processes
from graphmap.scanning.writers import write_inventory


def _by_name(found, root):
    return {os.path.relpath(row["path"], root): row for row in found}


def test_every_artifact_is_a_row(zoo):
    with graphmap.scan(zoo) as found:
        rows = _by_name(found, zoo)
    saver = next(row for name, row in rows.items() if name.startswith("adam_saver"))
    artifact = graphmap.load(saver["path"])
    assert saver["kind"] == "checkpoint" and saver["optimizer"] == ["Adam"]
    assert saver["fingerprint"] == artifact.fingerprint
    assert saver["variables"] == len(artifact.variables) and saver["step"] is not None
    assert rows["broken.h5"]["status"] == "damaged" and "HTML" in rows["broken.h5"]["error"]
    assert not any(name.endswith(".md") for name in rows)
    assert found.counts["damaged"] == 1


def test_copies_name_the_first_one(zoo):
    with scan(zoo) as found:
        copies = {row["path"]: row["duplicate_of"] for row in found if row["duplicate_of"]}
    ((path, original),) = copies.items()
    assert "/weights_only/" in path and "/copy/" in original


def _safetensors(value):
    header = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    return len(header).to_bytes(8, "little") + header + value


def test_another_value_is_no_copy(tmp_path):
    for name, value in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        (tmp_path / f"{name}.safetensors").write_bytes(_safetensors(value))
    with scan(tmp_path) as found:
        copies = {row["path"][-13]: row["duplicate_of"] for row in found}
    assert copies == {"a": None, "b": None, "c": str(tmp_path / "a.safetensors")}


def test_overlapping_roots_are_scanned_once(zoo):
    with scan(zoo, zoo / "copy") as found, scan(zoo) as plain:
        assert list(found) == list(plain)


def test_two_processes_find_the_same(zoo):
    with scan(zoo) as one, scan(zoo, jobs=2) as two:
        assert list(one) == list(two)


def test_a_stopped_scan_goes_on(zoo, tmp_path):
    progress = tmp_path / "i.jsonl.partial"
    seen = []

    def stop_after_two(row):
        seen.append(row["path"])
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(zoo, progress=progress, tick=stop_after_two)
    with progress.open("ab") as stream:
        stream.write(b'{"stamp":"cut in the mid')  # what a kill leaves
    rest = []
    with scan(zoo, progress=progress, tick=lambda row: rest.append(row["path"])) as found:
        rows = list(found)
    assert found.reused == 2 and not set(seen) & set(rest)
    assert not progress.exists()
    with scan(zoo) as fresh:
        assert rows == list(fresh)


def test_a_changed_or_vanished_file_is_not_taken_from_the_stopped_scan(zoo, tmp_path):
    progress = tmp_path / "p"
    scan(zoo, progress=progress).close(done=False)
    (zoo / "broken.h5").write_bytes(b"<html>still not found</html>")
    for file in (zoo / "copy").iterdir():
        file.unlink()
    done = []
    with scan(zoo, progress=progress, tick=lambda row: done.append(row["path"])) as found:
        assert done == [str(zoo / "broken.h5")]
        assert not any("/copy/" in row["path"] for row in found)


def test_progress_of_another_version_is_not_taken(zoo, tmp_path):
    progress = tmp_path / "p"
    progress.write_text('{"schema":"graphmap.scan-progress/1","graphmap_version":"0.0.0"}\n{}\n')
    with scan(zoo, progress=progress) as found:
        assert found.reused == 0 and len(found)


def test_a_root_that_is_not_there_is_told(tmp_path):
    with pytest.raises(graphmap.UsageError, match="no such file"):
        scan(tmp_path / "nothing")


def test_a_closed_folder_is_a_row(zoo, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("copy"):  # the superuser of a container may list every folder
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with scan(zoo) as found:
        row = _by_name(found, zoo)["copy"]
    assert row["status"] == "damaged" and "Permission denied" in row["error"]


def _die_at_bad(item):
    if item.path == "bad":
        os._exit(9)
    return item.path


def test_a_reader_that_dies_takes_nothing_with_it():
    names = [f"n{number}" for number in range(30)]
    items = [Item(name, (), 0, "") for name in (*names[:11], "bad", *names[11:])]
    done = [(item.path, result) for item, result in each(_die_at_bad, items, processes(2))]
    assert sorted(done) == sorted([*((name, name) for name in names), ("bad", None)], key=str)


def test_the_spool_reads_back_what_it_took(tmp_path, zoo):
    with scan(zoo) as found:
        (row, *_) = found
    spool = Spool(None)
    item = Item(row["path"], ("f",), row["bytes"], "stamp")
    spool.add(item, row)
    assert item in spool and item._replace(stamp="other") not in spool
    assert spool.read(item.path)[1] == row
    spool.close(remove=True)


def test_csv_and_parquet_hold_every_row(zoo, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    with scan(zoo) as found:
        rows = list(found)
        write_inventory(found, tmp_path / "i.csv", ".csv")
        write_inventory(found, tmp_path / "i.parquet", ".parquet")
    with (tmp_path / "i.csv").open(newline="") as stream:
        assert [line["path"] for line in csv.DictReader(stream)] == [r["path"] for r in rows]
    assert parquet.read_table(tmp_path / "i.parquet").to_pylist() == rows


def test_the_command(zoo, tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "graphmap", "scan", *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    out = tmp_path / "inventory.jsonl"
    result = run(str(zoo), "-o", str(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert result.returncode == 1 and result.stdout == ""
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    assert not out.with_name("inventory.jsonl.partial").exists()
    table = run(str(zoo))
    assert "broken.h5" in table.stdout and "1 damaged" in table.stdout
    whole = run(str(zoo / "copy"), "--json")
    assert whole.returncode == 0 and len(json.loads(whole.stdout)["rows"]) == 1
    wrong = run(str(zoo), "-o", "x.xlsx")
    assert wrong.returncode == 2 and ".parquet" in wrong.stderr
