"""What a correct registry must show of the district, and why: computed from what rows say, never from columns.

The rules are those of the catalogue in words. Of an attribute a subject has one of: the first tier that says anything
wins; within a tier the later effective date, then the lower record id; other values dissent where they differ by more
than width, spaces, brackets and dots; dissent within the winner's own tier is a dispute; a winner whose newest version
was refused is in question. Where an authority that once spoke fell silent because its row is gone, the attribute is
unknown, unless it falls back. Of a list: every row states an element of its own, but where the list has a key; there
the elements of one key are told like an attribute.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from deploy.district.rows import LEGAL, NATURAL, TAX_NUMBER, Parts, Row, Said, Subject, Word
from deploy.district.sample import District
from deploy.district.sources import LOCAL_TAX, MARKET, POLICE, SOCIAL, SOURCES, STATE_TAX

# Which departments speak to an attribute, the first tier first.
TIERS: dict[str, dict[str, tuple[str, ...]]] = {
    LEGAL: {
        "name": (MARKET, LOCAL_TAX, STATE_TAX, SOCIAL),
        "status": (MARKET,),
        "address": (MARKET, LOCAL_TAX, STATE_TAX),
        "business_address": (LOCAL_TAX, MARKET, STATE_TAX),
        "legal_representative": (MARKET, LOCAL_TAX, STATE_TAX),
        "industry": (MARKET, LOCAL_TAX, STATE_TAX),
        "scope": (MARKET,),
        "established_on": (MARKET, LOCAL_TAX, STATE_TAX),
        "tax_status": (LOCAL_TAX, STATE_TAX),
        "taxpayer_number": (LOCAL_TAX, STATE_TAX),
        "insured_status": (SOCIAL,),
        "insured_from": (SOCIAL,),
    },
    NATURAL: {
        "name": (POLICE, SOCIAL),
        "sex": (POLICE, SOCIAL),
        "birth_date": (POLICE, SOCIAL),
        "ethnicity": (POLICE,),
        "register_status": (POLICE,),
        "death_date": (POLICE,),
        "household_address": (POLICE,),
        "household_division": (POLICE,),
        "household_number": (POLICE,),
        "household_relation": (POLICE,),
        "card_valid_to": (POLICE,),
    },
}
# Lists, and the parts that tell two elements apart where several rows may state the same one.
LISTS: dict[str, dict[str, tuple[str, ...]]] = {
    LEGAL: {"key_persons": (), "abnormal_listings": (), "permits": (), "arrears": (), "tax_credit_ratings": ("year",)},
    NATURAL: {"residences": (), "insurances": (), "contributions": (), "roles": ()},
}
FALLS_BACK = frozenset({"business_address", "industry"})
State = Literal["known", "disputed", "in_question", "unknown"]
_DOTS = str.maketrans(dict.fromkeys("\u2022\u2027\u30fb\uff65\u0387", "\u00b7"))


@dataclass(frozen=True, slots=True)
class Dissent:
    """Another row's different word on the same attribute."""

    source: str
    row: str
    value: str


@dataclass(frozen=True, slots=True)
class Tied:
    """One of several rows of a source that rank the same but for their ids."""

    row: str
    value: str
    raw: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """What the registry must show of an attribute of which a subject has one.

    `tied` are all rows between which only the record id decides, the first by it first: where ids travel as
    pseudonyms, another of them may win.
    """

    state: State
    value: str | None = None
    raw: str | None = None
    source: str | None = None
    row: str | None = None
    scheme: str | None = None
    dissent: tuple[Dissent, ...] = ()
    tied: tuple[Tied, ...] = ()

    @property
    def department(self) -> str | None:
        return self.source.split(".", 1)[0] if self.source else None


@dataclass(frozen=True, slots=True)
class Listed:
    """One element that the registry must show in a list, by the row it comes from; `others` differ from it."""

    source: str
    row: str
    parts: Parts
    state: State = "known"
    others: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted difference and what must become of it."""

    kind: str
    source: str
    row: str
    person: int
    subject: Subject
    attribute: str | None
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class About:
    """All that must be shown of one subject, and how often each row it rests on stands at its source."""

    facts: Mapping[str, Fact]
    lists: Mapping[str, tuple[Listed, ...]]
    rows: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything a checker needs: what must be shown by subject, rows with their outcome, and what was planted."""

    subjects: Mapping[Subject, About]
    rows: tuple[Row, ...]
    planted: tuple[Planted, ...]

    @property
    def facts(self) -> Mapping[Subject, Mapping[str, Fact]]:
        return {subject: about.facts for subject, about in self.subjects.items()}


Spoken = tuple[Row, Word]
Claim = tuple[Row, Said]
_UNKNOWN = Fact("unknown")


def truth_of(district: District) -> Truth:
    live, gone = _by_subject(row for row in district.rows if row.counts), _by_subject(district.former)
    subjects = sorted({*live, *gone, *(word.subject for row in district.rows for word in row.words())})
    told = {subject: about(subject.kind, live.get(subject, []), gone.get(subject, [])) for subject in subjects}
    return Truth(told, district.rows, tuple(_planted(district.rows)))


