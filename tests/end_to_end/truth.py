"""The checker: whether the registry is what the generator knows to be true, and every row is accounted for.

It knows the truth file of the sample district, decoded registry entries, and the departments' tables: nothing of
what lies between. `compare` names every difference it did not expect, and tells which planted ones it found.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from zlib import crc32

Entry = Mapping[str, Any]
Line = dict[str, Any]

KEY_COLUMN = {"market_supervision": "PRIPID", "local_tax": "DJXH"}
_COUNTING = {"live", "in_question"}
_DOCUMENT = 15  # the shorter form of a resident number; what a tax number adds to it stands behind
KEY_PREFIX = {"tax_number": "legal:tax:", "row": "row:"}


class RowOf(NamedTuple):
    """A row by its department and record id."""

    department: str
    record_id: str


class Difference(NamedTuple):
    """Where the registry is not what it must be; `attribute` is empty where a whole row or entry is meant."""

    about: str
    attribute: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found."""

    unexpected: tuple[Difference, ...]
    planted_found: tuple[Line, ...]
    planted_missed: tuple[Line, ...]
    rows: Mapping[str, Mapping[str, int]]

    @property
    def clean(self) -> bool:
        return not self.unexpected and not self.planted_missed

    def __str__(self) -> str:
        told = [f"{len(self.unexpected)} unexpected, {len(self.planted_found)} planted found, "]
        told.append(f"{len(self.planted_missed)} missed; rows {dict(self.rows)}")
        shown = [f"\n  {d.about} {d.attribute}: expected {d.expected}, found {d.found}" for d in self.unexpected[:20]]
        return "".join(told + shown)


def compare(
    entries: Mapping[str, Entry],
    truth: Iterable[str],
    sources: Mapping[str, Sequence[Mapping[str, object]]],
    refusals: Iterable[tuple[str, str, str]] | None = None,
) -> Report:
    """Registry entries by subject key against the truth's lines and the tables' rows.

    `refusals`, where given, are department, record id and reason of every row now refused: they too must agree.
    """
    told = _told(truth)
    registry = _Registry(entries, told)
    differences = [
        *registry.differences(),
        *_unexplained(entries, registry),
        *_sources(told["row"], sources),
        *_refusals(told["row"], refusals),
    ]
    wrong = {(difference.about, difference.attribute) for difference in differences}
    found: list[Line] = []
    missed: list[Line] = []
    for plant in told["planted"]:
        (missed if _missed(plant, wrong, registry) else found).append(plant)
    return Report(tuple(differences), tuple(found), tuple(missed), _count(told["row"]))


def _told(truth: Iterable[str]) -> dict[str, list[Line]]:
    told: dict[str, list[Line]] = defaultdict(list)
    for line in truth:
        read = json.loads(line)
        told[read["line"]].append(read)
    counts = told["about"][0]["counts"]
    if counts != {kind: len(told[kind]) for kind in counts}:
        raise ValueError("the truth is not whole: its first line counts other lines than follow")
    return told


class _Registry:
    """The entries, and what the truth says must stand where."""

    def __init__(self, entries: Mapping[str, Entry], told: Mapping[str, Sequence[Line]]) -> None:
        self.entries = entries
        self.keys_of_row = _keys_of_rows(entries)
        self.live_rows = _live_rows(told["row"])
        self.subjects = {_name(line): line for line in told["subject"]}
        self.keys = {name: self._key(name) for name in self.subjects}

    def differences(self) -> Iterator[Difference]:
        for name in self.subjects:
            yield from self._differences_of(name)

    def _key(self, name: str) -> str | None:
        """The subject's key: computed where anyone can, else the one its first row lies under."""
        line = self.subjects[name]
        if line["key"] is not None:
            return str(line["key"])
        for row in sorted(self.live_rows.get(name, ())):
            for key in self.keys_of_row.get(row, ()):
                if key.startswith(KEY_PREFIX[line["scheme"]]):
                    return key
        return None

    def _differences_of(self, name: str) -> Iterator[Difference]:
        entry = self.entries.get(self.keys[name] or "")
        expected_rows = self.live_rows.get(name, set())
        rows = {_row(member) for member in entry["members"]} if entry else set()
        for row in sorted(expected_rows - rows):
            yield Difference(_row_name(row), "", f"live under {name}", _where(row, self.keys_of_row))
        for row in sorted(rows - expected_rows):
            yield Difference(_row_name(row), "", f"not live under {name}", "live there")
        if entry is not None:
            yield from _facts(name, self.subjects[name], entry)


def _facts(name: str, line: Line, entry: Entry) -> Iterator[Difference]:
    for attribute, expected in line["facts"].items():
        wanted, found = _wanted(expected), _shown(entry, attribute)
        if expected["personal"]:
            wanted, found = {**wanted, "value": "a pseudonym"}, _pseudonymous(found, expected["value"])
        if wanted != found:
            yield Difference(name, attribute, str(wanted), str(found))
    dissenting = {attribute for attribute, expected in line["facts"].items() if expected["dissent"]}
    told = {conflict["attribute"] for conflict in entry["conflicts"]}
    if dissenting != told:
        yield Difference(name, "", f"conflicts about {sorted(dissenting)}", str(sorted(told)))


