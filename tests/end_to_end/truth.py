"""The checker: whether the registry is what the generator knows to be true, and every row is accounted for.

It knows the truth file of the sample district, decoded registry entries, the departments' rows, and how a pseudonym
is made of the district's key: nothing of what lies between. `compare` names every difference it did not expect, and
tells which planted ones it found.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from zlib import crc32

from tests.end_to_end.pseudonyms import Pseudonyms

Entry = Mapping[str, Any]
Entries = Mapping[str, Mapping[str, Entry]]
Line = dict[str, Any]
Found = Mapping[str, Any]

# The columns that tell a source's rows; of a month only the year counts.
KEY_COLUMNS: Mapping[str, Sequence[str]] = {
    "market_supervision.enterprise": ["PRIPID"],
    "market_supervision.key_person": ["PERSONID"],
    "market_supervision.abnormal_listing": ["BUSEXCLIST"],
    "market_supervision.permit": ["XK_ID"],
    "state_tax.taxpayer": ["djxh"],
    "state_tax.arrears": ["qsxh"],
    "state_tax.credit_rating": ["pjxh"],
    "local_tax.taxpayer": ["DJXH"],
    "local_tax.arrears": ["QSXH"],
    "public_security.resident": ["czrkrkid"],
    "public_security.residence": ["jzid"],
    "public_security.identity_change": ["证明编号"],
    "social_security.insured_unit": ["AAB001"],
    "social_security.insurance_relation": ["AAZ159"],
    "social_security.contribution_year": ["AAC001", "AAE140", "AAE003"],
}
MONTH = "AAE003"
_COUNTING = {"live", "in_question"}
_HIDDEN = {"tax_number", "resident_number", "resident_number_15", "foreigner_card_15"}


class RowOf(NamedTuple):
    """A row by its source and record id."""

    source: str
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
        missed = [f"\n  missed: {plant['kind']} in {_row_of(plant)}" for plant in self.planted_missed[:20]]
        return "".join(told + shown + missed)


def compare(
    entries: Entries,
    truth: Iterable[str],
    sources: Mapping[str, Iterable[Mapping[str, object]]],
    key: bytes,
    refusals: Iterable[tuple[str, str, str]] | None = None,
) -> Report:
    """Registry entries by subject kind and key against the truth's lines and the departments' rows.

    `refusals`, where given, are source, record id and reason of every row now refused: they too must agree.
    """
    checker = _Checker(entries, Pseudonyms(key))
    for line in truth:
        checker.take(json.loads(line))
    return checker.report(sources, refusals)


@dataclass(slots=True)
class _Checker:
    """The registry, and what the truth has said so far of what must stand in it."""

    entries: Entries
    pseudonyms: Pseudonyms
    about: Line = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    whole: bool = False
    differences: list[Difference] = field(default_factory=list)
    explained: set[tuple[str, str]] = field(default_factory=set)
    expected_rows: Counter[RowOf] = field(default_factory=Counter)
    refused: dict[RowOf, str] = field(default_factory=dict)
    planted: list[Line] = field(default_factory=list)
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    keys_of_row: dict[tuple[str, RowOf], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, of_kind in self.entries.items():
            for subject, entry in of_kind.items():
                for member in entry["members"]:
                    self.keys_of_row.setdefault((kind, _member(member)), []).append(subject)

    def take(self, line: Line) -> None:
        if line["line"] == "end":
            self.whole = line["counts"] == dict(self.taken)
            return
        self.taken[line["line"]] += 1
        match line["line"]:
            case "about":
                self.about = line
            case "subject":
                self._subject(line)
            case "row":
                self._row(line)
            case "planted":
                self.planted.append(line)

    def report(
        self,
        sources: Mapping[str, Iterable[Mapping[str, object]]],
        refusals: Iterable[tuple[str, str, str]] | None,
    ) -> Report:
        if not self.whole:
            raise ValueError("the truth is not whole: its last line counts other lines than came")
        self.differences += self._unexplained()
        self.differences += self._at_sources(sources)
        if refusals is not None:
            self.differences += self._refusals(refusals)
        wrong = {(difference.about, difference.attribute) for difference in self.differences}
        found: list[Line] = []
        missed: list[Line] = []
        for plant in self.planted:
            (missed if self._missed(plant, wrong) else found).append(plant)
        rows = {source: dict(sorted(counted.items())) for source, counted in sorted(self.outcomes.items())}
        return Report(tuple(self.differences), tuple(found), tuple(missed), rows)

    def _subject(self, line: Line) -> None:
        kind, name = line["kind"], _name(line)
        key = self._key(line)
        entry = self.entries.get(kind, {}).get(key)
        self.explained.add((kind, key))
        live = {RowOf(source, row): times for source, rows in line["rows"].items() for row, times in rows.items()}
        self.expected_rows.update(live)
        for row, times in live.items():
            self.outcomes[row.source]["live"] += times
        self.differences += self._members(kind, name, set(live), entry)
        if entry is not None:
            self.differences += self._facts(name, line, entry)

    def _key(self, subject: Mapping[str, str]) -> str:
        keys = self.pseudonyms.keys(subject)
        return next((key for key in keys if key in self.entries.get(subject["kind"], {})), keys[0])

    def _members(self, kind: str, name: str, live: set[RowOf], entry: Entry | None) -> Iterator[Difference]:
        members = {_member(member) for member in entry["members"]} if entry else set()
        rows = {row for row in live if members.isdisjoint(self._forms(row))}
        for row in sorted(rows):
            yield Difference(_row_name(row), "", f"live under {name}", self._where(kind, row))
        known = {form for row in live for form in self._forms(row)}
        for row in sorted(members - known):
            yield Difference(_row_name(row), "", f"not live under {name}", "live there")

    def _facts(self, name: str, line: Line, entry: Entry) -> Iterator[Difference]:
        dissenting = set()
        for attribute in self.about["attributes"][line["kind"]]:
            expected = line["facts"].get(attribute)
            found = _shown(entry, attribute)
            if not self._same(expected, found):
                yield Difference(name, attribute, str(self._wanted(expected)), str(found))
            if expected and expected.get("dissent"):
                dissenting.add(attribute)
        for attribute in self.about["lists"][line["kind"]]:
            elements = line["lists"].get(attribute, [])
            yield from self._list(name, attribute, elements, entry)
            if any(element.get("dissent") for element in elements):
                dissenting.add(attribute)
        told = {conflict["attribute"] for conflict in entry["conflicts"]}
        if dissenting != told:
            yield Difference(name, "", f"conflicts about {sorted(dissenting)}", str(sorted(told)))

    def _wanted(self, expected: Line | None) -> Found:
        if expected is None:
            return {"state": "unknown", "value": None}
        value = expected["value"]
        if "scheme" in expected:
            value = self.pseudonyms.of(expected["scheme"], value)
        dissent = sorted((each["source"], each["row"], each["value"]) for each in expected.get("dissent", ()))
        told = {"state": expected.get("state", "known"), "value": value, "raw": expected.get("raw")}
        return {**told, "row": RowOf(expected["source"], expected["row"]), "dissent": dissent}

    def _hidden(self, expected: Line) -> Found:
        """What is wanted where the source's rows travel under pseudonyms: of tied rows the first by these wins."""
        source, tied = expected["source"], list(expected.get("tied", ()))
        if not tied:
            return self._wanted(expected)
        first = min(tied, key=lambda each: self.pseudonyms.of(source, each["row"]))
        rows = {each["row"] for each in tied}
        beside = [each for each in expected.get("dissent", ()) if (each["source"] != source or each["row"] not in rows)]
        differing = [{**each, "source": source} for each in tied if each["value"] != first["value"]]
        return self._wanted({**expected, **first, "dissent": [*beside, *differing]})

    def _same(self, expected: Line | None, found: Found) -> bool:
        """Equal, rows standing under their ids or under pseudonyms of them."""
        if expected is None or found["value"] is None or self._wanted(expected) == found:
            return self._wanted(expected) == found
        wanted = self._hidden(expected)
        places = [wanted["row"], *(RowOf(source, row) for source, row, _ in wanted["dissent"])]
        names = {form: row for row in places for form in self._forms(row)}
        row = names.get(found["row"], found["row"])
        dissent = sorted((*names.get(RowOf(*each[:2]), RowOf(*each[:2])), each[2]) for each in found["dissent"])
        return {**found, "row": row, "dissent": dissent} == wanted

    def _list(self, name: str, attribute: str, elements: list[Line], entry: Entry) -> Iterator[Difference]:
        """Elements as multisets of parts by row: neither their order nor which of two equal ones is which matters."""
        names = {form: RowOf(*_place(each)) for each in _all(elements) for form in self._forms(RowOf(*_place(each)))}
        wanted = Counter(self._element(element) for element in elements)
        found = Counter(_shown_element(fact, entry, names) for fact in entry["facts"].get(attribute) or ())
        if wanted != found:
            yield Difference(name, attribute, str(sorted(wanted - found)), str(sorted(found - wanted)))

    def _element(self, element: Line) -> str:
        dissent = sorted((_place(other), self._parts(other["parts"])) for other in element.get("dissent", ()))
        return _told(_place(element), self._parts(element["parts"]), element.get("state", "known"), dissent)

    def _parts(self, parts: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
        return sorted((name, *self._part(part)) for name, part in parts.items())

    def _part(self, part: Any) -> tuple[str, str | None]:
        if isinstance(part, str):
            return part, None
        if "subject" in part:
            return self._key(part["subject"]), None
        if "scheme" in part:
            return self.pseudonyms.of(part["scheme"], part["value"]), None
        return part["value"], part["raw"]

    def _row(self, line: Line) -> None:
        row = _row_of(line)
        self.outcomes[row.source][line["outcome"]] += line["times"]
        if line["outcome"] in _COUNTING:
            self.outcomes[row.source]["live"] -= line["times"]
        else:
            self.expected_rows[row] += line["times"]
        if line["outcome"] in {"refused", "in_question"}:
            self.refused[row] = line["reason"]

    def _forms(self, row: RowOf) -> tuple[RowOf, RowOf]:
        """A row as its id may travel: plainly, or as a pseudonym where it is or may be a person's."""
        return row, RowOf(row.source, self.pseudonyms.of(row.source, row.record_id))

    def _keys_of(self, kind: str, row: RowOf) -> list[str]:
        return [key for form in self._forms(row) for key in self.keys_of_row.get((kind, form), ())]

    def _where(self, kind: str, row: RowOf) -> str:
        keys = self._keys_of(kind, row)
        return f"live under {', '.join(keys)}" if keys else "nowhere"

    def _unexplained(self) -> Iterator[Difference]:
        """Entries that live although no live row of the truth is about their subject."""
        for kind, of_kind in self.entries.items():
            for key in sorted(key for key in of_kind if (kind, key) not in self.explained):
                entry = of_kind[key]
                for member in entry["members"]:
                    yield Difference(_row_name(_member(member)), "", "no such subject", f"live under {key}")
                told = (fact for fact in entry["facts"].values() if fact)
                if not entry["members"] and any(isinstance(f, list) or f["value"] is not None for f in told):
                    yield Difference(key, "", "no facts without a live row", "facts")

    def _at_sources(self, sources: Mapping[str, Iterable[Mapping[str, object]]]) -> Iterator[Difference]:
        """Rows that stand at a source and not in the truth, or the other way, or not as often."""
        held = Counter(RowOf(name, _record_id(name, row)) for name, table in sources.items() for row in table)
        for row in sorted(self.expected_rows.keys() | held.keys()):
            if self.expected_rows[row] != held[row]:
                times = f"{self.expected_rows[row]} times at the source", f"{held[row]} times"
                yield Difference(_row_name(row), "", *times)

    def _refusals(self, refusals: Iterable[tuple[str, str, str]]) -> Iterator[Difference]:
        names = {form: row for row in self.refused for form in self._forms(row)}
        found = {names.get(RowOf(s, r), RowOf(s, r)): reason for s, r, reason in refusals}
        for row in sorted(self.refused.keys() | found.keys()):
            wanted, told = self.refused.get(row, "not refused"), found.get(row, "not refused")
            if wanted != told:
                yield Difference(_row_name(row), "", wanted, told)

    def _missed(self, plant: Line, wrong: set[tuple[str, str]]) -> bool:
        row = _row_of(plant)
        if plant["outcome"] not in _COUNTING:
            return any(self._keys_of(kind, row) for kind in self.entries) or (_row_name(row), "") in wrong
        kind = plant["subject"]["kind"]
        if self._keys_of(kind, row) != [self._key(plant["subject"])]:
            return True
        return plant["attribute"] is not None and (_name(plant["subject"]), plant["attribute"]) in wrong


def _shown(entry: Entry, attribute: str) -> Found:
    fact = entry["facts"].get(attribute)
    if fact is None or (fact["state"] == "unknown" and fact["value"] is None):
        return {"state": "unknown", "value": None}
    rows = [_member(member) for member in entry["members"]]
    dissent = sorted((*rows[each["member"]], _plain(each["value"])) for each in fact["dissent"])
    row = None if fact["member"] is None else rows[fact["member"]]
    raw = fact["value"]["raw"] if isinstance(fact["value"], Mapping) else None
    return {"state": fact["state"], "value": _plain(fact["value"]), "raw": raw, "row": row, "dissent": dissent}


def _shown_element(fact: Mapping[str, Any], entry: Entry, names: Mapping[RowOf, RowOf]) -> str:
    rows = [names.get(row, row) for row in map(_member, entry["members"])]
    dissent = sorted((tuple(rows[each["member"]]), _shown_parts(each["value"])) for each in fact["dissent"])
    return _told(tuple(rows[fact["member"]]), _shown_parts(fact["value"]), fact["state"], dissent)


def _shown_parts(value: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    told = {name: part for name, part in value.items() if part is not None}
    return sorted((n, str(_plain(p)), p["raw"] if isinstance(p, Mapping) else None) for n, p in told.items())


def _told(place: tuple[str, str], parts: Any, state: str, dissent: Any) -> str:
    return f"{place[0]} {place[1]}: {parts} {state}{f' against {dissent}' if dissent else ''}"


def _plain(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return _plain(value["canonical"])
    return value.isoformat() if isinstance(value, date) else value


def _all(elements: Iterable[Line]) -> Iterator[Line]:
    for element in elements:
        yield element
        yield from element.get("dissent", ())


def _place(line: Line) -> tuple[str, str]:
    return line["source"], line["row"]


def _record_id(source: str, row: Mapping[str, object]) -> str:
    parts = [str(row[column])[:4] if column == MONTH else str(row[column]) for column in KEY_COLUMNS[source]]
    return parts[0] if len(parts) == 1 else ",".join(f"{len(part)}:{part}" for part in parts)


def _member(member: Mapping[str, Any]) -> RowOf:
    return RowOf(member["source"], member["record_id"])


def _row_of(line: Line) -> RowOf:
    return RowOf(line["source"], line["row"])


def _row_name(row: RowOf) -> str:
    return f"row {row.source} {row.record_id}"


def _name(subject: Mapping[str, Any]) -> str:
    """A subject as named in differences; a person's number, synthetic as it is, is not printed."""
    if subject["scheme"] in _HIDDEN:
        return f"{subject['scheme']} #{crc32(subject['number'].encode()):08x}"
    return f"{subject['scheme']} {subject['number']}"
