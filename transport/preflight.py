"""Tells what is wrong with a connection: nothing there, TLS refused, or a login that is not accepted.

The client library cannot: a wrong password looks to it like a broker that is
away. So this speaks the handshake itself, as far as being let in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import ssl
from pathlib import Path

from process.errors import SettingsError, TransientError
from process.messages import say
from transport import wire
from transport.settings import Kafka

_SECONDS = 8.0
_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


class _HungUp(TransientError):
    """Somebody is there, but did not speak to the end: a wrong port or protocol, or a broker that is stopping."""


def check(kafka: Kafka) -> None:
    """Return when one of the brokers lets us in.

    TransientError when none is there; SettingsError when one is there and does not let us in.
    """
    try:
        reach(kafka)
    except _HungUp as exc:
        raise SettingsError(str(exc)) from exc


def reach(kafka: Kafka) -> None:
    """The same for a process that runs: a broker that hangs up may be stopping, and is waited for."""
    failed: TransientError | None = None
    for broker in kafka.brokers.split(","):
        host, port = address(broker)
        try:
            return _enter(kafka, broker.strip(), host, port)
        except _HungUp as exc:
            failed = exc
        except OSError as exc:
            failed = failed or unreachable(kafka, _told(exc))
    raise failed or unreachable(kafka, "")


def unreachable(kafka: Kafka, reason: str) -> TransientError:
    """The error of brokers that do not answer."""
    return TransientError(say("transport.unreachable", brokers=kafka.brokers, reason=reason))


def address(broker: str) -> tuple[str, int]:
    """The host and port of `host:port`."""
    host, _, port = broker.strip().rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(say("transport.bad_address", broker=broker.strip()))
    return host.strip("[]"), int(port)


def _enter(kafka: Kafka, broker: str, host: str, port: int) -> None:
    with socket.create_connection((host, port), timeout=_SECONDS) as plain:
        try:
            with _encrypted(kafka, broker, plain, host) if kafka.tls else plain as connection:
                if kafka.sasl:
                    _log_in(kafka, broker, connection)
                wire.cluster(connection)
        except OSError as exc:
            text = say("transport.not_a_broker", broker=broker, protocol=kafka.protocol, reason=_told(exc))
            raise _HungUp(text) from exc


def _encrypted(kafka: Kafka, broker: str, plain: socket.socket, host: str) -> socket.socket:
    context = ssl.create_default_context(cafile=_readable("ca_file", kafka.ca_file))
    certificate = _readable("cert_file", kafka.cert_file)
    try:
        if certificate is not None:
            context.load_cert_chain(certificate, _readable("key_file", kafka.key_file))
        return context.wrap_socket(plain, server_hostname=host)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise
    except ssl.SSLError as exc:
        reason = getattr(exc, "verify_message", "") or exc.reason or "TLS error"
        raise SettingsError(say("transport.refused_tls", broker=broker, reason=reason)) from exc


def _told(exc: OSError) -> str:
    return exc.strerror or str(exc) or type(exc).__name__


def _readable(field: str, file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        file.open("rb").close()
    except OSError as exc:
        raise SettingsError(say("transport.no_file", field=field, file=file, reason=exc.strerror)) from exc
    return str(file)


def _log_in(kafka: Kafka, broker: str, connection: socket.socket) -> None:
    password = kafka.password()
    username = kafka.username or ""
    try:
        wire.choose_mechanism(connection, kafka.mechanism)
        if kafka.mechanism == "PLAIN":
            wire.authenticate(connection, f"\0{username}\0{password}".encode())
        else:
            _prove(connection, _HASHES[kafka.mechanism], username, password)
    except wire.MechanismRefused as exc:
        text = say("transport.refused_mechanism", broker=broker, mechanism=kafka.mechanism, offered=str(exc))
        raise SettingsError(text) from exc
    except wire.LoginRefused as exc:
        text = say("transport.refused_login", broker=broker, username=username, reason=str(exc))
        raise SettingsError(text) from exc


def _prove(connection: socket.socket, name: str, username: str, password: str) -> None:
    """SCRAM (RFC 5802): prove that we know the password without saying it."""
    ours = secrets.token_urlsafe(24)
    first = f"n={username.replace('=', '=3D').replace(',', '=2C')},r={ours}"
    theirs = wire.authenticate(connection, f"n,,{first}".encode()).decode()
    told = dict(part.split("=", 1) for part in theirs.split(","))
    if not told["r"].startswith(ours):
        raise ConnectionError("the broker answered another login")
    final = f"c=biws,r={told['r']}"
    salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(told["s"]), int(told["i"]))
    client_key = hmac.digest(salted, b"Client Key", name)
    signature = hmac.digest(hashlib.new(name, client_key).digest(), f"{first},{theirs},{final}".encode(), name)
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    wire.authenticate(connection, f"{final},p={proof}".encode())
