"""The terminal: the one place that prints. Results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from graphmap.chunks import SIZE
from graphmap.errors import GraphmapError
from graphmap.files import as_typed

__all__ = ["align", "aligned", "aligned_lines", "busy", "counting", "dim", "escape",
           "flush_warnings", "is_plain", "note", "print_bug", "print_error", "print_json",
           "print_lines", "print_text", "print_warnings", "setup", "table", "verbose"]  # fmt: skip

MAX_WARNINGS = 20
MAX_LINE = 400  # characters of an error's first line
PATIENCE = 0.5  # seconds before a progress bar appears, and before rich is imported for it

_state = {"quiet": False, "verbose": False, "color": False}
_PLAIN = bytes(code for code in range(32, 127) if chr(code) != "<")
_held: list[str] = []  # warnings, until it is known whether an error follows


def setup(args: Namespace) -> None:
    """Take -q, -v and --color; `auto` colours a terminal unless NO_COLOR is set."""
    color = getattr(args, "color", "auto")
    auto = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    _state["quiet"] = getattr(args, "quiet", False)
    _state["verbose"] = getattr(args, "verbose", False)
    _state["color"] = auto if color == "auto" else color == "always"


def escape(text: str) -> str:
    r"""Return text that cannot steer a terminal, nor a page that a log is shown on.

    Control and direction characters become \xNN, and so does `<`: what CI prints often ends up in
    HTML, and no op name that TensorFlow takes holds one. Functions do, in Python's `<lambda>`.

    >>> escape("W"), escape("a\x1b[2J"), escape("b\u202ec"), escape("<b>"), escape("f_<lambda>_1")
    ('W', 'a\\x1b[2J', 'b\\u202ec', '\\x3cb>', 'f_<lambda>_1')
    """
    if is_plain(text):
        return text
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return text.replace("<", "\\x3c").replace("\\x3clambda>", "<lambda>")


def is_plain(text: str) -> bool:
    """Tell whether `escape` leaves a text as it is; quicker to ask than to escape."""
    if text.isascii():  # then a table of bytes is twice as fast as asking for each character
        return not text.encode("ascii").translate(None, _PLAIN)
    return "<" not in text and text.isprintable()


def print_text(text: str) -> None:
    """Write a result that is escaped already, with a final newline."""
    stream = sys.stdout
    encoding = stream.encoding or "utf-8"
    if encoding.lower() not in ("utf-8", "utf8"):
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)  # a long one is not copied for its last line feed
    stream.write("\n")


def print_lines(pieces: Iterable[str]) -> None:
    """Write a result that comes in pieces, each of whole lines; a long one is never whole."""
    for piece in pieces:
        print_text(piece)


def print_json(content: Any) -> None:
    """Write one JSON document; in ASCII and without `<`: no name can steer a terminal or page."""
    import json

    text = json.dumps(content, indent=1).replace("\x7f", "\\u007f")
    print_text(text.replace("<", "\\u003c"))


def print_error(error: GraphmapError) -> None:
    """Write what is wrong, where, and the remedy: two lines, after one of warnings held."""
    flush_warnings(before_error=True)
    what = f"{error.where}: {error.message}" if error.where else error.message
    _to_stderr(f"graphmap: error: {escape(as_typed(what))}"[:MAX_LINE])
    if error.remedy:
        _to_stderr(f"  {escape(error.remedy)}"[: 2 * MAX_LINE])


def print_bug(error: BaseException) -> None:
    """Write one line for a fault of our own."""
    what = f"{type(error).__name__}: {error}".partition("\n")[0]
    _to_stderr(
        f"graphmap: internal error: {escape(what)[:200]} (a bug of graphmap; "
        "--debug shows the traceback)"
    )


def print_warnings(*sources: Iterable[str]) -> None:
    """Hold warnings, each once, until `flush_warnings` writes them."""
    _held.extend(dict.fromkeys(text for source in sources for text in source))


def flush_warnings(*, before_error: bool = False) -> None:
    """Write the warnings held, at most MAX_WARNINGS, then how many are left.

    before_error: in one line, since an error and all that goes with it takes three at most.
    """
    room = 1 if before_error else MAX_WARNINGS
    more = len(_held) - room
    shown = [f"graphmap: warning: {escape(text)}"[:MAX_LINE] for text in _held[:room]]
    if more > 0 and before_error:
        shown[0] = f"{shown[0][: MAX_LINE - 30]} (and {more} more warnings)"
    elif more > 0:
        shown.append(f"graphmap: warning: and {more} more (see --json)")
    _held.clear()
    for line in shown:
        _to_stderr(line)


def note(text: str) -> None:
    """Write a message that -q silences."""
    if not _state["quiet"]:
        _to_stderr(f"graphmap: {escape(text)}")


def verbose(text: str) -> None:
    """Write a message that -v asks for."""
    if _state["verbose"]:
        _to_stderr(f"graphmap: {escape(text)}")


def dim(text: str) -> str:
    """Return text that steps back, where colours are on."""
    return f"\x1b[2m{text}\x1b[0m" if _state["color"] else text


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return aligned columns, two spaces apart; `right` are the columns of numbers.

    Cells are escaped already.
    """
    return aligned(header, list(zip(*rows, strict=True)) or [()] * len(header), right)


def aligned(
    header: Sequence[str], columns: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> str:
    """Return columns as `table` does rows."""
    return "\n".join(aligned_lines(header, columns, right))


def aligned_lines(
    header: Sequence[str], columns: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> Iterator[str]:
    """Yield what `aligned` returns, many lines at once."""
    rows = align(header, columns, right)
    yield dim(next(rows))
    while lines := list(islice(rows, SIZE)):
        yield "\n".join(lines)


def align(
    header: Sequence[str], columns: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> Iterator[str]:
    """Return the line of the header and those of the rows: one % each, as there may be 100,000."""
    widths = [
        max(len(name), max(map(len, column), default=0))
        for name, column in zip(header, columns, strict=True)
    ]
    last = len(widths) - 1
    template = "  ".join(
        f"%{width}s" if at in right else "%s" if at == last else f"%-{width}s"
        for at, width in enumerate(widths)
    )
    rows = chain([tuple(header)], zip(*columns, strict=True))
    return map(str.rstrip, map(template.__mod__, rows))


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show on a terminal, after half a second, that something is being done; with -v say it."""
    verbose(what)
    if _state["quiet"] or not sys.stderr.isatty():
        yield
        return
    import threading

    shown: list[Any] = []

    def show() -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.add_task(escape(what).replace("[", "\\["), total=None)
        bar.start()
        shown.append(bar)

    timer = threading.Timer(PATIENCE, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for bar in shown:
            bar.stop()


@contextmanager
def counting(what: str) -> Iterator[Callable[[str], None]]:
    """Give a function to call for each thing done; on a terminal they are counted as they come."""
    if _state["quiet"] or not sys.stderr.isatty():
        yield verbose
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.completed:,} {task.description}")
    columns = (text, BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda _: bar.advance(task)


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
