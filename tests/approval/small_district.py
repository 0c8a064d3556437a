"""A district in small: who is on record with what, written in YAML, as a view that items are decided from.

    subjects:
      applicant:
        number: "350299199003070017"
        name: 示例甲
        residences: [{kind: PERMIT, status: VALID, from: 2024-03-01}]
    sources:
      public_security.residence: {until: 2026-03-13T20:00:00+08:00}

A list's element says with `is` that it is disputed or in_question, with `by` which source states it, with `ended`
its last day in the world. `refused` counts rows of a subject that could not be used, by source; `carries` are numbers
beside its own; of a subject whose `condition` is none nothing is on record. `@name` is another subject's key, `?77`
a code that no list knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine

from approval.evaluation import Evaluation, Register, evaluate
from approval.items import find
from approval.rows import rows_of
from approval.view import View, engine_of
from schemas.catalogue import Attribute, Member, catalogues
from schemas.codec import contract
from schemas.identifiers import Checked, check
from schemas.subjects import legal_subjects, person_subjects
from tests.approval.registry import GENERATION, KEY, PREFIX, as_read, entry, everywhere, fact, of_alias, of_entry
from transport.client import Outgoing, TopicPartition

Told = Mapping[str, Any]

SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "natural_person": (
        "public_security.resident",
        "public_security.residence",
        "public_security.identity_change",
        "social_security.insurance_relation",
        "social_security.contribution_year",
        "market_supervision.key_person",
    ),
    "legal_person": (
        "market_supervision.enterprise",
        "market_supervision.key_person",
        "local_tax.taxpayer",
        "state_tax.taxpayer",
        "social_security.insured_unit",
    ),
}
_STATED_BY: Final = {
    "residences": "public_security.residence",
    "insurances": "social_security.insurance_relation",
    "contributions": "social_security.contribution_year",
    "roles": "market_supervision.key_person",
    "key_persons": "market_supervision.key_person",
    "insured_status": "social_security.insured_unit",
}
_USUAL: Final = {"natural_person": "public_security.resident", "legal_person": "market_supervision.enterprise"}
_ABOUT: Final = {"number", "carries", "refused", "condition"}


class District:
    """The view of a district, read as the commands read it."""

    def __init__(self, today: datetime, subjects: Mapping[str, Told], sources: Mapping[str, Told | None]) -> None:
        self._today = today
        self._subjects = subjects
        self._keys = {name: _key(told["number"]) for name, told in subjects.items()}
        self._engine = self._filled([*self._watermarks(sources), *self._entries()])

    def evaluated(self, item: str, asked: Mapping[str, str], at: datetime | None = None) -> Evaluation:
        """The item decided for the subjects so named, or for whom a number given names."""
        numbers = {role: self._subjects.get(name, {"number": name})["number"] for role, name in asked.items()}
        register = Register(self._engine, contract(), KEY, ["350299"])
        return evaluate(register, find(item), numbers, at, lambda: self._today)

    def named(self, subject: str) -> str:
        """What the YAML calls a subject."""
        return next((name for name, key in self._keys.items() if key == subject), subject)

    def close(self) -> None:
        self._engine.dispose()

    def _filled(self, records: list[Outgoing]) -> Engine:
        engine = engine_of("sqlite://")
        view = View(engine)
        view.begin(PREFIX, GENERATION, 0)
        messages = as_read(records, int(self._today.timestamp() * 1000) - 3_600_000)
        view.apply(
            rows_of(messages, PREFIX, contract()),
            {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages},
            0,
        )
        view.caught_up()
        return engine

    def _watermarks(self, changed: Mapping[str, Told | None]) -> Iterator[Outgoing]:
        """Every source's, in the topics of both kinds, as the exchange publishes them."""
        for source in sorted({source for sources in SOURCES.values() for source in sources}):
            told = changed.get(source, {})
            if told is not None:
                for kind in SOURCES:
                    yield from everywhere(source, kind=kind.replace("_", "-"), **self._mark(told))

    def _mark(self, told: Told) -> dict[str, Any]:
        usual = {"until": self._today - timedelta(minutes=30), "cycle": 9}
        return {**usual, **{name: _moment(value) if isinstance(value, str) else value for name, value in told.items()}}

    def _entries(self) -> Iterator[Outgoing]:
        for name, told in self._subjects.items():
            if "alias_of" in told:
                topic = _topic(self._keys[name])
                yield of_alias(self._keys[name], self._keys[told["alias_of"]], kind=topic)
            elif told.get("condition") != "none":
                yield self._entry(self._keys[name], told)

    def _entry(self, subject: str, told: Told) -> Outgoing:
        kind = "natural_person" if subject.startswith("person:") else "legal_person"
        sources = [*SOURCES[kind], *_others(told)]
        refused: Mapping[str, int] = told.get("refused", {})
        attributes = {attribute.name: attribute for attribute in catalogues()[kind].attributes}
        facts = {
            name: self._fact(attributes[name], value, sources, _STATED_BY.get(name, _USUAL[kind]))
            for name, value in told.items()
            if name not in _ABOUT
        }
        carried = [each for number in (told["number"], *told.get("carries", ())) for each in _read(number)]
        numbers = [(number.scheme, _carried(number)) for number in carried]
        value = entry(
            subject,
            facts,
            numbers if facts else [],
            told.get("condition", "live"),
            9,
            kind,
            {source: refused.get(source, 0) for source in sources},
        )
        return of_entry(subject, value, kind=_topic(subject))

    def _fact(self, attribute: Attribute, value: Any, sources: list[str], usual: str) -> Any:
        if attribute.cardinality == "many":
            return [self._element(attribute, each, sources, usual) for each in value]
        told = value if isinstance(value, Mapping) else {"value": value}
        member = sources.index(told.get("by", usual))
        stated = None if told["value"] is None else self._value(attribute, told["value"])
        return fact(stated, member, told.get("is", "known"), observed_at=self._today - timedelta(days=40))

    def _element(self, attribute: Attribute, told: Told, sources: list[str], usual: str) -> dict[str, Any]:
        value = {part.name: self._part(part, told.get(part.name)) for part in attribute.fields}
        member = sources.index(told.get("by", usual))
        ended = None if "ended" not in told else date.fromisoformat(told["ended"])
        times = {"observed_at": self._today - timedelta(days=40), "effective_to": ended}
        return fact(value, member, told.get("is", "known"), **times)

    def _part(self, part: Member, value: Any) -> Any:
        return None if value is None else self._value(part, value)

    def _value(self, described: Attribute | Member, value: Any) -> Any:
        text = str(value)
        if described.type == "date":
            return date.fromisoformat(text)
        if described.type == "code":
            known = not text.startswith("?")
            return {"raw": text.removeprefix("?"), "canonical": text if known else None, "list": "test-2024"}
        return self._keys[text.removeprefix("@")] if text.startswith("@") else text


def _others(told: Told) -> list[str]:
    """Sources beyond the usual ones that state something of a subject."""
    stated = [each for value in told.values() for each in (value if isinstance(value, list) else [value])]
    named = [each["by"] for each in stated if isinstance(each, Mapping) and "by" in each]
    return sorted({source for source in named if not any(source in usual for usual in SOURCES.values())})


def _read(number: str) -> list[Checked]:
    natural = [check("resident_number", number), check("passport", number)]
    legal = [check("credit_code", number)]
    readings = natural if len(number) != 18 or number[6:8] in {"19", "20"} else legal
    return [reading for reading in readings if reading.verdict not in {"BAD_FORM", "IRREGULAR"}]


def _key(number: str) -> str:
    readings = _read(number)
    return [*person_subjects(readings, KEY), *legal_subjects(readings, KEY)][0]


def _carried(number: Checked) -> str:
    return KEY.pseudonym(number.scheme, number.value) if number.personal else number.value


def _topic(subject: str) -> str:
    return "natural-person" if subject.startswith("person:") else "legal-person"


def _moment(given: str) -> datetime:
    return datetime.fromisoformat(given).astimezone(UTC)
