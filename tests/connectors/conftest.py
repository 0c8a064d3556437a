"""What tests of connectors on a real broker need: a world with topics, a generation and key files."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.settings import Settings
from schemas import topics
from schemas.codec import contract
from schemas.subjects import GRAMMAR
from tests.connectors.worlds import AUDIT, KEY, PARTITIONS
from transport.client import Client, NewTopic, Outgoing, connect
from transport.settings import Kafka


@pytest.fixture
def client(kafka: Kafka) -> Client:
    return connect(kafka)


@pytest.fixture
def installed(kafka: Kafka, client: Client, tmp_path: Path) -> Settings:
    """Settings of an installation whose topics and generation are there."""
    admin = client.admin()
    wanted = topics.all_topics(kafka.prefix, PARTITIONS, ["market_supervision", "local_tax", "social_security"])
    needed = ("dept.", "positions.", "quarantine.", "reconciliation.", "control")
    kept = [t for t in wanted if any(word in t.name for word in needed)]
    admin.create_topics([NewTopic(t.name, t.partitions, 1, t.configs) for t in kept])
    admin.close()
    _begin(kafka, client)
    return Settings(
        kafka=kafka,
        state_dir=tmp_path / "state",
        district_key_file=_key(tmp_path / "district.key", KEY.secret),
        audit_key_file=_key(tmp_path / "audit.key", AUDIT.secret),
        resend_wait_seconds=0.1,  # no exchange is there to answer
    )


def _begin(kafka: Kafka, client: Client) -> None:
    generation = {
        "partitions": PARTITIONS,
        "key_fingerprint": KEY.fingerprint,
        "key_letter": KEY.letter,
        "key_function": KEY.function,
        "key_grammar": GRAMMAR,
        "audit_fingerprint": AUDIT.fingerprint,
        "id_mode": "lock",
        "installation": "test",
    }
    value = contract().encode("control/generation-1", generation)
    sender = client.transactions(f"{kafka.prefix}begin")
    sender.begin()
    for partition in range(PARTITIONS):
        sender.send(Outgoing(topics.control(kafka.prefix), partition, b"generation", value))
    sender.seal()
    sender.commit()
    sender.close()


def _key(file: Path, secret: bytes) -> Path:
    file.touch(mode=0o600)
    file.write_text(secret.hex())
    return file
