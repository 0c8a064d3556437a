"""The few Kafka requests that must not depend on a client library.

A broker that was just started is asked who it is before anything connects to
it, and the preflight speaks the handshake itself, because a client that
cannot log in says only that it found no broker.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

_METADATA = 3
_SASL_HANDSHAKE = 17
_SASL_AUTHENTICATE = 36
_CLIENT = b"tongban"


class Cluster(NamedTuple):
    """What a broker says about its cluster."""

    cluster_id: str
    nodes: frozenset[int]


class LoginRefused(Exception):
    """The broker does not let this user in, or not in this way; the text is the broker's."""


class MechanismRefused(Exception):
    """The broker does not offer this way to log in; the text lists what it offers."""


def describe_cluster(host: str, port: int, seconds: float) -> Cluster:
    """Ask the broker at host:port for its cluster; OSError when it does not answer like one."""
    with socket.create_connection((host, port), timeout=seconds) as connection:
        return cluster(connection)


def cluster(connection: socket.socket) -> Cluster:
    """Ask over a connection for the cluster."""
    # Version 2 is the first with a cluster id and still plain (no tagged fields); no topics asked for.
    answer = _Answer(request(connection, _METADATA, 2, struct.pack(">i", 0)))
    nodes = set()
    for _ in range(answer.int32()):
        nodes.add(answer.int32())
        answer.string()
        answer.int32()
        answer.string()
    return Cluster(answer.string() or "", frozenset(nodes))


def choose_mechanism(connection: socket.socket, mechanism: str) -> None:
    """Say how we log in."""
    name = mechanism.encode()
    answer = _Answer(request(connection, _SASL_HANDSHAKE, 1, struct.pack(">h", len(name)) + name))
    error = answer.int16()
    offered = [answer.string() or "" for _ in range(answer.int32())]
    if error:
        raise MechanismRefused(", ".join(offered))


def authenticate(connection: socket.socket, said: bytes) -> bytes:
    """Say one step of the login and give the broker's answer to it."""
    answer = _Answer(request(connection, _SASL_AUTHENTICATE, 0, struct.pack(">i", len(said)) + said))
    error, text = answer.int16(), answer.string()
    if error:
        raise LoginRefused(text or f"error {error}")
    return answer.octets()


def request(connection: socket.socket, api: int, version: int, body: bytes) -> bytes:
    """Send one request and give the body of its answer."""
    head = struct.pack(">hhih", api, version, 1, len(_CLIENT)) + _CLIENT
    connection.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    if not 4 <= size <= 1 << 20:
        raise ConnectionError("the answer is not Kafka's")
    return _exactly(connection, size)[4:]


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        part = connection.recv(size - len(read))
        if not part:
            raise ConnectionError("the connection was closed before the answer was complete")
        read += part
    return read


class _Answer:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def int16(self) -> int:
        value: int = struct.unpack(">h", self._take(2))[0]
        return value

    def octets(self) -> bytes:
        return self._take(max(0, self.int32()))

    def int32(self) -> int:
        value: int = struct.unpack(">i", self._take(4))[0]
        return value

    def string(self) -> str | None:
        size: int = struct.unpack(">h", self._take(2))[0]
        return None if size < 0 else self._take(size).decode()

    def _take(self, size: int) -> bytes:
        part = self._body[self._at : self._at + size]
        if len(part) < size:
            raise ConnectionError("the answer is shorter than it says")
        self._at += size
        return part
