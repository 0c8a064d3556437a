"""Entries as they are published: the registry record, its content hash, and the link in the subject's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from exchange.ledger import Head
from schemas.codec import NO_HASH, Contract
from schemas.installed import Installed

_HASH_BYTES = 16

Offset = tuple[str, int, int]


class Published(NamedTuple):
    """An entry's bytes and the content hash they end with."""

    value: bytes
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One publication of a subject: what goes to the registry, to its history, and into its head."""

    number: int
    entry: Published
    history: bytes
    head: Head


def published(entry: Mapping[str, Any], kind: str, installed: Installed) -> Published:
    """The entry framed and hashed; the hash covers every byte before it."""
    form = installed.form(kind, entry["facts"])
    facts = {attribute: fact for attribute, fact in entry["facts"].items() if attribute in form.attributes}
    value = installed.contract.encode(form.name, {**entry, "facts": facts, "content_hash": NO_HASH})
    content_hash = blake2b(value[:-_HASH_BYTES], digest_size=_HASH_BYTES).digest()
    return Published(value[:-_HASH_BYTES] + content_hash, content_hash)


def change(
    subject: str,
    entry: Published,
    before: Head | None,
    about: Mapping[str, Any],
    causes: Sequence[Offset],
    contract: Contract,
) -> Change:
    """The subject's next change; `about` gives the head's condition, kind and next_change."""
    number = before["change"] + 1 if before else 1
    previous = before["history_hash"] if before else NO_HASH
    history = contract.encode(
        "registry/history-1",
        {
            "subject": subject,
            "change": number,
            "previous_hash": previous,
            "entry": entry.value,
            "entry_hash": blake2b(entry.value, digest_size=_HASH_BYTES).digest(),
            "causes": [
                {"topic": topic, "partition": partition, "offset": offset} for topic, partition, offset in causes
            ],
        },
    )
    head = {
        "change": number,
        "content_hash": entry.content_hash,
        "history_hash": history_hash(previous, number, entry.value),
        "alias_epoch": 0,
        **about,
    }
    return Change(number, entry, history, head)


def history_hash(previous: bytes, number: int, entry: bytes) -> bytes:
    """What the next history record chains to; it can be recomputed where the entry was erased, from its hash."""
    entry_hash = blake2b(entry, digest_size=_HASH_BYTES).digest()
    return blake2b(previous + number.to_bytes(8, "big") + entry_hash, digest_size=_HASH_BYTES).digest()
