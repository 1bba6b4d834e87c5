"""Serves a gallery to a browser: a page, what there is to choose from, and the chosen scene.

The page asks for one scene at a time, and only then is anything of it read or computed. It is
served to this machine alone unless another address is asked for, answers only to its own name
(so that no other page can reach it by renaming itself), and never reads a path from a request.
"""

import gzip
import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import motionloop.viewer.web
from motionloop.gallery.batch import PARTS
from motionloop.gallery.catalogue import KINDS, Run
from motionloop.gallery.choice import ALL, Choice, Gallery
from motionloop.gallery.ranking import ORDERS
from motionloop.samples import InputError
from motionloop.viewer.web.player import Packed, player_script
from physics.motion import MotionError

PORT = 8080  # the first that is tried
_TRIED = 100
_FIRST = 4  # sources that stand side by side when the page opens
_LOCAL = ("127.0.0.1", "localhost", "::1")


class GalleryServer:
    """A page that is served until `close`."""

    def __init__(self, gallery: Gallery, host: str = "127.0.0.1", port: int | None = None):
        """Take an address; `run` serves.

        Args:
            gallery: what to show.
            host: address to listen on; other machines reach the page only on another one.
            port: None takes the first free one from 8080 on.

        Raises:
            InputError: the port is taken or not allowed, or the address is not ours.
        """
        self._gallery, self._lock = gallery, Lock()
        self._server = _bound(host, port, self._handler())
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
        self.port = self._server.server_address[1]
        self.address = f"http://{name}:{self.port}/"
        self._names = {f"{own}:{self.port}" for own in (*_LOCAL, "[::1]", host)}
        self._only_local = host in _LOCAL

    def run(self) -> None:
        """Answer until `close` or Ctrl-C."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Give the address back."""
        self._server.shutdown()
        self._server.server_close()

    def menu(self) -> dict[str, Any]:
        """What there is to choose from; runs are looked at anew."""
        sources, problems, first = [], [], []
        for name, source in self._gallery.sources.items():
            found, wrong = source.generations()
            problems += wrong
            sources.append({"name": name, "generations": found, "run": isinstance(source, Run)})
            if found and len(first) < _FIRST:
                first.append([name, found[-1]])
            elif not found:
                problems.append(f"{name} has no complete generation yet")
        choices = {"kind": KINDS, "part": PARTS, "order": ORDERS}
        return {"sources": sources, "problems": problems, "first": first, **choices}

    def scene(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """The scene of a request, or what is wrong with it."""
        try:
            choice = _choice(query, self._gallery)
            with self._lock:
                chosen = self._gallery.choose(choice)
                packed = Packed(self._gallery.body, known=query.get("known", []))
                packed.add(chosen.scene)
        except (InputError, MotionError) as error:
            return {"wrong": str(error)}
        return {
            "data": packed.content(),
            "count": chosen.count,
            "place": min(choice.place, chosen.count - 1),
            "caption": choice.caption,
            "captions": [ALL, *chosen.captions],
            "about": chosen.about,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Answer."""
                if server._only_local and self.headers.get("Host") not in server._names:
                    self._answer(403, "text/plain", b"ask for this page by its own address")
                    return
                asked = urlsplit(self.path)
                if asked.path == "/":
                    self._answer(200, "text/html; charset=utf-8", _page().encode())
                elif asked.path == "/menu":
                    self._answer(200, "application/json", _json(server.menu()))
                elif asked.path == "/scene":
                    answer = server.scene(parse_qs(asked.query))
                    self._answer(200, "application/json", _json(answer))
                else:
                    self._answer(404, "text/plain", b"there is nothing here")

            def _answer(self, status: int, kind: str, content: bytes) -> None:
                packed = gzip.compress(content, 3)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(packed)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(packed)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the terminal is for the person."""

        return Handler


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False).encode()


def _page() -> str:
    chooser = Path(motionloop.viewer.web.__path__[0]) / "chooser.js"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<title>motionloop view</title><link rel="icon" href="data:,">\n'
        "<style>body { margin: 0 auto; max-width: 84em; padding: .6em; background: #fff; }</style>"
        '</head><body><div class="ml-chooser"></div>\n'
        '<div class="motionloop-player" data-live data-play data-curve="all"></div>\n'
        f"{player_script()}\n<script>{chooser.read_text(encoding='utf-8')}</script>\n"
        "</body></html>\n"
    )


def _choice(query: dict[str, list[str]], gallery: Gallery) -> Choice:
    """What a request asks for.

    Raises:
        InputError: it asks for something that there is not.
    """
    columns = []
    for text in query.get("column", []):
        name, _, number = text.rpartition(":")
        if name not in gallery.sources or not number.isdecimal():
            raise InputError(f"there is no run and generation {text!r}")
        columns.append((name, int(number)))
    if not columns:
        raise InputError("there is no complete generation to show yet; look again later")

    def one_of(key: str, choices: tuple[str, ...]) -> Any:
        value = query.get(key, [choices[0]])[0]
        if value not in choices:
            raise InputError(f"{key} is {value!r}; there is {', '.join(choices)}")
        return value

    place = query.get("place", ["0"])[0]
    return Choice(
        columns=tuple(columns),
        kind=one_of("kind", KINDS),
        part=one_of("part", PARTS),
        caption=query.get("caption", [ALL])[0],
        order=one_of("order", ORDERS),
        place=int(place) if place.isdecimal() else 0,
    )


def _bound(
    host: str, port: int | None, handler: type[BaseHTTPRequestHandler]
) -> ThreadingHTTPServer:
    """A server on the port, or on the first free one."""
    if port is not None and not 0 < port < 65536:
        raise InputError(f"--port is {port}; ports are 1 to 65535")
    try:
        family = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise InputError(f"cannot listen on --host {host}: {error}") from None

    class Server(ThreadingHTTPServer):
        address_family = family
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A browser that goes away in the middle is no error."""
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    for one in range(PORT, PORT + _TRIED) if port is None else (port,):
        try:
            return Server((host, one), handler)
        except OSError as error:
            if error.errno not in (48, 98):  # address in use, on macOS and Linux
                raise InputError(f"cannot listen on {host}, port {one}: {error}") from None
    if port is not None:
        raise InputError(
            f"port {port} of {host} is taken; name another --port, or none to take a free one"
        )
    raise InputError(f"no port of {host} from {PORT} to {PORT + _TRIED - 1} is free; use --port")
