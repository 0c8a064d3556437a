"""The server: answers on one address in a thread of its own, until stopped."""

import asyncio
import socket
import ssl
from pathlib import Path
from threading import Thread
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from process.errors import SettingsError
from process.messages import say

# More than a district's clerks and terminals hold open at once; whoever comes above it is turned away.
MOST_CONNECTIONS: Final = 512
# Longer than an answer takes: what is being answered at the end still is.
_STOP_SECONDS: Final = 10


class Server:
    """Answers until stopped."""

    def __init__(
        self,
        app: ASGIApp,
        address: str,
        port: int,
        certificate: Path | None = None,
        key: Path | None = None,
        head_seconds: float = 10.0,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=_impatient(head_seconds),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=_STOP_SECONDS,
            h11_max_incomplete_event_size=16 * 1024,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            ssl_keyfile_password="none: an encrypted key is refused, not asked about at a terminal",  # noqa: S106
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


def _impatient(head_seconds: float) -> type[H11Protocol]:
    """HTTP as uvicorn speaks it; uvicorn itself would wait for ever for the head of a request."""

    class Impatient(H11Protocol):
        _due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > MOST_CONNECTIONS:
                transport.abort()
            self._wait_for_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._wait_no_more()

        def _wait_for_head(self) -> None:
            self._wait_no_more()
            self._due = self.loop.call_later(head_seconds, self._give_up)

        def _wait_no_more(self) -> None:
            if self._due is not None:
                self._due.cancel()

        def _give_up(self) -> None:
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    return Impatient


def _bound(address: str, port: int) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
        bound.listen(128)
    except OSError as exc:
        code = "exit.port_taken" if exc.strerror == "Address already in use" else "exit.port_refused"
        fields: dict[str, Any] = {"address": address, "port": port, "reason": exc.strerror or exc}
        raise SettingsError(say(code, **fields)) from exc
    return bound
