"""What a scan leaves behind in memory, which must not grow with the number of artifacts."""

from __future__ import annotations

import gc
from pathlib import Path

import h5py

from graphmap.scanning.folders import find_items
from graphmap.scanning.row import describe

FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_objects_do_not_grow_with_artifacts(tmp_path):
    with h5py.File(tmp_path / "model.h5", "w") as file:
        for layer in range(20):
            file[f"layer{layer}/kernel"] = [1.0, 2.0]
    items = [*find_items(str(FIXTURES / "adam_saved_model")), *find_items(str(tmp_path))]
    gc.disable()  # else the moment of Python's own collection decides
    try:
        numbers = []
        for _ in range(3):
            for _ in range(20):  # 40 artifacts: two collections, the second after the last
                for item in items:
                    describe(item)
            numbers.append(len(gc.get_objects()))
    finally:
        gc.enable()
    assert numbers[2] - numbers[1] < 1000, numbers  # 20 times the garbage of one file is more


def test_classes_of_message_fields_are_made_once():
    items = list(find_items(str(FIXTURES / "adam_saved_model")))
    describe(items[0])
    gc.collect()
    before = {id(o) for o in gc.get_objects() if type(o).__name__ == "MessageMeta"}
    gc.disable()
    try:
        describe(items[0])
        after = {id(o) for o in gc.get_objects() if type(o).__name__ == "MessageMeta"}
    finally:
        gc.enable()
    assert before and after == before
