"""Which client is used, and which settings cannot be meant."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from transport.settings import Kafka


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


def test_a_process_has_a_client_of_its_own_choice_unless_one_is_named() -> None:
    unnamed = Kafka(brokers="x:9092")
    named = Kafka(brokers="x:9092", client="kafka-python")

    assert unnamed.client == "kafka-python"
    assert unnamed.preferring("confluent-kafka").client == "confluent-kafka"
    assert named.preferring("confluent-kafka").client == "kafka-python"


def test_where_the_wheel_is_missing_the_error_says_what_to_do() -> None:
    program = """
import sys
sys.modules["confluent_kafka"] = None
from process.errors import SettingsError
from transport.client import connect
from transport.settings import Kafka
try:
    connect(Kafka(brokers="x:9092", client="confluent-kafka"))
except SettingsError as exc:
    print(exc)
connect(Kafka(brokers="x:9092"))
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert "pip install confluent-kafka" in ended.stdout
    assert "kafka.client: kafka-python" in ended.stdout
