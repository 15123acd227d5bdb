"""`graphmap train-op`: what a training step ran."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from graphmap.api.artifact import Artifact, load
from graphmap.cli import console
from graphmap.cli.optimizer_views import optimizers_json, optimizers_text
from graphmap.cli.options import (
    add_artifact,
    add_format,
    add_out,
    choose_by_suffix,
    chosen_format,
)
from graphmap.cli.views import train_op_json, train_op_text
from graphmap.errors import UsageError

DESCRIPTION = """Show the train ops of a stored graph: optimizer, hyper-parameters, the slots of
every trained variable, the loss, the global step, and what to feed; of Keras files and
object checkpoints the optimizer: class, options, iterations, slots by weight. Exits with
1 where there is none, or where --verify finds a difference."""
EPILOG = """examples:
  graphmap train-op checkpoints/model.ckpt-500
  graphmap train-op export/ --json
  graphmap train-op checkpoints/ -o resume.py        # a script that goes on with the training
  graphmap train-op checkpoints/ --verify            # can it be rebuilt elsewhere, bit for bit?"""

EXIT_NONE = 1  # none, or one that differs


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    add_out(parser, "write a Python script that goes on with the training (.py)")
    parser.add_argument(
        "--new", action="store_true", help="the script rebuilds the op over a graph of your own"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run one step of the stored graph and one of the rebuilt update on the same random "
        "input, and compare every bit (TensorFlow, in a child process)",
    )
    parser.add_argument(
        "--allow-unsafe",
        action="store_true",
        help="with --verify: run it although it holds ops that touch files or run code",
    )
    add_format(parser, ["text", "json"])


def run(args: Namespace) -> int:
    """Print every train op."""
    wanted = chosen_format(args, "text")
    if args.new and not args.out:
        raise UsageError("--new is about the script of -o", remedy="Give -o rebuild.py too.")
    if args.out:
        from graphmap.files import check_writable

        choose_by_suffix(args.out, {".py": "python"})
        check_writable(args.out)
    with console.busy(f"reading {args.path}"):
        artifact = load(args.path, args.tags, args.step)
        found = artifact.train_ops
        console.print_warnings(artifact.warnings)
    if args.out:
        _write_script(artifact, args)
    verified = _verify(args) if args.verify and found else None
    if wanted == "json":
        told = {
            "schema": "graphmap.train-op/1",
            "train_ops": [train_op_json(op) for op in found],
            "optimizers": optimizers_json(artifact),
            "warnings": list(artifact.warnings),
        }
        console.print_json(told if verified is None else told | {"verify": verified})
    elif found or artifact.optimizers:
        texts = [*map(train_op_text, found), *optimizers_text(artifact)]
        console.print_text("\n\n".join(texts))
    else:
        reason = "its graph has none" if artifact.has_graph else "no graph is stored"
        console.note(f"{artifact.path}: no train op, {reason}")
    if verified is not None and wanted != "json":
        console.print_text(_verdict(verified))
    is_fine = (found or artifact.optimizers) and (verified is None or verified["differs"] is None)
    return 0 if is_fine else EXIT_NONE


def _verify(args: Namespace) -> dict[str, Any]:
    from graphmap.tf.verify import verify

    with console.busy("running one step of the stored and of the rebuilt train ops"):
        return verify(args.path, args.tags, args.step, args.allow_unsafe)


def _verdict(verified: Mapping[str, Any]) -> str:
    names = ", ".join(verified["train_ops"])
    if verified["differs"] is None:
        return (
            f"\nverified: one step of {names}, stored and rebuilt ({verified['how']}) on random "
            f"input: {verified['compared']} losses and variables are equal in every bit"
        )
    return (
        f"\nDIFFERS: after one step of {names} on random input, {verified['differs']} is another "
        f"one, first of {verified['compared']} losses and variables"
    )


def _write_script(artifact: Artifact, args: Namespace) -> None:
    from graphmap.api.scripts import resume_script
    from graphmap.files import write_atomic

    text = resume_script(artifact, args.tags, args.step, args.new)
    write_atomic(args.out, text.encode())
    console.note(f"wrote {args.out}")
