"""What the pinned kafka-python must still have, and what settings turn into."""

from __future__ import annotations

import threading

import pytest
from pydantic import ValidationError

from transport.broker import Broker
from transport.client import Doubt, Outgoing, connect
from transport.deadline import DeadlineError, within
from transport.kafka_python.library import KafkaProducer
from transport.settings import Kafka


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"protocol": "SASL_SSL"},
        {"cert_file": "ours.pem"},
        {"brokers": ""},
        {"client": "another"},
        {"prefix": "a prefix"},
        {"broker": "x:1"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Kafka.model_validate({"brokers": "x:9092", **wrong})


def test_a_record_for_a_topic_nobody_made_is_a_doubt_that_names_the_topic(broker: Broker) -> None:
    sender = connect(Kafka(brokers=broker.bootstrap)).transactions("no-such-topic")
    sender.begin()

    with pytest.raises(Doubt, match=r"nobody\.made"):
        sender.send(Outgoing("nobody.made", 0, b"key", b"value"))
    sender.close()
