"""The verbs on confluent-kafka: nothing outside this folder knows it.

The library is C underneath (librdkafka): cheap per record, and it keeps time
by itself. It is not believed further than the other one for that: every
delivery report is counted, each transactional call has a deadline of ours
behind its own, and an error from a commit is a Doubt, never a "no".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transport.client import TopicPartition
from transport.confluent.reading import Group, reader
from transport.confluent.sending import Transactions
from transport.confluent.topics import Admin
from transport.reader import Reader
from transport.settings import Kafka


class ConfluentKafka:
    """confluent-kafka behind the verbs."""

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
