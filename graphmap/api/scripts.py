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


def batches():
    """What to feed: one dict for each training step."""
{feeds}


'''

_RESUME = """with tf.Graph().as_default(), tf.Session() as session:
    resumed = gmtf.resume(PATH, session{options})
    print(resumed.report)
    train_op = {train_op}
    saver = resumed.saver()
    for batch in batches():
        session.run(train_op, {{resumed.feeds[name]: value for name, value in batch.items()}})
    print("saved", saver.save(session, {out}, global_step={step}))
"""

_REBUILD = '''def build():
    """Make your graph here; return its loss, and your placeholder for each stored one."""
    raise SystemExit("fill in build() first")
    return loss, {{{inputs}}}


with tf.Graph().as_default(), tf.Session() as session:
    loss, inputs = build()
    rebuilt = gmtf.reconstruct_train_op(PATH, loss{options})
    print(rebuilt.report)
    print(rebuilt.restore(session))
    inputs = {{**inputs, **rebuilt.feeds}}  # the stored update brings its own, such as a fed rate
    train_op = {train_op}
    saver = rebuilt.saver()
    for batch in batches():
        session.run(train_op, {{inputs[name]: value for name, value in batch.items()}})
    print("saved", saver.save(session, {out}))
'''


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
        todo="batches() and build()" if new else "batches()",
    )
    body = _REBUILD if new else _RESUME
    return head + body.format(
        options="".join(chosen),
        train_op=f"{'rebuilt' if new else 'resumed'}.train_ops[{first.name!a}]"
        + _others(artifact.train_ops),
        out=ascii("resumed/model.ckpt"),
        step="resumed.global_step" if first.global_step else None,
        inputs=", ".join(f"{feed.tensor!a}: ..." for feed in first.feeds),
    )


def _feeds(op: TrainOp) -> str:
    if op.inputs:
        return (
            f"    return []  # it draws from {', '.join(op.inputs)}: initialize, then [{{}}] * 100"
        )
    if not op.feeds:
        return "    return [{}] * 100  # nothing is fed"
    lines = [f"    #     {_feed(feed)}" for feed in op.feeds]
    return "\n".join(["    return []  # yours, such as [{", *lines, "    # }]"])


def _feed(feed: Feed) -> str:
    sizes = "unknown" if feed.shape is None else list(feed.shape)
    return f"{feed.tensor!a}: ...,  # {feed.dtype}, shape {sizes}"


def _others(found: tuple[TrainOp, ...]) -> str:
    names = ", ".join(ascii(op.name) for op in found[1:])
    return f"  # others: {names}" if names else ""
