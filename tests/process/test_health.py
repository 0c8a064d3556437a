"""The three pages of a running process."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import CollectorRegistry, Counter

from process.errors import SettingsError
from process.health import Health, serve


class _Work:
    def __init__(self) -> None:
        self.answer: tuple[bool, Mapping[str, object]] | None = (True, {"behind": 0})

    def ready(self) -> tuple[bool, Mapping[str, object]]:
        if self.answer is None:
            raise ValueError("a value that is nobody's business")
        return self.answer


@pytest.fixture
def work() -> _Work:
    return _Work()


@pytest.fixture
def health(work: _Work) -> Iterator[Health]:
    registry = CollectorRegistry()
    Counter("tongban_records_total", "Records taken.", registry=registry).inc(3)
    server = serve(registry, work.ready, 0)
    yield server
    server.stop()


def test_metrics_are_as_prometheus_reads_them(health: Health) -> None:
    status, body = _get(health, "/metrics")

    assert status == 200
    assert "tongban_records_total 3.0" in body.splitlines()


def test_a_process_that_answers_is_alive(health: Health, work: _Work) -> None:
    work.answer = (False, {})

    assert _get(health, "/healthz") == (200, "ok\n")


def test_readiness_says_what_it_rests_on(health: Health, work: _Work) -> None:
    ready = _get(health, "/readyz")
    work.answer = (False, {"behind": 12})
    behind = _get(health, "/readyz")

    assert (ready[0], json.loads(ready[1])) == (200, {"ready": True, "behind": 0})
    assert (behind[0], json.loads(behind[1])) == (503, {"ready": False, "behind": 12})


def test_one_that_cannot_tell_is_not_ready_and_quotes_nothing(health: Health, work: _Work) -> None:
    work.answer = None

    status, body = _get(health, "/readyz")

    assert (status, json.loads(body)) == (503, {"ready": False, "error": "ValueError"})


def test_nothing_else_is_there(health: Health) -> None:
    assert _get(health, "/")[0] == 404


def test_it_listens_on_the_loopback_only_unless_told(health: Health) -> None:
    assert health.address == "127.0.0.1"


def test_a_port_in_use_is_told(health: Health, work: _Work) -> None:
    with pytest.raises(SettingsError, match=f"127.0.0.1:{health.port} is in use"):
        serve(CollectorRegistry(), work.ready, health.port)


def test_an_address_of_another_machine_is_told(work: _Work) -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:0 cannot be listened on"):
        serve(CollectorRegistry(), work.ready, 0, "192.0.2.1")


def test_after_stopping_nothing_answers(work: _Work) -> None:
    server = serve(CollectorRegistry(), work.ready, 0)
    server.stop()

    with pytest.raises(urllib.error.URLError):
        _get(server, "/healthz")


def _get(health: Health, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{health.address}:{health.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()
