"""The registry as it must be, written down from the truth: what the checker must find nothing wrong with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from deploy.district.rows import LEGAL, NATURAL, Parts, Said, Subject
from deploy.district.sample import District
from deploy.district.truth import LISTS, TIERS, About, Fact, Listed, truth_of
from tests.end_to_end.pseudonyms import Pseudonyms
from tests.end_to_end.truth import RowOf

Entries = dict[str, dict[str, dict[str, Any]]]
KEY = bytes(range(32))
PSEUDONYMS = Pseudonyms(KEY)
CODES = {
    "status", "industry", "tax_status", "insured_status", "sex", "ethnicity", "register_status", "household_division",
    "household_relation",
}  # fmt: skip
DAYS = {"established_on", "insured_from", "birth_date", "death_date", "card_valid_to"}


def right_entries(district: District) -> Entries:
    entries: Entries = {LEGAL: {}, NATURAL: {}}
    for subject, about in truth_of(district).subjects.items():
        entries[subject.kind][key_of(subject)] = entry_of(subject.kind, about)
    return entries


def key_of(subject: Subject) -> str:
    return PSEUDONYMS.keys({"scheme": subject.scheme, "number": subject.value})[0]


def entry_of(kind: str, about: About) -> dict[str, Any]:
    rows = [RowOf(source, row) for source, held in about.rows.items() for row in held]
    members = [{"source": row.source, "record_id": row.record_id, "part": ""} for row in rows]
    places = {row: place for place, row in enumerate(rows)}
    facts: dict[str, Any] = {name: shown_of(name, about.facts[name], places) for name in TIERS[kind]}
    lists = {name: [listed(each, places) for each in about.lists.get(name, ())] for name in LISTS[kind]}
    conflicts = [{"attribute": name} for name, fact in facts.items() if fact and fact["dissent"]]
    conflicts += [{"attribute": name} for name, found in lists.items() if any(fact["dissent"] for fact in found)]
    return {
        "members": members,
        "facts": {**facts, **lists},
        "conflicts": conflicts,
        "condition": "live" if rows else "gone",
    }


def shown_of(name: str, fact: Fact, places: Mapping[RowOf, int]) -> dict[str, Any] | None:
    if fact.state == "unknown" or fact.source is None or fact.row is None:
        return None
    others = [(value_of(name, each.value, None), places[RowOf(each.source, each.row)]) for each in fact.dissent]
    dissent = [{"value": value, "member": member} for value, member in others]
    shown = str(fact.value) if fact.scheme is None else PSEUDONYMS.of(fact.scheme, str(fact.value))
    member = places[RowOf(fact.source, fact.row)]
    return {"state": fact.state, "value": value_of(name, shown, fact.raw), "member": member, "dissent": dissent}


def listed(element: Listed, places: Mapping[RowOf, int]) -> dict[str, Any]:
    dissent = [listed(other, places) for other in element.others]
    member = places[RowOf(element.source, element.row)]
    return {"state": element.state, "value": parts_of(element.parts), "member": member, "dissent": dissent}


def parts_of(parts: Parts) -> dict[str, Any]:
    return {"never_said": None, **{name: part_of(part) for name, part in parts.items()}}


def part_of(part: Said | Subject) -> Any:
    if isinstance(part, Subject):
        return key_of(part)
    if part.scheme is not None:
        return PSEUDONYMS.of(part.scheme, part.value)
    return part.value if part.raw is None else {"raw": part.raw, "canonical": part.value, "list": "some-1"}


def value_of(name: str, value: str, raw: str | None) -> Any:
    if name in CODES:
        return {"raw": raw, "canonical": value, "list": "some-1"}
    return date.fromisoformat(value) if name in DAYS else value
