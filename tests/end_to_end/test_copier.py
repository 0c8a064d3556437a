"""A copier that shares no code with us moves a department's topic, less one record: the loss has to show by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

from deploy.installation import running, until
from exchange import look
from schemas.codec import contract
from tests import two_departments
from tests.end_to_end.conftest import PARTITIONS, Ran
from transport.client import Client, connect
from transport.settings import Kafka


def copied(brokers: str, source: str, target: str, leave_out: int) -> int:
    """Run the copier; the partition of the record it left out."""
    command = [sys.executable, str(Path(__file__).with_name("copier.py")), brokers, source, target]
    ended = subprocess.run([*command, str(PARTITIONS), str(leave_out)], check=True, capture_output=True, text=True)
    return int(ended.stdout)


def watermarks(client: Client, prefix: str, source: str) -> dict[int, dict[str, Any]]:
    found = {}
    for message in look.read_all(client, f"{prefix}registry.legal-person"):
        name, content = contract().decode(message.value or b"")
        if name == "registry/watermark-1" and content["source"] == source:
            found[message.partition] = content
    return found


def test_a_department_topic_copied_less_one_record_is_a_break_by_name_and_nothing_is_concluded(whole: Ran) -> None:
    prefix = f"copy{whole.prefix}"
    there = two_departments.installation(whole.there.folder, whole.there.brokers, prefix, PARTITIONS, whole.urls)
    there.apply_topics()
    topic = "dept.market_supervision"
    seed = Random(1).randrange(1000)
    lost_from = copied(there.brokers, f"{whole.prefix}{topic}", f"{prefix}{topic}", seed)
    client = connect(Kafka(brokers=there.brokers, prefix=prefix))
    source = "market_supervision.enterprise"

    with running(there):
        exchange = there.start_exchange("copy-reader")
        assert until(lambda: len(watermarks(client, prefix, source)) == PARTITIONS, 60)
        told = watermarks(client, prefix, source)
        status = there.status()[source]

        assert told[lost_from]["break_kind"] == "messages_missing"
        assert told[lost_from]["complete_until"] is None
        assert told[lost_from]["present_until"] is None
        assert status["breaks"] == ["messages_missing"]
        assert status["missing"] == 1
        assert status["complete_until"] is None
        assert '"event": "exchange.stream_break"' in exchange.log.read_text()
    whole.there.write()  # the settings files are shared: give the first installation its own back
