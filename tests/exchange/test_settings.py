"""What the exchange takes for granted where nothing is said."""

from __future__ import annotations

from pathlib import Path

from exchange.settings import Settings
from process.settings import load


def test_the_exchange_speaks_through_confluent_kafka_unless_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "exchange.yaml"
    file.write_text("kafka: {brokers: 'x:9092'}\nstate_dir: state\naudit_key_file: audit.key\n")

    assert load(Settings, file, {}).kafka.client == "confluent-kafka"
    assert load(Settings, file, {"TONGBAN_CLIENT": "kafka-python"}).kafka.client == "kafka-python"
