"""A real Kafka broker for the demo and the tests, started and stopped by us.

The first one found is used: KAFKA_BOOTSTRAP_SERVERS, Docker, then Java with
the broker's jars from Maven. A local broker dies with the process that
started it, even by kill -9: the kernel ends it.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import IO, NamedTuple, Protocol, Self

from transport.jars import kafka_jars
from transport.wire import describe_cluster

_START_SECONDS = 90.0
_STOP_SECONDS = 20.0

# Small and quick: one machine, small data, and tests that kill it often. Restart after kill -9 waits for the
# broker session: 11.5 s with the defaults, 3.5 s so. Below 128 MB of cleaner buffer the small heap suffices.
_PROPERTIES = {
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.index.size.max.bytes": "1048576",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.segment.bytes": "1048576",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.segment.bytes": "1048576",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.segment.bytes": "1048576",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "300",
    "controller.quorum.election.timeout.ms": "500",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "group.min.session.timeout.ms": "1000",
}
_JVM = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Xss256k",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)

# Runs in the child: asks the kernel to kill it when its parent dies, then becomes the broker (the process id
# stays). A pre-exec function would do the same but may deadlock in a parent with threads.
_UNTIL_PARENT_DIES = """
import ctypes, os, signal, sys
prctl = getattr(ctypes.CDLL(None), "prctl", None)
if prctl is not None:
    prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


# The kernel goes by the thread that started the child, and would end the broker with a thread that only started it:
# so one thread, which lives as long as we do, starts them all.
_starting = ThreadPoolExecutor(1, "broker-starting")


class Broker(Protocol):
    """A broker that someone runs, and where to reach it."""

    @property
    def bootstrap(self) -> str: ...
    def stop(self) -> None: ...


def find(environ: Mapping[str, str] = os.environ) -> Broker:
    """The first broker to be had: named by the environment, in Docker, or our own on Java."""
    if servers := environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return _Named(servers)
    if (container := _docker()) is not None:
        return container
    broker = LocalBroker()
    broker.start()
    return broker


class Login(NamedTuple):
    """Who may log in to a broker's second listener, which has TLS; by PLAIN or SCRAM-SHA-512."""

    username: str
    password: str


class LocalBroker:
    """One Kafka node of our own, on loopback: broker and controller, or a further broker that `joins` one.

    `data` survives stop and start; without it a temporary folder goes when the broker stops. Stopping without
    giving up the data (`stop(keep=True)`), `kill` and `start` are a restart.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        joins: LocalBroker | None = None,
        properties: Mapping[str, str] | None = None,
        login: Login | None = None,
        heap: str = "256m",
    ) -> None:
        self._temporary = data is None
        self.data = Path(tempfile.mkdtemp(prefix="tongban-broker-")) if data is None else data
        self._joins = joins
        self._properties = dict(properties or {})
        self._login = login
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def secure_bootstrap(self) -> str:
        """Where TLS and the login are asked for, of a broker made with one; `ca_file` vouches for it."""
        return f"127.0.0.1:{self._ports()['SECURE']}"

    @property
    def ca_file(self) -> Path:
        return self.data / "certificate.pem"

    @property
    def port(self) -> int:
        return self._ports()["PLAINTEXT"]

    @property
    def cluster_id(self) -> str:
        return _properties(self.data / "logs" / "meta.properties")["cluster.id"]

    @property
    def quorum(self) -> str:
        """Who votes: what a broker that joins must be told."""
        return self._settings()["controller.quorum.voters"]

    @property
    def node_id(self) -> int:
        return 1 if self._joins is None else 2

    def start(self) -> None:
        """Start on the data as it is, formatting it the first time, and return when the broker answers."""
        for attempts_left in (2, 1, 0):
            self._prepare()
            self._process = self._launch()
            try:
                self._wait_until_ready()
            except _DiedEarly:
                # A neighbour took the port between our look and the broker's. Data written once keeps its port.
                if not attempts_left or not self._new:
                    raise
                shutil.rmtree(self.data / "logs")
                (self.data / "server.properties").unlink()
            else:
                return

    def stop(self, *, keep: bool = False) -> None:
        """End the broker (SIGTERM, then SIGKILL) and wait; a temporary folder goes too unless kept."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
            self.kill()
        if self._temporary and not keep:
            shutil.rmtree(self.data, ignore_errors=True)

    def kill(self) -> None:
        """End the broker at once (kill -9); `start` brings it back on the same data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process

    def _prepare(self) -> None:
        self._new = not (self.data / "logs" / "meta.properties").exists()
        if not self._new:
            return
        self.data.mkdir(parents=True, exist_ok=True)
        _write(self.data / "server.properties", self._new_settings())
        cluster_id = _new_cluster_id() if self._joins is None else self._joins.cluster_id
        arguments = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self.data / "server.properties")]
        if self._login is not None:
            user = f"name={self._login.username},password={self._login.password}"
            arguments += ["--add-scram", f"SCRAM-SHA-512=[{user}]"]
        done = subprocess.run([*self._java(), *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(
                f"the broker's storage could not be formatted: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            )

    def _new_settings(self) -> dict[str, str]:
        wanted = {"PLAINTEXT": True, "CONTROLLER": self._joins is None, "SECURE": self._login is not None}
        ports = dict(zip([name for name, is_wanted in wanted.items() if is_wanted], _different_ports(), strict=False))
        listeners = {name: f"{name}://127.0.0.1:{port}" for name, port in ports.items()}
        return {
            "process.roles": "broker,controller" if self._joins is None else "broker",
            "node.id": str(self.node_id),
            "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}"
            if self._joins is None
            else self._joins.quorum,
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(each for name, each in listeners.items() if name != "CONTROLLER"),
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL",
            "log.dirs": str(self.data / "logs"),
            **_PROPERTIES,
            **({} if self._login is None else _secure(self._login, self.data)),
            **self._properties,
        }

    def _ports(self) -> dict[str, int]:
        listeners = self._settings()["listeners"].split(",")
        return {each.partition(":")[0]: int(each.rpartition(":")[2]) for each in listeners}

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [*self._java(), "kafka.Kafka", str(self.data / "server.properties")]
        wrapped = [sys.executable, "-S", "-E", "-c", _UNTIL_PARENT_DIES, str(os.getpid()), *command]
        with (self.data / "broker.log").open("ab") as log:
            return _starting.submit(_spawn, wrapped, log).result()

    def _java(self) -> list[str]:
        jars = kafka_jars()
        return [java(), f"-Xmx{self._heap}", *_JVM, "-cp", f"{jars}/*"]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                raise _DiedEarly(f"the broker ended at once; its last words: {self._last_words()}")
            with suppress(OSError):
                cluster = describe_cluster("127.0.0.1", self.port, 2.0)
                if cluster.cluster_id != self.cluster_id:
                    raise _DiedEarly("another broker answers on our port")
                if self.node_id in cluster.nodes:
                    return
            time.sleep(0.05)
        self.kill()
        raise TimeoutError(f"the broker did not answer within {_START_SECONDS:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        return (self.data / "broker.log").read_text(errors="replace")[-2000:]

    def _settings(self) -> dict[str, str]:
        return _properties(self.data / "server.properties")


class _DiedEarly(RuntimeError):
    """The broker ended before it was ready."""


class _Named:
    """A broker somebody else runs."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def stop(self) -> None:
        """Nothing: it is not ours."""


