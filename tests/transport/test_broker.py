"""The local broker: ours, checked, and gone when it should be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from transport import jars
from transport.broker import LocalBroker, find
from transport.docker_broker import daemon_answers
from transport.wire import describe_cluster


def test_a_killed_broker_comes_back_on_the_same_address_and_cluster(tmp_path: Path) -> None:
    with LocalBroker(tmp_path / "data") as broker:
        before = (broker.bootstrap, broker.cluster_id)
        broker.kill()
        broker.start()
        answered = describe_cluster("127.0.0.1", broker.port, 5)

        assert (broker.bootstrap, broker.cluster_id) == before
        assert answered == (before[1], frozenset({1}))


def test_a_broker_named_in_the_environment_is_used_before_any_other() -> None:
    found = find({"KAFKA_BOOTSTRAP_SERVERS": "somewhere:9092"})

    assert found.bootstrap == "somewhere:9092"


@pytest.mark.parametrize(("answer", "counts"), [(b"HTTP/1.0 200 OK\r\n\r\nOK", True), (b"", False)])
def test_docker_counts_only_when_its_daemon_answers(answer: bytes, counts: bool) -> None:
    def reply() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(100)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        replying = threading.Thread(target=reply)
        replying.start()
        found = daemon_answers({"DOCKER_HOST": f"tcp://127.0.0.1:{server.getsockname()[1]}"})
        replying.join()

    assert found is counts
    assert not daemon_answers({"DOCKER_HOST": "unix:///nowhere/docker.sock"})


def test_a_broker_dies_with_a_parent_that_had_no_time_to_stop_it(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "transport.broker", "--data", str(tmp_path / "data"), "--ready-file", str(ready)]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not ready.exists():
        assert parent.poll() is None
        time.sleep(0.1)
    port = int(ready.read_text().strip().rpartition(":")[2])
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    while _answers(port):
        time.sleep(0.05)

    assert not _answers(port)


def test_a_broker_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path / "data")
    starting = threading.Thread(target=broker.start)
    starting.start()
    starting.join()
    time.sleep(0.5)
    alive = broker.alive()
    broker.stop()

    assert alive


def test_a_jar_that_differs_from_the_list_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = jars.kafka_jars()
    folder = tmp_path / genuine.name
    folder.mkdir()
    for jar in genuine.glob("*.jar"):
        (folder / jar.name).symlink_to(jar)
    (folder / "re2j-1.8.jar").unlink()
    (folder / "re2j-1.8.jar").write_bytes(b"something else")
    monkeypatch.setenv("TONGBAN_CACHE", str(tmp_path))
    jars.kafka_jars.cache_clear()

    with pytest.raises(RuntimeError, match=r"re2j-1\.8\.jar"):
        jars.kafka_jars()


def _answers(port: int) -> bool:
    try:
        describe_cluster("127.0.0.1", port, 2)
    except OSError:
        return False
    return True
