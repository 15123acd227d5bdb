"""A script that goes on with the training of an artifact: a start that people make their own."""

from __future__ import annotations

from pathlib import Path

from graphmap.api.artifact import Artifact
from graphmap.errors import ReconstructionError
from graphmap.model.training import Feed, TrainOp

__all__ = ["resume_script"]

_HEAD = '''"""Go on with the training of {path}.

Written by graphmap. To be filled in: {todo}.
"""

import tensorflow.compat.v1 as tf

import graphmap.tf as gmtf

tf.disable_v2_behavior()
PATH = {path}


def next_batch():
    return {{
{feeds}
    }}


'''

_RESUME = """with tf.Graph().as_default(), tf.Session() as session:
    resumed = gmtf.resume(PATH, session{options})
    print(resumed.report)
    train_op = {train_op}
    saver = resumed.saver()
    for _ in range(100):
        batch = {{resumed.feeds[name]: value for name, value in next_batch().items()}}
        session.run(train_op, batch)
    saver.save(session, {out}, global_step={step})
"""

_REBUILD = """def build():
    raise SystemExit("fill in build(): make your graph here, return its loss")


with tf.Graph().as_default(), tf.Session() as session:
    loss = build()
    rebuilt = gmtf.reconstruct_train_op(PATH, loss{options})
    print(rebuilt.restore(session))
    train_op = {train_op}
    saver = rebuilt.saver()
    for _ in range(100):
        batch = next_batch()
        session.run(train_op, {{rebuilt.feeds.get(k, k): v for k, v in batch.items()}})
    saver.save(session, {out})
"""


def resume_script(artifact: Artifact, tags: str | None, step: int | None, new: bool) -> str:
    """Return Python code; with `new` for a graph with other names.

    Raises ReconstructionError where there is no train op to run.
    """
    if not artifact.train_ops:
        raise ReconstructionError(
            "has no train op to write a script for",
            where=artifact.path,
            remedy="Use gmtf.restore for its weights.",
        )
    first = artifact.train_ops[0]
    chosen = [f", tags={tags!a}"] if tags is not None else []
    chosen += [f", step={step}"] if step is not None else []
    head = _HEAD.format(
        path=ascii(str(Path(artifact.path).absolute())),
        feeds=_feeds(first),
        todo="next_batch() and build()" if new else "next_batch()",
    )
    body = _REBUILD if new else _RESUME
    return head + body.format(
        options="".join(chosen),
        train_op=f"{'rebuilt' if new else 'resumed'}.train_ops[{first.name!a}]"
        + _others(artifact.train_ops),
        out=ascii("resumed/model.ckpt"),
        step="resumed.global_step" if first.global_step else None,
    )


def _feeds(op: TrainOp) -> str:
    return "\n".join(_feed(feed) for feed in op.feeds) or "        # nothing is fed"


def _feed(feed: Feed) -> str:
    sizes = "unknown" if feed.shape is None else list(feed.shape)
    return f"        {feed.tensor!a}: ...,  # {feed.dtype}, shape {sizes}"


def _others(found: tuple[TrainOp, ...]) -> str:
    names = ", ".join(ascii(op.name) for op in found[1:])
    return f"  # others: {names}" if names else ""
