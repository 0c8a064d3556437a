"""What a correct registry must show of the district, and why: computed from what rows say, never from columns.

Written as JSON lines, one kind of line after another, each with its kind in `line`:

* ``about``    seed, attributes, how many lines of each kind follow
* ``person``   a legal person and its true value of every attribute
* ``subject``  a subject of the registry: ``scheme`` and ``number``, its ``key`` (null where only a holder of the
  district's key can compute it), and per attribute in ``facts`` what it must show: ``state`` known | disputed |
  in_question | unknown, ``value``, ``raw`` (of codes), ``department`` and ``row``, ``personal`` (only a pseudonym
  of the value may show), ``dissent`` (department, row, value)
* ``row``      a row of a department: key, subject, and its ``outcome`` live | refused | deleted | in_question
  (refused as it is, its last word still counts) with a ``reason``
* ``planted``  a planted difference: ``kind``, department, row, attribute, and what it ``expects``: fact, outcome

The rules are those of the catalogue in words: the first tier that says anything wins; within a tier the later
effective date, then the lower record id; other values dissent where they differ by more than width, spaces and
brackets; dissent within the winner's own tier is a dispute; a winner whose newest version was refused is in
question. Where an authority that once spoke fell silent because
its row is gone, the attribute is unknown, unless it falls back.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Literal

from deploy.district.persons import MARKET, TAX
from deploy.district.rows import Row, Subject
from deploy.district.sample import District

TIERS: dict[str, tuple[str, ...]] = {
    "name": (MARKET, TAX),
    "status": (MARKET,),
    "address": (MARKET, TAX),
    "business_address": (TAX, MARKET),
    "legal_representative": (MARKET, TAX),
    "industry": (MARKET, TAX),
    "scope": (MARKET,),
    "established_on": (MARKET, TAX),
    "tax_status": (TAX,),
    "taxpayer_number": (TAX,),
}
ATTRIBUTES = tuple(TIERS)
State = Literal["known", "disputed", "in_question", "unknown"]
FALLS_BACK = frozenset({"business_address", "industry"})


@dataclass(frozen=True, slots=True)
class Dissent:
    """Another row's different word on the same attribute."""

    department: str
    row: str
    value: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What the registry must show of one attribute of one subject."""

    state: State
    value: str | None = None
    raw: str | None = None
    department: str | None = None
    row: str | None = None
    personal: bool = False
    dissent: tuple[Dissent, ...] = ()


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted difference and what must become of it."""

    kind: str
    department: str
    row: str
    person: int
    subject: Subject
    attribute: str | None
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything a checker needs: facts by subject, rows with their outcome, and what was planted."""

    facts: Mapping[Subject, Mapping[str, Fact]]
    rows: tuple[Row, ...]
    planted: tuple[Planted, ...]


def truth_of(district: District) -> Truth:
    live, gone = _by_subject(row for row in district.rows if row.counts), _by_subject(district.former)
    subjects = sorted({*live, *gone, *(row.subject for row in district.rows)})
    facts = {subject: facts_of(live.get(subject, []), gone.get(subject, [])) for subject in subjects}
    return Truth(facts, district.rows, tuple(_planted(district.rows)))


def facts_of(live: Iterable[Row], gone: Iterable[Row]) -> dict[str, Fact]:
    """The facts of one subject by its live rows, and by the rows that once were."""
    rows, lost = list(live), list(gone)
    return {attribute: _fact(attribute, rows, lost) for attribute in ATTRIBUTES}


def personal_values(district: District) -> set[str]:
    """Every number of a person anywhere in the rows, as written and in canonical form: none may ever show."""
    found = set()
    for row in (*district.rows, *district.former):
        found |= {row.columns.get(column) or "" for column in ("CERNO", "FDDBRSFZJHM")}
        found |= {number for said in row.says.values() if said.personal for number in (said.value, said.value[:-2])}
    return found - {""}


def lines(district: District) -> Iterator[str]:
    """The truth as JSON lines."""
    told = truth_of(district)
    body = [*_person_lines(district), *_subject_lines(told), *_row_lines(told), *_planted_lines(told)]
    counts = {kind: sum(line["line"] == kind for line in body) for kind in ("person", "subject", "row", "planted")}
    about = {"line": "about", "seed": district.seed, "attributes": ATTRIBUTES, "counts": counts}
    return (json.dumps(line, ensure_ascii=False) for line in (about, *body))


def write(district: District, file: IO[str]) -> None:
    file.writelines(line + "\n" for line in lines(district))


def alike(value: str) -> str:
    """The form in which two values are the same: width, spaces and brackets forgiven.

    >>> alike("示例（样本） １２号") == alike("示例(样本)12号")
    True
    """
    return "".join(unicodedata.normalize("NFKC", value).split())


def _by_subject(rows: Iterable[Row]) -> dict[Subject, list[Row]]:
    found: dict[Subject, list[Row]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(row)
    return found


def _fact(attribute: str, live: list[Row], gone: list[Row]) -> Fact:
    claims = sorted((row for row in live if attribute in row.says), key=lambda row: row.record_id)
    claims.sort(key=lambda row: row.effective_from or "", reverse=True)
    claims.sort(key=lambda row: _tier(attribute, row))
    if not claims or _lost(attribute, claims[0], gone):
        return Fact("unknown")
    first, said = claims[0], claims[0].says[attribute]
    others = [row for row in claims if alike(row.says[attribute].value) != alike(said.value)]
    disputed = any(_tier(attribute, row) == _tier(attribute, first) for row in others)
    dissent = tuple(Dissent(row.department, row.record_id, row.says[attribute].value) for row in others)
    state: State = "in_question" if first.outcome == "in_question" else "disputed" if disputed else "known"
    return Fact(state, said.value, said.raw, first.department, first.record_id, said.personal, dissent)


def _tier(attribute: str, row: Row) -> int:
    return TIERS[attribute].index(row.department)


def _lost(attribute: str, first: Row, gone: list[Row]) -> bool:
    """Whether a row of a higher authority than the first to speak is gone, and nobody may speak in its place."""
    if attribute in FALLS_BACK:
        return False
    departments = {row.department for row in gone} & set(TIERS[attribute])
    return any(TIERS[attribute].index(department) < _tier(attribute, first) for department in departments)


def _planted(rows: Iterable[Row]) -> Iterator[Planted]:
    for row in rows:
        for kind, attribute in row.planted:
            yield Planted(
                kind, row.department, row.record_id, row.person, row.subject, attribute, row.outcome, row.reason
            )  # fmt: skip


def _person_lines(district: District) -> Iterator[dict[str, object]]:
    for number, person in district.persons.items():
        yield {"line": "person", "person": number, "departments": person.departments, "truth": person.truth()}


def _subject_lines(told: Truth) -> Iterator[dict[str, object]]:
    for subject, facts in told.facts.items():
        yield {"line": "subject", **_named(subject), "facts": {name: _told(fact) for name, fact in facts.items()}}


def _row_lines(told: Truth) -> Iterator[dict[str, object]]:
    for row in told.rows:
        yield {
            "line": "row", "department": row.department, "row": row.record_id, "person": row.person,
            "subject": _named(row.subject), "outcome": row.outcome, "reason": row.reason,
        }  # fmt: skip


def _planted_lines(told: Truth) -> Iterator[dict[str, object]]:
    for plant in told.planted:
        expects: dict[str, object] = {"outcome": plant.outcome, "reason": plant.reason}
        if plant.attribute and plant.outcome in {"live", "in_question"}:
            expects["fact"] = _told(told.facts[plant.subject][plant.attribute])
        yield {
            "line": "planted", "kind": plant.kind, "department": plant.department, "row": plant.row,
            "person": plant.person, "subject": _named(plant.subject), "attribute": plant.attribute, "expects": expects,
        }  # fmt: skip


def _named(subject: Subject) -> dict[str, str | None]:
    return {"scheme": subject.scheme, "number": subject.value, "key": subject.key()}


def _told(fact: Fact) -> dict[str, object]:
    return asdict(fact)
