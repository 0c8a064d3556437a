"""The verbs on kafka-python: nothing outside this folder knows it.

What the library says is not believed further than it was measured. A commit
returns success though a record was lost, so every future is checked. Some
waits never end, so each has a deadline of ours. An error from a commit does
not mean it did not happen, so it is a Doubt, never a "no". Values are handed
over as bytes: a deserializer that raises inside the library stops it for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transport.client import TopicPartition
from transport.kafka_python.reading import Group, reader
from transport.kafka_python.sending import Transactions
from transport.kafka_python.topics import Admin
from transport.reader import Reader
from transport.settings import Kafka


class KafkaPython:
    """kafka-python behind the verbs."""

    def __init__(self, settings: Kafka) -> None:
        self._settings = settings

    def transactions(self, transactional_id: str) -> Transactions:
        return Transactions(self._settings, transactional_id)

    def group(self, group: str, instance: str, topics: Sequence[str]) -> Group:
        return Group(self._settings, group, instance, topics)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        return reader(self._settings, positions)

    def admin(self) -> Admin:
        return Admin(self._settings)
