"""What every test may ask for: one real broker for the whole run, and topics of its own on it."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator

import pytest

from transport.broker import Broker, find
from transport.settings import Kafka

# kafka-python leaves two kinds of sockets to the garbage collector, which says so in whatever test comes next: those
# of refused connections, and the pair that wakes a client that could not be made. Neither was ever connected to a peer.
_LEFT_BEHIND = r"Exception ignored in. <socket.socket .*(laddr=.'0.0.0.0'|family=1, type=1, proto=0>)"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", f"ignore:{_LEFT_BEHIND}:pytest.PytestUnraisableExceptionWarning")
    # And once more for what is found after the last test, when pytest reads its settings no more.
    warnings.filterwarnings("ignore", _LEFT_BEHIND, pytest.PytestUnraisableExceptionWarning)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The first broker to be had, shared by all tests: never kill it, start a LocalBroker for that."""
    found = find()
    yield found
    found.stop()


@pytest.fixture
def kafka(broker: Broker) -> Kafka:
    """Settings for the shared broker with a prefix that no other test has."""
    return Kafka(brokers=broker.bootstrap, prefix=f"t{uuid.uuid4().hex[:10]}.")
