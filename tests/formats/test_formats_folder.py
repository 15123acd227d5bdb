"""Which artifact a folder means, and what is said about the choice."""

import pytest
from bundle_writer import write_bundle

from graphmap.formats.registry import read_artifact
from graphmap.formats.state_file import local_prefix

SCALAR = (1, (), b"\0" * 4)


@pytest.fixture
def run(tmp_path):
    for step in (9, 100, 20):
        write_bundle(tmp_path / f"model.ckpt-{step}", {f"w{step}": SCALAR})
    return tmp_path


def state(folder, text):
    (folder / "checkpoint").write_text(text)


def read(folder, **options):
    model = read_artifact(str(folder), **options)
    return model.tensors[0].name, model.warnings


def test_the_state_file_decides(run):
    state(run, 'model_checkpoint_path: "model.ckpt-20"\n')
    assert read(run) == ("w20", ())


def test_the_state_file_itself_may_be_given(run):
    state(run, 'model_checkpoint_path: "model.ckpt-20"\n')
    assert read(run / "checkpoint") == ("w20", ())


def test_without_a_state_file_the_highest_step_and_a_word_about_it(run):
    name, warnings = read(run)
    assert name == "w100"
    assert "highest step" in warnings[0]


def test_a_step_is_chosen(run):
    state(run, 'model_checkpoint_path: "model.ckpt-20"\n')
    assert read(run, step=9) == ("w9", ())


def test_a_state_file_that_names_what_is_gone(run):
    state(run, 'model_checkpoint_path: "model.ckpt-77"\n')
    name, warnings = read(run)
    assert name == "w100"
    assert "model.ckpt-77" in warnings[0]


def test_a_state_file_that_names_what_no_file_can_be_called(run):
    state(run, f'model_checkpoint_path: "{"x" * 300}"\n')
    name, warnings = read(run)
    assert name == "w100" and "the state file names" in warnings[0]


@pytest.mark.parametrize(
    "written",
    ["/home/other/run/model.ckpt-20", "C:\\\\runs\\\\model.ckpt-20", "gs://b/model.ckpt-20"],
)
def test_a_path_of_another_machine_means_the_file_beside_it(run, written):
    state(run, f'model_checkpoint_path: "{written}"\n')
    name, warnings = read(run)
    assert name == "w20"
    assert "beside it" in warnings[0]


def test_an_absolute_path_into_this_folder_needs_no_warning(run):
    state(run, f'model_checkpoint_path: "{run}/model.ckpt-20"\n')
    assert read(run) == ("w20", ())


def test_a_path_out_of_the_folder_is_not_followed(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    write_bundle(tmp_path / "outside", {"secret": SCALAR})
    write_bundle(inside / "m", {"w": SCALAR})
    state(inside, 'model_checkpoint_path: "../outside"\n')
    name, warnings = read(inside)
    assert name == "w"
    assert "not here" in warnings[0]
    assert local_prefix(str(inside), "../outside")[0] is None


@pytest.mark.parametrize("suffix", ["", ".index", ".data-00000-of-00001"])
def test_every_file_of_a_checkpoint_means_the_checkpoint(run, suffix):
    assert read(f"{run}/model.ckpt-9{suffix}") == ("w9", ())


def test_a_prefix_with_an_empty_basename(tmp_path):
    write_bundle(f"{tmp_path}/", {"w": SCALAR})
    assert read(tmp_path) == ("w", ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00garbage {{{",
        'model_checkpoint_path: "model.ckpt-20',
        'model_checkpoint_path: "checkpoint"',
        'model_checkpoint_path: "' + "a" * 1_000_000 + '"',
        'model_checkpoint_path: "a\\000b"',
    ],
    ids=["empty", "garbage", "unterminated", "itself", "a megabyte", "a zero byte"],
)
def test_a_broken_state_file_is_a_warning(run, text):
    state(run, text)
    name, warnings = read(run)
    assert name == "w100"
    assert "state file" in warnings[0]
    assert len(warnings[0]) < 400


def test_a_state_file_that_is_a_folder(run):
    (run / "checkpoint").mkdir()
    assert "is a folder" in read(run)[1][0]
