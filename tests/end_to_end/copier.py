"""A copier that shares no code with the product: moves a topic's committed messages, less one record.

    python copier.py BROKERS SOURCE TARGET PARTITIONS LEAVE_OUT

Prints the partition of the record it left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def copied(brokers: str, source: str, target: str, count: int, leave_out: int) -> int:
    """Copy every committed message but one record; the partition of the one left out."""
    consumer = KafkaConsumer(bootstrap_servers=brokers, isolation_level="read_committed", enable_auto_commit=False)
    producer = KafkaProducer(bootstrap_servers=brokers)
    partitions = [TopicPartition(source, number) for number in range(count)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    messages = list(everything(consumer, partitions))
    records = [message for message in messages if not message.key.startswith(b"~watermark:")]
    lost = records[leave_out % len(records)]
    for message in messages:
        if message is not lost:
            headers = [tuple(header) for header in message.headers]
            producer.send(target, message.value, message.key, headers, message.partition, message.timestamp)
    producer.flush(30)
    producer.close()
    consumer.close()
    return int(lost.partition)


def everything(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> Iterator[Any]:
    ends = consumer.end_offsets(partitions)
    while any(consumer.position(each) < ends[each] for each in partitions):
        for batch in consumer.poll(timeout_ms=200).values():
            yield from batch


if __name__ == "__main__":
    brokers, source, target, partitions, leave_out = sys.argv[1:]
    print(copied(brokers, source, target, int(partitions), int(leave_out)))
