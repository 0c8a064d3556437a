"""A real PostgreSQL server for the tests: one per session, a fresh database per test.

`postgresql` is the SQLAlchemy URL of an empty database. The server listens on the loopback, runs as a
user without rights, keeps its data in a temporary folder, and is watched over by a process that stops it and
removes the folder when pytest ends, however pytest ends. Run as a program, this file is that process.
"""

import contextlib
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

_OWNER = "tongban"
# Linux hands out ports from 32768 on to outgoing connections; one below stays free until it is taken on purpose.
_PORTS = range(20_000, 32_000)


class Server(NamedTuple):
    """A running server."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{_OWNER}@127.0.0.1:{self.port}/{database}"

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=_OWNER, dbname="postgres", autocommit=True, connect_timeout=5
        )


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    said = tmp_path_factory.mktemp("postgresql") / "said.log"
    server = Server(_free_port())
    with said.open("wb") as log:
        watch = subprocess.Popen(
            [sys.executable, __file__, str(server.port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(server, watch, said)
        yield server
    finally:
        watch.communicate(timeout=60)


@pytest.fixture
def postgresql(postgresql_server: Server) -> Iterator[str]:
    name = f"test_{secrets.token_hex(8)}"
    with postgresql_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    yield postgresql_server.url(name)
    with postgresql_server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _free_port() -> int:
    for port in random.sample(_PORTS, 200):
        with socket.socket() as attempt, contextlib.suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port in {_PORTS}")


def _wait_for(server: Server, watch: "subprocess.Popen[bytes]", said: Path) -> None:
    until = time.monotonic() + 120
    while watch.poll() is None and time.monotonic() < until:
        with contextlib.suppress(psycopg.OperationalError), server.connect():
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start:\n{said.read_text(errors='replace')}")


def _watch(port: int) -> None:
    binaries = _binaries()
    account = _account()
    data = tempfile.mkdtemp(prefix="tongban-postgresql-")
    try:
        if account is not None:
            os.chown(data, account.pw_uid, account.pw_gid)
        _run_until_left_alone(binaries, Path(data), port, account)
    finally:
        shutil.rmtree(data)


def _run_until_left_alone(binaries: Path, data: Path, port: int, account: pwd.struct_passwd | None) -> None:
    user = account.pw_uid if account else None
    group = account.pw_gid if account else None
    others: list[int] | None = [] if account else None
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        _OWNER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(initdb, user=user, group=group, extra_groups=others, cwd=data, check=True, stdin=subprocess.DEVNULL)
    settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=50"]
    postgres: list[str | Path] = [
        binaries / "postgres",
        "-D",
        data,
        "-p",
        str(port),
        *(f"-c{setting}" for setting in settings),
    ]
    server = subprocess.Popen(postgres, user=user, group=group, extra_groups=others, cwd=data, stdin=subprocess.DEVNULL)
    # Nothing is ever written to this process: reading ends when whoever started it is gone.
    sys.stdin.buffer.read()
    server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: connections are cut
    server.wait(timeout=30)


def _binaries() -> Path:
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    for found in ([Path(on_path)] if on_path else []) + installed[::-1]:
        folder = found.resolve().parent
        if (folder / "postgres").exists():
            return folder
    raise SystemExit("no PostgreSQL server is installed (Debian: apt-get install postgresql)")


def _account() -> pwd.struct_passwd | None:
    """Whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SystemExit("running as root, and neither the user postgres nor nobody exists")


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
