"""Every row now refused: which, as the exchange holds it, and why, as quarantine says."""

from __future__ import annotations

from collections.abc import Iterable

from exchange import look
from schemas import topics
from schemas.codec import contract
from transport.client import Client


def refused_rows(client: Client, prefix: str, departments: Iterable[str]) -> set[tuple[str, str, str]]:
    """Source, record id and reason of each."""
    reasons = {}
    for department in departments:
        for message in look.read_all(client, topics.quarantine(prefix, department)):
            refusal = contract().decode(message.value or b"")[1]
            reasons[str(refusal["source"]), str(refusal["record_id"])] = str(refusal["reason"])
    return {(*row, reasons[row]) for row in _newest_refused(client, prefix)}


def _newest_refused(client: Client, prefix: str) -> set[tuple[str, str]]:
    found = set()
    for key, value in look.latest(look.read_all(client, topics.state(prefix))).items():
        if key.startswith(b"s\0"):
            statement = contract().decode(value)[1]
            versions = [statement[part] for part in ("body", "deleted") if statement[part]]
            newest = max(((v["epoch"], v["cycle"]) for v in versions), default=(0, 0))
            refused = statement["refused"]
            if refused and (refused["epoch"], refused["cycle"]) > newest:
                found.add((str(statement["source"]), str(statement["record_id"])))
    return found
