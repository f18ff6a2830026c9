"""``archcheck report --serve``: the report in a browser, written anew when the model changes.

Each report is made by a process of its own, because a Python model that was loaded cannot be loaded
again. The page that the browser shows keeps the report in a frame and asks this server for its
number; when the number changes, it loads the frame again. Only this machine can connect, and only
under the name localhost.
"""

from __future__ import annotations

import html
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click

from archcheck.cli.common import stoppable
from archcheck.model import ArchcheckError

_LOOK_EVERY = 0.5
"""Seconds between two looks at the files: soon for a person, and little work. A choice."""
_PATIENCE = 20
"""Seconds that a connection may say nothing."""
_WATCHED = (".py", ".json", ".toml", ".png", ".svg")
_OUTER = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>archcheck report</title>
<style>html,body{margin:0;height:100%}iframe{border:0;width:100%;height:100%}</style></head>
<body><iframe title="Report" src="/report"></iframe><script>
let known = null;
setInterval(async () => {
  try {
    const number = await (await fetch("/number")).text();
    const frame = document.querySelector("iframe");
    if (known !== null && number !== known) {
      const hash = frame.contentWindow.location.hash;
      frame.src = `/report?${number}${hash}`;
    }
    known = number;
  } catch { /* the server was stopped */ }
}, 700);
</script></body></html>"""


def serve(models: Sequence[str], arguments: Sequence[str], port: int) -> int:
    """Serve until Ctrl-C. ``arguments`` are the command line's, of which ``--serve`` is dropped."""
    with tempfile.TemporaryDirectory() as folder, stoppable() as stop:
        shown = _Shown(Path(folder) / "report.html", _child_arguments(arguments))
        with _server(shown, port) as server:
            before = _stamps(models)
            shown.renew()
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://localhost:{server.server_address[1]}/"
            click.echo(f"the report is at {address}; press Ctrl-C to end", err=True)
            while not stop():
                time.sleep(_LOOK_EVERY)
                now = _stamps(models)
                if now != before:
                    before = now
                    shown.renew()
            server.shutdown()
    click.echo("stopped", err=True)
    return 0


def _child_arguments(arguments: Sequence[str]) -> list[str]:
    """The command that makes one report; ``-o`` and its file may stand right behind its name."""
    options, separator, models = _parted(arguments[1:], "--")
    return [*(word for word in options if word != "--serve"), *separator, *models]


def _parted(words: Sequence[str], sign: str) -> tuple[list[str], list[str], list[str]]:
    place = words.index(sign) if sign in words else len(words)
    return [*words[:place]], [*words[place : place + 1]], [*words[place + 1 :]]


class _Shown:
    """The page as it is, and its number."""

    def __init__(self, path: Path, arguments: Sequence[str]) -> None:
        self._path = path
        self._arguments = arguments
        self.number = 0
        self.page = b""

    def renew(self) -> None:
        """Make the report again; what goes wrong is shown instead of it."""
        self._path.unlink(missing_ok=True)
        output = ["-o", str(self._path)]
        command = [sys.executable, "-m", "archcheck", "report", *output, *self._arguments]
        done = subprocess.run(  # noqa: S603  # this very program
            command, capture_output=True, text=True, check=False
        )
        if self._path.exists():
            self.page = self._path.read_bytes()
        else:
            said = html.escape(done.stderr.strip() or "the report could not be written")
            self.page = (
                '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Not a model</title>'
                f'<pre style="white-space:pre-wrap;margin:2rem">{said}</pre></html>'
            ).encode()
        self.number += 1
        click.echo(f"report {self.number}: {done.stderr.strip()[-200:]}", err=True)


def _stamps(models: Sequence[str]) -> dict[str, float]:
    """The files that may be part of the models, with the time of their last change."""
    found: dict[str, float] = {}
    for model in (*models, "rules", "archcheck.toml", "pyproject.toml"):
        path = Path(model)
        files = path.rglob("*") if path.is_dir() else [path]
        for file in files:
            if file.suffix in _WATCHED and file.is_file():
                found[str(file)] = file.stat().st_mtime
    return found


def _server(shown: _Shown, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            path = self.path.partition("?")[0]
            pages = {
                "/": ("text/html", _OUTER.encode()),
                "/number": ("text/plain", str(shown.number).encode()),
                "/report": ("text/html", shown.page),
            }
            if host not in ("localhost", "127.0.0.1") or path not in pages:
                self.send_error(404)
                return
            kind, body = pages[path]
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of each request."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of browsers that went away."""
            if not isinstance(sys.exception(), ConnectionError | TimeoutError):
                super().handle_error(request, client_address)

    try:
        return Server(("127.0.0.1", port), Handler)
    except OSError as error:
        raise ArchcheckError(
            f"cannot serve on port {port}: {error.strerror}; choose another with --port"
        ) from None
