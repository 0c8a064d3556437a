"""Lists to decide on: elements that are sound, doubtful, old or nobody's, and a person of whom they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from approval.decide import decide
from approval.evidence import Code, Evidence, Fact, Part
from approval.items import Item
from approval.verdicts import Decision, Verdict
from tests.approval.cases import PAPER, TITLED, marks, watermark

NOW: Final = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
TODAY: Final = date(2026, 3, 16)
FRESH, OLD, SILENT, OTHER = (
    "public_security.residence",
    "public_security.older",
    "public_security.silent",
    "social_security.insurance_relation",
)
_WATERMARKS = {
    FRESH: watermark(FRESH, NOW - timedelta(minutes=1)),
    OLD: watermark(OLD, NOW - timedelta(days=30)),
    OTHER: watermark(OTHER, NOW - timedelta(minutes=1)),
}


class Told(NamedTuple):
    """How an element is told of."""

    source: str
    state: str

    @property
    def sound(self) -> bool:
        """Whether it can be used."""
        return self.source == FRESH and self.state == "known"

    @property
    def unsure(self) -> bool:
        """Whether it may be anything."""
        return self.state != "known"


tellings = st.builds(
    Told,
    st.sampled_from([FRESH] * 6 + [OLD, SILENT, OTHER]),
    st.sampled_from(["known"] * 6 + ["disputed", "in_question"]),
)


def code(canonical: str | None) -> Code:
    return Code(canonical, canonical or "?")


def element(attribute: str, parts: Mapping[str, Part], told: Told) -> Fact:
    return Fact(attribute, parts, state=told.state, source=told.source, observed_at=NOW - timedelta(days=60))


def person(attribute: str, elements: Sequence[Fact]) -> Evidence:
    """A person of whom this list is told, by sources as complete as the elements' are fresh."""
    sources = {FRESH, *(str(each.source) for each in elements)}
    return Evidence(
        kind="natural_person",
        subject="person:A",
        condition="live",
        lists={attribute: tuple(elements)} if elements else {},
        watermarks=marks(*(mark for source, mark in _WATERMARKS.items() if source in sources)),
        sources=frozenset(sources),
    )


def conclusive(tellings: Sequence[Told]) -> bool:
    """Whether silence beyond such elements means that there are no others."""
    return not any(told.source in {OLD, SILENT} for told in tellings)


def item(*predicates: Mapping[str, Any], found: Mapping[str, str] | None = None, **changed: Any) -> Item:
    """An item of one material about one person, and about those whom facts name (`found`)."""
    authorities = {"authorities": ["public_security"], "max_age": "P3D"}
    material = {**PAPER, **authorities, "any_of": [{"all_of": list(predicates)}], **changed}
    subjects = {"applicant": "natural_person"}
    return Item.model_validate({**TITLED, "subjects": subjects, "found": found or {}, "materials": [material]})


def decided(asked: Item, found: Evidence, at: datetime = NOW) -> Decision:
    (decision,) = decide(asked, {"applicant": found}, at)
    return decision


def outcome(verdict: Verdict) -> str:
    """What a verdict says of the requirement; all that is not known is one."""
    named = {Verdict.PROVED: "proved", Verdict.DISPROVED: "denied", Verdict.ABSENT: "absent"}
    return named.get(verdict, "unknown")
