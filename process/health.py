"""How a process is: `/metrics` for Prometheus, `/healthz` (it answers), `/readyz` (it can do its work).

On the loopback unless a setting says otherwise: readiness tells offsets and source names.
"""

import json
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

from process.errors import SettingsError
from process.logs import warn
from process.messages import say

LOOPBACK = "127.0.0.1"

Ready = Callable[[], tuple[bool, Mapping[str, object]]]


def serve(registry: CollectorRegistry, ready: Ready, port: int, address: str = LOOPBACK) -> "Health":
    """Start answering, in a thread that ends with the process; port 0 takes a free one."""
    return Health(registry, ready, port, address)


class Health:
    """Answers until stopped."""

    def __init__(self, registry: CollectorRegistry, ready: Ready, port: int, address: str = LOOPBACK) -> None:
        try:
            self._server = _Server((address, port), _handler(registry, ready))
        except OSError as exc:
            code = "exit.port_taken" if exc.strerror == "Address already in use" else "exit.port_refused"
            fields = {"address": address, "port": port, "reason": exc.strerror or exc}
            raise SettingsError(say(code, **fields)) from exc
        self.address = address
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="health", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this machine's name, which can take half a minute.
        TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        raised = sys.exception()
        # Whoever asked and did not wait for the answer is no concern of ours.
        if not isinstance(raised, ConnectionError):
            warn("health.failed", error=type(raised).__name__)


def _handler(registry: CollectorRegistry, ready: Ready) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry))
                case "/healthz":
                    self._answer(HTTPStatus.OK, "text/plain; charset=utf-8", b"ok\n")
                case "/readyz":
                    status, told = _readiness(ready)
                    self._answer(status, "application/json", told)
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not here\n")

        def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            return "tongban"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
            """Nothing: a scrape every few seconds is not worth a line."""

    return Handler


def _readiness(ready: Ready) -> tuple[HTTPStatus, bytes]:
    try:
        is_ready, details = ready()
    except Exception as exc:  # noqa: BLE001 - whoever asks is told; what cannot tell is not ready
        is_ready, details = False, {"error": type(exc).__name__}
    told = json.dumps({"ready": is_ready, **details}, ensure_ascii=False, default=str).encode()
    return (HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE), told + b"\n"
