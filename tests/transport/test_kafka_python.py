"""What the pinned kafka-python must still have."""

from __future__ import annotations

import threading

import pytest

from transport.broker import Broker
from transport.deadline import DeadlineError, within
from transport.kafka_python.library import KafkaProducer


def test_the_two_private_names_we_rest_on_are_there(broker: Broker) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id="two-private-names")
    state = producer._transaction_manager._current_state.name  # noqa: SLF001 - the first
    sender = producer._sender  # noqa: SLF001 - the second
    sender.force_close()
    sender.join(10)
    ended = not sender.is_alive()
    producer.close(timeout=0)

    assert state == "UNINITIALIZED"
    assert ended


def test_a_call_that_does_not_return_is_left_at_its_deadline() -> None:
    with pytest.raises(DeadlineError, match="gave no answer"):
        within(0.05, threading.Event().wait, 5)
