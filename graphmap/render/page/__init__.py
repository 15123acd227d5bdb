"""Interactive pages: one self-contained HTML file, no server, no request.

`page.html` is built by scripts/build_page from the sources in scripts/page; its policy
(Content-Security-Policy) allows only its own script and style, by their hashes.
"""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.render.text import xml_escape

__all__ = ["write_graph_page", "write_page"]

_TEMPLATE = Path(__file__).with_name("page.html")
_TITLE, _DATA = "@@TITLE@@", "@@DATA@@"


def write_graph_page(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    train_ops: tuple[TrainOp, ...],
    **options: Any,
) -> bytes:
    """Return the page of an artifact; options as `graph_payload` takes them."""
    from graphmap.render.page.payload import graph_payload

    content = graph_payload(stored, variables, train_ops, **options)
    return write_page(content["title"], content)


def write_page(title: str, content: dict[str, Any]) -> bytes:
    """Return a page that shows `content`; its "kind" says which page it is.

    The data are JSON, gzip, base64: small, and no name can end the element that holds them.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode("utf-8", "backslashreplace"), 9, mtime=0)
    before, _, rest = _TEMPLATE.read_text(encoding="utf-8").partition(_TITLE)
    middle, _, after = rest.partition(_DATA)
    data = base64.b64encode(packed).decode()
    return f"{before}{xml_escape(title)}{middle}{data}{after}".encode()
