"""Checking stored values against their checksums, without decoding them."""

import shutil
from pathlib import Path

import pytest

import graphmap

FIXTURES = Path(__file__).parents[2] / "fixtures"
SOUND = ["adam_saver", "partitioned", "object_checkpoint", "adam_saved_model", "names.txt"]


@pytest.fixture
def checkpoint(tmp_path):
    """A copy of an object-based checkpoint; its first entry is a string tensor."""
    shutil.copytree(FIXTURES / "object_checkpoint", tmp_path / "c")
    return tmp_path / "c"


def shard(checkpoint):
    return next(checkpoint.glob("*.data-*"))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_artifact_has_nothing_to_say(name):
    assert graphmap.load(FIXTURES / name).verify_data() == ()


@pytest.mark.parametrize("position", [0, -1])
def test_one_flipped_bit_is_told_with_its_name(checkpoint, position):
    data = bytearray(shard(checkpoint).read_bytes())
    data[position] ^= 4
    shard(checkpoint).write_bytes(data)
    (sentence,) = graphmap.load(checkpoint).verify_data()
    tensors = [v.name for v in graphmap.load(checkpoint).variables]
    assert sentence.split(": its ")[0] in tensors


def test_a_piece_of_a_partitioned_variable_is_checked(tmp_path):
    shutil.copytree(FIXTURES / "partitioned", tmp_path / "p")
    file = shard(tmp_path / "p")
    file.write_bytes(bytes(file.stat().st_size))
    assert all("checksum" in text for text in graphmap.load(tmp_path / "p").verify_data())


def test_values_that_one_file_lacks_share_a_sentence(checkpoint):
    shard(checkpoint).write_bytes(b"")
    (sentence,) = graphmap.load(checkpoint).verify_data()
    assert "past the end of the file" in sentence and "more values" in sentence