def _wanted(expected: Line) -> dict[str, Any]:
    if expected["state"] == "unknown":
        return {"state": "unknown", "value": None}
    dissent = sorted((each["department"], each["row"], each["value"]) for each in expected["dissent"])
    told = {name: expected[name] for name in ("state", "value", "raw")}
    return {**told, "row": RowOf(expected["department"], expected["row"]), "dissent": dissent}


def _shown(entry: Entry, attribute: str) -> dict[str, Any]:
    fact = entry["facts"].get(attribute)
    if fact is None or (fact["state"] == "unknown" and fact["value"] is None):
        return {"state": "unknown", "value": None}
    rows = [_row(member) for member in entry["members"]]
    dissent = sorted((*rows[each["member"]], _plain(each["value"])) for each in fact["dissent"])
    row = None if fact["member"] is None else rows[fact["member"]]
    raw = fact["value"]["raw"] if isinstance(fact["value"], Mapping) else None
    return {"state": fact["state"], "value": _plain(fact["value"]), "raw": raw, "row": row, "dissent": dissent}


def _pseudonymous(fact: dict[str, Any], number: str) -> dict[str, Any]:
    """A person's number must be known and must not be seen: only that can be said without the district's key."""
    if fact["value"] is None:
        return fact
    return {**fact, "value": "the number" if number[:_DOCUMENT] in str(fact["value"]) else "a pseudonym"}


def _plain(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return _plain(value["canonical"])
    return value.isoformat() if isinstance(value, date) else value


def _unexplained(entries: Mapping[str, Entry], registry: _Registry) -> Iterator[Difference]:
    """Entries that live although no live row of the truth is about their subject."""
    explained = {key for name, key in registry.keys.items() if key is not None}
    for key in sorted(entries.keys() - explained):
        members, facts = entries[key]["members"], entries[key]["facts"].values()
        for member in members:
            yield Difference(_row_name(_row(member)), "", "no such subject", f"live under {key}")
        if not members and any(fact and fact["value"] is not None for fact in facts):
            yield Difference(key, "", "no facts without a live row", "facts")


def _sources(rows: Sequence[Line], sources: Mapping[str, Sequence[Mapping[str, object]]]) -> Iterator[Difference]:
    """Rows that stand in a table and not in the truth, or the other way, or not as often."""
    expected = Counter(RowOf(line["department"], line["row"]) for line in rows)
    held = Counter(RowOf(name, str(row[KEY_COLUMN[name]])) for name, table in sources.items() for row in table)
    for row in sorted(expected.keys() | held.keys()):
        if expected[row] != held[row]:
            yield Difference(_row_name(row), "", f"{expected[row]} times at the source", f"{held[row]} times")


def _refusals(rows: Sequence[Line], refusals: Iterable[tuple[str, str, str]] | None) -> Iterator[Difference]:
    if refusals is None:
        return
    refused = {RowOf(department, record_id): reason for department, record_id, reason in refusals}
    lines = [line for line in rows if line["outcome"] in {"refused", "in_question"}]
    expected = {RowOf(line["department"], line["row"]): str(line["reason"]) for line in lines}
    for row in sorted(expected.keys() | refused.keys()):
        wanted, found = expected.get(row, "not refused"), refused.get(row, "not refused")
        if wanted != found:
            yield Difference(_row_name(row), "", wanted, found)


def _missed(plant: Line, wrong: set[tuple[str, str]], registry: _Registry) -> bool:
    row = RowOf(plant["department"], plant["row"])
    if plant["expects"]["outcome"] not in _COUNTING:
        return bool(registry.keys_of_row.get(row)) or (_row_name(row), "") in wrong
    name = _name(plant["subject"])
    if registry.keys_of_row.get(row) != [registry.keys[name]]:
        return True
    return plant["attribute"] is not None and (name, plant["attribute"]) in wrong


def _keys_of_rows(entries: Mapping[str, Entry]) -> dict[RowOf, list[str]]:
    keys: dict[RowOf, list[str]] = defaultdict(list)
    for key, entry in entries.items():
        for member in entry["members"]:
            keys[_row(member)].append(key)
    return dict(keys)


def _live_rows(rows: Sequence[Line]) -> dict[str, set[RowOf]]:
    live: dict[str, set[RowOf]] = defaultdict(set)
    for line in rows:
        if line["outcome"] in _COUNTING:
            live[_name(line["subject"])].add(RowOf(line["department"], line["row"]))
    return dict(live)


def _count(rows: Sequence[Line]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in rows:
        counts[line["department"]][line["outcome"]] += 1
    return {department: dict(sorted(counted.items())) for department, counted in sorted(counts.items())}


def _row(member: Mapping[str, Any]) -> RowOf:
    return RowOf(member["source"].split(".", 1)[0], member["record_id"])


def _row_name(row: RowOf) -> str:
    return f"row {row.department} {row.record_id}"


def _where(row: RowOf, keys_of_row: Mapping[RowOf, Sequence[str]]) -> str:
    keys = keys_of_row.get(row)
    return f"live under {', '.join(keys)}" if keys else "nowhere"


def _name(subject: Mapping[str, Any]) -> str:
    """A subject as named in differences; a person's number, synthetic as it is, is not printed."""
    if subject["scheme"] == "tax_number":
        return f"tax_number #{crc32(subject['number'].encode()):08x}"
    return f"{subject['scheme']} {subject['number']}"