def java() -> str:
    """The Java to run: JAVA_HOME's, else the one on the path."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise FileNotFoundError("no Java found: install a Java 17 runtime or name a broker in KAFKA_BOOTSTRAP_SERVERS")
    return found


def _spawn(command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    # Own session: Ctrl-C at the terminal is for us, and we stop the broker in order.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def free_port() -> int:
    """A free port below 32768, where no outgoing connection can take it meanwhile."""
    for _ in range(1000):
        port = random.randrange(20000, 32000)  # noqa: S311 - a port, not a secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port between 20000 and 32000")


def _different_ports() -> Iterator[int]:
    """Free ports, none twice: that one is free says nothing of the last one, which nobody has taken yet."""
    given: set[int] = set()
    while True:
        port = free_port()
        if port not in given:
            given.add(port)
            yield port


def _secure(login: Login, folder: Path) -> dict[str, str]:
    certificate, key, both = folder / "certificate.pem", folder / "key.pem", folder / "keystore.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    modules = "org.apache.kafka.common.security"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(both),
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "listener.name.secure.plain.sasl.jaas.config": (
            f'{modules}.plain.PlainLoginModule required user_{login.username}="{login.password}";'
        ),
        "listener.name.secure.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
    }


def _new_cluster_id() -> str:
    # Kafka refuses an id that begins with a dash: its command line would read an option.
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")


def _properties(file: Path) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _write(file: Path, settings: Mapping[str, str]) -> None:
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def _docker() -> Broker | None:
    """A broker in Docker, where the libraries are installed and a daemon answers."""
    try:
        from transport.docker_broker import DockerBroker, daemon_answers  # noqa: PLC0415 - an extra, not always there
    except ImportError:
        return None
    return DockerBroker() if daemon_answers() else None


def main(arguments: list[str] | None = None) -> int:
    """Run one broker until SIGTERM; write its bootstrap address to the ready file when it answers."""
    parser = argparse.ArgumentParser(
        prog="python -m transport.broker", description="Run a local Kafka broker until SIGTERM."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the broker's data; kept")
    parser.add_argument("--ready-file", type=Path, help="file to write host:port to once the broker answers")
    parser.add_argument("--heap", default="256m", help="the broker's heap, for example 512m")
    chosen = parser.parse_args(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with LocalBroker(chosen.data, heap=chosen.heap) as broker:
        if chosen.ready_file:
            _write_whole(chosen.ready_file, broker.bootstrap)
        print(broker.bootstrap, flush=True)  # noqa: T201 - how a command answers
        while not stop.wait(0.5):
            if not broker.alive():
                sys.stderr.write(f"the broker ended by itself: see {chosen.data / 'broker.log'}\n")
                return 3
    return 0


def _write_whole(file: Path, text: str) -> None:
    # Whoever waits for the file must never read half of it.
    partial = file.with_name(file.name + ".part")
    partial.write_text(text + "\n")
    partial.replace(file)


if __name__ == "__main__":
    sys.exit(main())
