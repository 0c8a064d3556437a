"""What the registry has to say after a set of records, worked out naively: no order, no state, all at once.

It knows the attribute catalogue and nothing of the exchange.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.catalogue import Attribute, catalogues
from schemas.text import alike
from tests.exchange.histories import Said, feeds

Identity = tuple[str, str, str]
Told = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row as it stands after all that was said of it."""

    identity: Identity
    department: str
    body: Said | None
    live: bool
    unusable: bool
    lost: bool
    newest: tuple[int, int]
    rows: tuple[int, int]


def registry(history: Iterable[Said], day: date) -> dict[str, Told]:
    """Every subject's entry, told as `told` tells the exchange's; nobody here states lists."""
    return {subject: _entry(found, day) for subject, found in _subjects(history).items()}


def counted(history: Iterable[Said]) -> dict[str, tuple[int, int]]:
    """Live and refused rows of every source that was heard of."""
    rows = [(row.identity[0], row.rows) for found in _subjects(history).values() for row in found]
    by_source = {source: [n for other, n in rows if other == source] for source, _ in rows}
    return {source: (sum(n[0] for n in found), sum(n[1] for n in found)) for source, found in by_source.items()}


def told(entry: Mapping[str, Any]) -> Told:
    """A published entry with members by name instead of by place."""
    names = [(m["source"], m["record_id"], m["part"]) for m in entry["members"]]
    return {
        "condition": entry["condition"],
        "facts": {name: _told_fact(fact, names) for name, fact in entry["facts"].items()},
        "members": [tuple(member.values()) for member in entry["members"]],
        "sources": [tuple(source.values()) for source in entry["sources"]],
        "identifiers": [(*list(n.values())[:3], names[n["member"]]) for n in entry["identifiers"]],
        "conflicts": [(c["attribute"], c["kind"], [names[m] for m in c["members"]]) for c in entry["conflicts"]],
    }


def _told_fact(fact: Any, names: Sequence[Identity]) -> Any:
    if not isinstance(fact, Mapping):
        return fact if fact is None else [_told_fact(each, names) for each in fact]
    dissent = [(d["value"], names[d["member"]], d["tier"]) for d in fact["dissent"]]
    kept = ("state", "reason", "value", "tier", "effective_from", "effective_to")
    member = None if fact["member"] is None else names[fact["member"]]
    return {**{name: fact[name] for name in kept}, "member": member, "dissent": dissent}


def _subjects(history: Iterable[Said]) -> dict[str, list[Row]]:
    said: dict[str, dict[Identity, list[Said]]] = {}
    for each in history:
        identity = (each.source, each.record_id, each.part)
        said.setdefault(each.subject, {}).setdefault(identity, []).append(each)
    return {subject: [_row(i, rows[i]) for i in sorted(rows)] for subject, rows in said.items()}


def _row(identity: Identity, said: Sequence[Said]) -> Row:
    def of(*operations: str) -> list[Said]:
        return [each for each in said if each.operation in operations]

    bodies, gone, refused, erased = of("UPSERT", "END"), of("DELETE", "WITHDRAW"), of("REFUSED"), of("ERASE")
    body = max(bodies, key=lambda s: (s.version, s.operation, s.rows, s.value), default=None)
    last = max(gone, key=lambda s: (s.version, s.operation, s.moved_to or ""), default=None)
    bad = max(refused, key=lambda s: (s.version, s.rows), default=None)
    killed = bool(body and last and last.version > body.version)
    unusable = bool(bad and not erased and all(bad.version > each.version for each in bodies + gone))
    live = bool(body and not killed and not erased)
    vanished = bool(last and last.operation == "DELETE" and not last.moved_to) if killed else bool(erased)
    rows = (0, bad.rows) if bad and unusable else (body.rows if body and live else 0, 0)
    newest = max(each.version for each in said)
    return Row(identity, said[0].department, body, live, unusable, bool(body and vanished), newest, rows)


