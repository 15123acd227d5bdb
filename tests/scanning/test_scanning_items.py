"""Which artifacts the files of one folder are."""

from graphmap.scanning.items import FileInfo, group_files, is_part_of_saved_model


def _grouped(*names, parts=(), opens=()):
    infos = [FileInfo(name, 10, "1") for name in names]
    inner = [FileInfo(name, 5, "1") for name in parts]
    return list(group_files("d", infos, inner, lambda name: name in opens))


def _paths(*names, **others):
    return [item.path for item in _grouped(*names, **others)]


def test_a_checkpoint_is_one_artifact_with_its_meta_and_data():
    (item,) = _grouped("checkpoint", "m-5.index", "m-5.meta", "m-5.data-00000-of-00001")
    assert item.path == "d/m-5" and item.size == 30 and len(item.files) == 3


def test_every_step_of_a_run_is_one():
    assert _paths("checkpoint", "m-5.index", "m-10.index") == ["d/m-10", "d/m-5"]


def test_data_without_an_index_is_a_problem_and_not_skipped():
    (item,) = _grouped("m-5.data-00000-of-00001")
    assert item.path == "d/m-5" and "m-5.index is missing" in item.problem


def test_a_saved_model_takes_its_variables():
    (item,) = _grouped(
        "saved_model.pb",
        "keras_metadata.pb",
        "fingerprint.pb",
        parts=["variables/variables.index", "variables/variables.data-00000-of-00001"],
    )
    assert item.path == "d/saved_model.pb" and item.size == 40


def test_v1_shards_and_the_single_file_beside_its_meta():
    assert _paths("m-00000-of-00002", "m-00001-of-00002", "m.meta") == ["d/m"]
    assert _paths("export", "export.meta") == ["d/export"]


def test_a_meta_alone_is_its_own():
    assert _paths("m-5.meta", "checkpoint") == ["d/m-5.meta"]


def test_sharded_safetensors_are_one_with_their_index_and_many_without():
    shards = ["w-00001-of-00002.safetensors", "w-00002-of-00002.safetensors"]
    assert _paths(*shards, "w.safetensors.index.json") == ["d/w.safetensors.index.json"]
    assert _paths(*shards) == [f"d/{name}" for name in shards]


def test_other_files_are_left_alone_and_nameless_ones_looked_at():
    assert _paths("README.md", "vocab.txt", "events.out.tfevents.1", "LICENSE") == []
    assert _paths("LICENSE", "old_model", opens=["old_model"]) == ["d/old_model"]


def test_the_stamp_changes_with_a_file():
    a = next(group_files("d", [FileInfo("m.pb", 1, "1")], (), bool))
    b = next(group_files("d", [FileInfo("m.pb", 1, "2")], (), bool))
    assert a.path == b.path and a.stamp != b.stamp


def test_only_a_saved_model_owns_its_folders():
    assert is_part_of_saved_model("variables", ["saved_model.pb"])
    assert not is_part_of_saved_model("variables", ["model.pb"])
    assert not is_part_of_saved_model("other", ["saved_model.pb"])
