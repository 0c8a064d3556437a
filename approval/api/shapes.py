"""Shapes: what an answer, a refusal and a list of items look like, for those who write programs against them.

They describe and are not passed through: a test holds every answer to them.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from approval.items import Kind, LegalBasis
from approval.verdicts import Follow, Verdict


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemNamed(_Shape):
    """Which item, in which version."""

    id: str
    version: int
    name_zh: str
    name_en: str


class ItemListed(ItemNamed):
    """An item that can be asked for."""

    department: str
    subjects: Mapping[str, Kind] = Field(description="The roles a question names a number for, and the kind of each.")


class SubjectShown(_Shape):
    """Whom the answer is about."""

    subject: str | None = Field(description="Subject key; null: the number names nobody, or more than one.")
    condition: Literal["live", "moving", "gone", "none", "withheld"]
    name: str | None


class ReasonShown(_Shape):
    """Why, as a code and as a sentence."""

    code: str
    zh: str
    en: str


class DissentShown(_Shape):
    """A source that says something else."""

    source: str
    value: str | date | None


class PartShown(_Shape):
    """One part of a list's element."""

    part: str
    name_zh: str
    name_en: str
    value: str | date | None
    value_zh: str | None = Field(description="Null: the part is blank, and that means nothing.")
    value_en: str | None


class ElementDissentShown(_Shape):
    """A source that says something else of an element."""

    source: str
    parts: list[PartShown]


class ElementShown(_Shape):
    """One element of a list a decision rests on; of its parts those that the item and the caller's grant disclose."""

    state: Literal["known", "disputed", "in_question", "withheld"]
    source: str | None
    department: str | None
    effective_from: date | None
    effective_to: date | None
    observed_at: datetime | None
    parts: list[PartShown]
    dissent: list[ElementDissentShown]


class FactShown(_Shape):
    """One fact a decision rests on; without a value where the item, or the caller's grant, does not disclose it.

    What an attribute with many says stands in `elements`, and `counts` tells how many months of paid ones.
    """

    role: str = Field(description="Whose fact it is: a role of the question, or one that another fact named.")
    attribute: str
    name_zh: str
    name_en: str
    verdict: Verdict
    reason: ReasonShown
    state: Literal["known", "unknown", "disputed", "in_question", "none", "withheld"]
    disclosed: bool
    value: str | date | None
    value_zh: str | None
    value_en: str | None
    source: str | None
    department: str | None
    effective_from: date | None
    effective_to: date | None
    observed_at: datetime | None
    confirmed_until: datetime | None
    dissent: list[DissentShown]
    counts: Mapping[str, int]
    elements: list[ElementShown]


class WatermarkShown(_Shape):
    """How complete a source is where this subject lies."""

    source: str
    cycle: int
    complete_until: datetime | None
    present_until: datetime | None
    broken_since: int | None


class MaterialShown(_Shape):
    """One material, its verdict, and what follows."""

    id: str
    name_zh: str
    name_en: str
    requirement_zh: str
    requirement_en: str
    verdict: Verdict
    follow: Follow
    reason: ReasonShown
    as_of: datetime | None
    facts: list[FactShown]
    watermarks: list[WatermarkShown]
    legal_basis: LegalBasis


class Evaluated(_Shape):
    """The answer: what `approval evaluate --json` prints, as far as the caller may see it."""

    item: ItemNamed
    at: datetime
    subjects: Mapping[str, SubjectShown]
    materials: list[MaterialShown]


class Refusal(_Shape):
    """What was wrong."""

    code: str = Field(description="Stays the same while the texts may change.")
    field: str | None = Field(description="Name of the field it is about.")
    en: str
    zh: str


class Refused(_Shape):
    """A question that is not answered. What was asked is never repeated."""

    error: Refusal
