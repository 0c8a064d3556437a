"""Kafka as this system uses it: few verbs, and no client library anywhere else."""

from transport.client import (
    Admin,
    Client,
    Doubt,
    Group,
    Membership,
    Message,
    NewTopic,
    Outgoing,
    Polled,
    Reader,
    TopicDescription,
    TopicPartition,
    Transactions,
    connect,
)

__all__ = [
    "Admin",
    "Client",
    "Doubt",
    "Group",
    "Membership",
    "Message",
    "NewTopic",
    "Outgoing",
    "Polled",
    "Reader",
    "TopicDescription",
    "TopicPartition",
    "Transactions",
    "connect",
]
