"""The server: answers on one address in a thread of its own, until stopped."""

import socket
import ssl
from pathlib import Path
from threading import Thread
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from process.errors import SettingsError
from process.messages import say

# More than a district's clerks ask at once; whoever is above it is told to come again.
_MOST_CONNECTIONS: Final = 256


class Server:
    """Answers until stopped."""

    def __init__(
        self, app: ASGIApp, address: str, port: int, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=16 * 1024,
            ssl_certfile=None if certificate is None else str(certificate),
            ssl_keyfile=None if key is None else str(key),
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as exc:
            reason = exc.strerror or type(exc).__name__
            raise SettingsError(say("approval.bad_certificate", file=certificate, reason=reason)) from exc
        self.address = address
        self._socket = _bound(address, port)
        self.port = int(self._socket.getsockname()[1])
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="api", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, and answer no more."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _bound(address: str, port: int) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
        bound.listen(128)
    except OSError as exc:
        code = "exit.port_taken" if exc.strerror == "Address already in use" else "exit.port_refused"
        fields = {"address": address, "port": port, "reason": exc.strerror or exc}
        raise SettingsError(say(code, **fields)) from exc
    return bound
