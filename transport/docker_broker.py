"""A Kafka broker in Docker, for machines that have Docker and no Java."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from testcontainers.core.container import DockerContainer

from transport.broker import free_port
from transport.jars import KAFKA_VERSION
from transport.wire import describe_cluster

_START_SECONDS = 120.0


def daemon_answers(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a Docker daemon answers a ping: that its client is installed says nothing."""
    kind, _, address = environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    try:
        with _connected(kind, address) as connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except (OSError, ValueError):
        return False


def _connected(kind: str, address: str) -> socket.socket:
    if kind != "unix":
        host, _, port = address.rstrip("/").rpartition(":")
        return socket.create_connection((host, int(port)), timeout=3)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(3)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


class DockerBroker:
    """The official image, one KRaft node, reachable on loopback."""

    def __init__(self) -> None:
        self._port = free_port()
        settings = {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            # The same port inside and outside: the broker writes a transaction's end to itself over this address.
            "KAFKA_LISTENERS": f"PLAINTEXT://:{self._port},CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{self._port}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "4",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS": "1000",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        }
        self._container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}")
        for name, value in settings.items():
            self._container.with_env(name, value)
        # On loopback only: the library's annotation knows a port, docker takes an address with it.
        self._container.ports[f"{self._port}/tcp"] = ("127.0.0.1", self._port)  # type: ignore[assignment]
        self._container.start()
        self._wait_until_ready()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._container.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                if describe_cluster("127.0.0.1", self._port, 2.0).nodes:
                    return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise
            time.sleep(0.2)