def about(kind: str, live: Iterable[Spoken], gone: Iterable[Spoken] = ()) -> About:
    """What must be shown of a subject by the rows that speak of it, and by those that once did."""
    spoken, lost = list(live), {row.department for row, _ in gone}
    rows: dict[str, dict[str, int]] = {}
    claims: dict[str, list[Claim]] = {}
    for row, word in spoken:
        # A row with two subjects stands at its source once: it is counted with the first.
        rows.setdefault(row.source, {})[row.record_id] = 0 if word.part else row.times
        for attribute, said in word.says.items():
            claims.setdefault(attribute, []).append((row, said))
    facts = {name: _fact(name, tiers, claims.get(name, []), lost) for name, tiers in TIERS[kind].items()}
    return About(facts, _lists(kind, spoken), rows)


def personal_values(district: District) -> set[str]:
    """Every number of a person anywhere in the rows, as written and in canonical form: none may ever show."""
    found: set[str] = set()
    for row in (*district.rows, *district.former):
        for column in SOURCES[row.source].personal:
            found |= {image.get(column) or "" for image in row.as_mappings()}
        for said in row.says.values():
            if said.scheme:
                found |= {said.value, said.value[:-2]}
        for word in row.words():
            number = word.subject.value
            if word.subject.scheme == TAX_NUMBER:
                found |= {number, number[:-2]}
            elif word.subject.kind == NATURAL and not word.subject.is_row:
                found.add(number)
    return found - {""}


def alike(value: str) -> str:
    """The form in which two values are the same: width, spaces, brackets and dots forgiven.

    >>> alike("示例（样本） １２号") == alike("示例(样本)12号")
    True
    """
    return "".join(unicodedata.normalize("NFKC", value).translate(_DOTS).split())


def _by_subject(rows: Iterable[Row]) -> dict[Subject, list[Spoken]]:
    found: dict[Subject, list[Spoken]] = {}
    for row in rows:
        for word in row.words():
            found.setdefault(word.subject, []).append((row, word))
    return found


def _fact(attribute: str, tiers: tuple[str, ...], claims: list[Claim], lost: set[str]) -> Fact:
    if len(claims) > 1:
        claims.sort(key=lambda claim: claim[0].record_id)
        claims.sort(key=lambda claim: claim[0].effective_from or "", reverse=True)
        claims.sort(key=lambda claim: tiers.index(claim[0].department))
    if not claims or (lost and _lost(attribute, tiers, claims[0][0], lost)):
        return _UNKNOWN
    first, said = claims[0]
    others = [(row, other) for row, other in claims[1:] if alike(other.value) != alike(said.value)]
    disputed = any(row.department == first.department for row, _ in others)
    dissent = tuple(Dissent(row.source, row.record_id, other.value) for row, other in others)
    state: State = "in_question" if first.outcome == "in_question" else "disputed" if disputed else "known"
    return Fact(state, said.value, said.raw, first.source, first.record_id, said.scheme, dissent, _tied(claims))


def _tied(claims: list[Claim]) -> tuple[Tied, ...]:
    first = claims[0][0]
    same = [c for c in claims if (c[0].source, c[0].effective_from) == (first.source, first.effective_from)]
    return tuple(Tied(row.record_id, said.value, said.raw) for row, said in same) if len(same) > 1 else ()


def _lost(attribute: str, tiers: tuple[str, ...], first: Row, lost: set[str]) -> bool:
    """Whether a row of a higher authority than the first to speak is gone, and nobody may speak in its place."""
    if attribute in FALLS_BACK:
        return False
    return any(tiers.index(department) < tiers.index(first.department) for department in lost & set(tiers))


def _lists(kind: str, spoken: Iterable[Spoken]) -> dict[str, tuple[Listed, ...]]:
    found: dict[str, list[Listed]] = {}
    for row, word in spoken:
        if word.element is not None and word.element.parts:
            state: State = "in_question" if row.outcome == "in_question" else "known"
            listed = Listed(row.source, row.record_id, word.element.parts, state)
            found.setdefault(word.element.attribute, []).append(listed)
    return {name: tuple(_by_key(LISTS[kind][name], elements)) for name, elements in found.items()}


def _by_key(key: tuple[str, ...], elements: list[Listed]) -> Iterator[Listed]:
    if not key:
        yield from elements
        return
    same: dict[tuple[Said | Subject, ...], list[Listed]] = {}
    for element in sorted(elements, key=lambda each: each.row):
        same.setdefault(tuple(element.parts[name] for name in key), []).append(element)
    for first, *rest in same.values():
        others = tuple(each for each in rest if _canonical(each.parts) != _canonical(first.parts))
        state = "disputed" if others and first.state == "known" else first.state
        yield Listed(first.source, first.row, first.parts, state, others)


def _canonical(parts: Parts) -> dict[str, str]:
    return {name: part.value for name, part in parts.items()}


def _planted(rows: Iterable[Row]) -> Iterator[Planted]:
    for row in rows:
        for kind, attribute in row.planted:
            subject = _whose(row, attribute)
            yield Planted(kind, row.source, row.record_id, row.person, subject, attribute, row.outcome, row.reason)


def _whose(row: Row, attribute: str | None) -> Subject:
    """The subject that the attribute is one of."""
    for word in row.words():
        if attribute in word.says or (word.element is not None and word.element.attribute == attribute):
            return word.subject
    return row.subject
