"""A mirror that shares no code with the product: copies a department's messages between two prefixes, with faults.

    python mirror.py BROKERS FROM_PREFIX TO_PREFIX DEPARTMENT PARTITIONS FAULT_FILE

Messages of `dept.` go forward; those of `reconciliation.` go forward where they name their source in a header, as a
connector's do, and backward where they do not. The fault file, as long as it is there, is done to the next record
and removed: drop, double (once more, as another row), or change (one byte near the end).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


class Mirror:
    def __init__(self, brokers: str, source: str, target: str, department: str, count: int, fault: Path) -> None:
        self.there, self.here, self.fault = source, target, fault
        self.names = [f"dept.{department}", f"reconciliation.{department}"]
        settings = {"bootstrap_servers": brokers, "isolation_level": "read_committed", "enable_auto_commit": False}
        self.consumer = KafkaConsumer(**settings)
        self.producer = KafkaProducer(bootstrap_servers=brokers, linger_ms=0)
        dept, reconciliation = self.names
        places = [TopicPartition(source + dept, number) for number in range(count)]
        places += [TopicPartition(prefix + reconciliation, 0) for prefix in (source, target)]
        self.consumer.assign(places)
        self.consumer.seek_to_beginning()

    def step(self) -> None:
        for batch in self.consumer.poll(timeout_ms=100).values():
            for message in batch:
                self.copy(message)
        self.producer.flush(30)

    def copy(self, message: Any) -> None:
        forward = message.topic.startswith(self.there)
        name = message.topic.removeprefix(self.there if forward else self.here)
        from_source = any(header[0] == "source" for header in message.headers)
        if forward != from_source:
            return
        value, key = message.value, message.key
        if forward and name == self.names[0] and not key.startswith(b"~watermark:") and self.fault.exists():
            what = self.fault.read_text()
            self.fault.unlink()
            if what == "drop":
                return
            if what == "double":
                self.send(message, name, key, value.replace(b"MX", b"MY", 1))
            if what == "change":
                value = value[:-3] + bytes([value[-3] ^ 1]) + value[-2:]
        self.send(message, name, key, value)

    def send(self, message: Any, name: str, key: bytes, value: bytes) -> None:
        target = self.here if message.topic.startswith(self.there) else self.there
        headers = [tuple(header) for header in message.headers]
        self.producer.send(target + name, value, key, headers, message.partition, message.timestamp)


if __name__ == "__main__":
    brokers, source, target, department, partitions, fault = sys.argv[1:]
    mirror = Mirror(brokers, source, target, department, int(partitions), Path(fault))
    print("ready", flush=True)
    while True:
        mirror.step()
