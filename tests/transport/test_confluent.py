"""What confluent-kafka must be kept from."""

from __future__ import annotations

import subprocess
import sys

from transport.broker import Broker
from transport.client import NewTopic, connect
from transport.settings import Kafka

COMING_AND_GOING = """
import sys, time
from transport.client import connect
from transport.settings import Kafka

client = connect(Kafka(brokers=sys.argv[1], client="confluent-kafka"))
for number in range(60):
    member = client.group(f"{sys.argv[2]}-{number}", "one", [sys.argv[2]])
    time.sleep(number / 1000)
    member.close()
"""


def test_a_member_that_goes_before_it_is_told_of_its_partitions_does_not_hold_the_interpreter(
    broker: Broker, name: str
) -> None:
    admin = connect(Kafka(brokers=broker.bootstrap)).admin()
    admin.create_topics([NewTopic(name, 2, 1)])
    admin.close()

    # In a process of its own: one that is held this way heeds no signal and no time limit.
    subprocess.run([sys.executable, "-c", COMING_AND_GOING, broker.bootstrap, name], check=True, timeout=120)
