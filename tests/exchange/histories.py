"""Histories for the exchange's properties: what two departments may say of a few subjects, in few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas import topics
from schemas.catalogue import catalogues
from schemas.codec import contract
from schemas.subjects import partition
from tests.exchange.memory import FIRST_DAY, PREFIX
from tests.exchange.publishing import TYPES, code, record
from transport.client import Outgoing

SUBJECTS = [f"legal:org:XX000000{number}" for number in range(3)]
A = SUBJECTS[1]
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(-1, 5)]
# Mostly rows that speak, or there is little to decide between.
OPERATIONS = [*["UPSERT"] * 9, "END", "DELETE", "DELETE", "WITHDRAW", "REFUSED", "REFUSED", "ERASE"]
NUMBERS = [("organisation_code", "XX0000001", "OK"), ("tax_number", "T1", "BAD_CHECK")]

texts = st.sampled_from(["甲（厦门）", "甲(厦门)", "乙", "乙", None])
codes = st.sampled_from([code("1", "ACTIVE"), code("01", "ACTIVE", "test-2"), code("9", None), None])
dates = st.sampled_from([date(2001, 2, 3), date(2004, 5, 6), None])
begins = st.sampled_from([None, None, DAYS[0], DAYS[0], DAYS[1], *DAYS])
ends = st.sampled_from([None] * 8 + DAYS)
CONTENT: Mapping[str, st.SearchStrategy[Any]] = {
    "name": texts,
    "address": texts,
    "business_address": texts,
    "industry": codes,
    "established_on": dates,
}


@dataclass(frozen=True)
class Said:
    """One record as plain words."""

    department: str
    subject: str
    record_id: str
    part: str
    version: tuple[int, int]
    operation: str
    rows: int = 1
    moved_to: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    identifiers: tuple[tuple[str, str, str], ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"{self.department}.main"

    @property
    def value(self) -> bytes:
        """The framed record."""
        schemes = [dict(zip(("scheme", "value", "verdict"), each, strict=True)) for each in self.identifiers]
        return record(
            self.department,
            self.subject,
            self.record_id,
            self.version[1],
            self.operation,
            epoch=self.version[0],
            part=self.part,
            rows=self.rows,
            moved_to=self.moved_to,
            effective_from=self.effective_from,
            effective_to=self.effective_to,
            identifiers=schemes,
            **self.content,
        )[1]

    def outgoing(self, partitions: int) -> Outgoing:
        """The record as its connector sends it."""
        where = partition(self.subject, partitions)
        headers = (("source", self.source.encode()),)
        return Outgoing(topics.dept(PREFIX, self.department), where, self.subject.encode(), self.value, headers)


@st.composite
def records(draw: st.DrawFn) -> Said:
    """Any record of either department, on one of a few rows of a few subjects at one of a few versions."""
    operation = draw(st.sampled_from(OPERATIONS))
    return Said(
        department=draw(st.sampled_from(sorted(TYPES))),
        subject=draw(st.sampled_from([A, A, A, *SUBJECTS])),
        record_id=draw(st.sampled_from(["r1", "r2"])),
        part=draw(st.sampled_from(["", "", "", "b"])),
        version=(draw(st.sampled_from([1, 1, 1, 2])), draw(st.integers(1, 4))),
        operation=operation,
        rows=draw(st.integers(0, 2)),
        moved_to=draw(st.sampled_from([None, *SUBJECTS])) if operation == "DELETE" else None,
        effective_from=draw(begins),
        effective_to=draw(ends),
        identifiers=tuple(draw(st.lists(st.sampled_from(NUMBERS), unique=True, max_size=2))),
        content=draw(st.fixed_dictionaries(CONTENT)),
    )


histories = st.lists(records(), min_size=2, max_size=14)
ticks = st.lists(st.sampled_from(DAYS[1:]), max_size=3)


def feeds(department: str) -> list[str]:
    """Attributes that a department's only record type speaks to; field and attribute have the same name."""
    attributes = {attribute.name for attribute in catalogues()["legal_person"].attributes}
    fields = [each["name"] for each in contract()[TYPES[department]].document["fields"]]
    return [name for name in fields if name in attributes]
