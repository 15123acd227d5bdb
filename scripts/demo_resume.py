"""Go on with the training of fixtures/adam_saver, under its own names and under new ones.

    python scripts/demo_resume.py [MAP.json]

Prints both runs' losses; exits with 1 unless the new names give the stored graph's losses, bit
for bit. The reference is the stored graph itself, resumed on this machine, because the last bits
of some kernels differ between processors.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # one order of sums on every processor
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import demo_model
import tensorflow as tf

import graphmap.tf as gmtf

CHECKPOINT = Path(__file__).parent.parent / "fixtures" / "adam_saver"


def main() -> int:
    tf.compat.v1.disable_resource_variables()
    name_map = sys.argv[1] if len(sys.argv) > 1 else None
    reference = under_stored_names()
    losses = under_new_names(name_map)
    for number, (stored, new) in enumerate(zip(reference, losses, strict=True)):
        step = demo_model.STEPS_SAVED + number
        print(f"  step {step}: stored names {stored!r}  new names {new!r}")
    if losses != reference:
        print("the next losses DIFFER from the reference")
        return 1
    print(f"the next {len(losses)} losses equal the reference, bit for bit")
    return 0


def under_stored_names() -> list[float]:
    with tf.Graph().as_default() as graph, demo_model.session(graph) as session:
        resumed = gmtf.resume(CHECKPOINT, session)
        print(f"  resumed {resumed.train_op.name}: {len(resumed.report.restored)} restored")
        x, y = resumed.feeds["x:0"], resumed.feeds["y:0"]
        return train(session, resumed.train_op, resumed.loss, x, y)


def under_new_names(name_map: str | None) -> list[float]:
    with tf.Graph().as_default() as graph, demo_model.session(graph) as session:
        model = demo_model.build()
        rebuilt = gmtf.reconstruct_train_op(CHECKPOINT, model["loss"], name_map=name_map)
        report = rebuilt.restore(session)
        print(f"  rebuilt {rebuilt.train_op.name}: {len(report.restored)} restored")
        return train(session, rebuilt.train_op, model["loss"], model["x"], model["y"])


def train(session: Any, step: Any, loss: Any, x: Any, y: Any) -> list[float]:
    return demo_model.train(session, step, loss, x, y, demo_model.STEPS_SAVED)


if __name__ == "__main__":
    sys.exit(main())