def _entry(rows: Sequence[Row], day: date) -> Told:
    live = [row for row in rows if row.live]
    attributes = catalogues()["legal_person"].attributes
    facts: dict[str, Any] = {a.name: [] for a in attributes if a.cardinality == "many"}
    facts |= {a.name: _fact(a, rows, day) for a in attributes if a.cardinality == "one"}
    found = {number[:2]: (*number, row.identity) for row in reversed(live) for number in _said(row).identifiers}
    return {
        "condition": "live" if live else "gone",
        "facts": facts,
        "members": [(*row.identity, *_said(row).version, row.unusable) for row in live],
        "sources": _sources(rows),
        "identifiers": [found[key] for key in sorted(found)],
        "conflicts": [_conflict(name, fact) for name, fact in facts.items() if fact and fact["dissent"]],
    }


def _said(row: Row) -> Said:
    assert row.body is not None
    return row.body


def _sources(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    names = sorted({row.identity[0] for row in rows})
    here = {name: [row for row in rows if row.identity[0] == name] for name in names}
    return [(name, *max(r.newest for r in found), sum(r.unusable for r in found)) for name, found in here.items()]


def _fact(attribute: Attribute, rows: Collection[Row], day: date) -> Told | None:
    tiers = {authority.department: authority.tier for authority in attribute.authority}
    places = {authority.department: place for place, authority in enumerate(attribute.authority)}
    asked = [row for row in rows if row.live and attribute.name in feeds(row.department)]
    stated = [row for row in asked if _said(row).content.get(attribute.name) is not None]
    speaking = [row for row in stated if row.department in tiers and _holds(_said(row), day)]
    speaking.sort(key=lambda row: (tiers[row.department], -_begins(row), places[row.department], row.identity))
    lost = {row.department for row in rows if row.lost} - {row.department for row in speaking}
    best = min((tiers[department] for department in lost if department in tiers), default=None)
    falls_back = attribute.on_authority_loss == "fall_back"
    if best is not None and not falls_back and (not speaking or best < tiers[speaking[0].department]):
        return _unknown("authority_lost")
    if not speaking:
        return _unknown("blank" if len(stated) < len(asked) else "ineligible") if asked else None
    first, value = speaking[0], _said(speaking[0]).content[attribute.name]
    said = [(_said(row).content[attribute.name], row.identity, tiers[row.department]) for row in speaking]
    dissent = [each for each in said if not _same(attribute.equal, each[0], value)]
    disputed = any(tier == tiers[first.department] for _, _, tier in dissent)
    return {
        "state": "in_question" if first.unusable else "disputed" if disputed else "known",
        "reason": None,
        "value": value,
        "tier": tiers[first.department],
        "effective_from": _said(first).effective_from,
        "effective_to": _said(first).effective_to,
        "member": first.identity,
        "dissent": dissent,
    }


def _unknown(reason: str) -> Told:
    nothing = dict.fromkeys(("value", "tier", "effective_from", "effective_to", "member"))
    return {**nothing, "state": "unknown", "reason": reason, "dissent": []}


def _holds(said: Said, day: date) -> bool:
    return (said.effective_from or day) <= day <= (said.effective_to or day)


def _begins(row: Row) -> int:
    begins = _said(row).effective_from
    return begins.toordinal() if begins else 0


def _same(how: str | None, one: Any, other: Any) -> bool:
    if how == "code" and (one["canonical"] or other["canonical"]):
        return bool(one["canonical"] == other["canonical"])
    if how == "code":
        return (one["raw"], one["list"]) == (other["raw"], other["list"])
    return alike(one) == alike(other) if how == "text" else bool(one == other)


def _conflict(name: str, fact: Told) -> tuple[Any, ...]:
    kind = "dispute" if any(tier == fact["tier"] for _, _, tier in fact["dissent"]) else "dissent"
    return name, kind, [fact["member"], *(identity for _, identity, _ in fact["dissent"])]
