"""Remote places of this process and this machine: a file system in memory, HTTP servers."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import graphmap.files

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRAPHMAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(graphmap.files, "_mirrors", [])
    return tmp_path / "cache"


@pytest.fixture
def bucket() -> Iterator[Any]:
    """A file system in memory with the fixtures in `memory://bucket`."""
    system = fsspec.filesystem("memory")
    system.put(str(FIXTURES) + "/", "/bucket/", recursive=True)
    yield system
    system.rm("/bucket", recursive=True)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the files of a folder; with ranges or without; notes what it sent."""

    root: Path
    has_ranges: bool
    log: list[tuple[str, int]]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        if "secret" in self.path and "token=right" not in self.path:
            self.send_error(403)
            return
        path = self.root / self.path.partition("?")[0].strip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        wanted = self.headers.get("Range")
        if wanted and self.has_ranges:
            start, stop = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
            part = data[start : stop + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop}/{len(data)}")
        else:
            part = data
            self.send_response(200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if with_body:
            self.log.append((self.path, len(part)))
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[str, list[tuple[str, int]]]]]:
    """Start a server over a folder; gives (its address, what it sent so far)."""
    servers = []

    def start(root: Path, *, has_ranges: bool) -> tuple[str, list[tuple[str, int]]]:
        sent: list[tuple[str, int]] = []
        words = {"root": root, "has_ranges": has_ranges, "log": sent}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), words))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}", sent

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
