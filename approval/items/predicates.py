"""Predicates: what facts have to say, as the people who answer for an item write it.

Of an attribute with one value, one comparison:

    - {attribute: status, in: [ACTIVE]}
    - {attribute: card_valid_to, on_or_after: evidence_date}
    - {subject: child, attribute: household_number, same_as: parent}

Of a list, one question. `of` says which of its elements are meant; with none of them on record the list says
nothing (absent), with others than asked for it denies (disproved):

    - attribute: residences
      of: {kind: {in: [PERMIT]}}
      some: {status: {in: [VALID]}, endorsed_until: {on_or_after: evidence_date}}
    - attribute: abnormal_listings
      none: {removed_on: {absent: true}}
    - attribute: residences
      of: {division: {starts_with: ["350299"]}}
      without_gap: {days: 180, from: from, to: to}
    - attribute: contributions
      of: {kind: {in: [PENSION]}}
      months_on_time: {at_least: 12, last: 24}

An element may name another subject, whose own facts then have to say something too (`whose`, one step).
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

Day = Literal["evidence_date"] | date


class Frozen(BaseModel):
    """What is written in an item and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Comparison(Frozen):
    """What one value has to say: exactly one of these."""

    present: Literal[True] | None = Field(None, description="There is a value.")
    absent: Literal[True] | None = Field(None, description="It is known that there is none.")
    equals: str | None = Field(None, description="The value, forgiving width, case and spaces.")
    one_of: tuple[str, ...] | None = Field(None, alias="in", min_length=1, description="One of these values.")
    contains_any: tuple[str, ...] | None = Field(None, min_length=1, description="At least one of these stands in it.")
    starts_with: tuple[str, ...] | None = Field(None, min_length=1, description="It begins with one of these.")
    on_or_before: Day | None = Field(None, description="A date no later than this.")
    on_or_after: Day | None = Field(None, description="A date no earlier than this.")
    not_before: Day | None = Field(None, description="A last day no earlier than this; none: it goes on.")
    month_on_or_before: Day | None = Field(None, description="A month (YYYYMM) no later than that of this day.")
    month_not_before: Day | None = Field(
        None, description="A last month (YYYYMM) no earlier than that of this day; none: it goes on."
    )

    @property
    def comparison(self) -> str:
        """The name of the comparison it makes; empty: none."""
        return next((name for name in COMPARISONS if getattr(self, name) is not None), "")


# Field to the name it has in the file, and the types of value it fits.
COMPARISONS: Final[Mapping[str, str]] = {
    "present": "present",
    "absent": "absent",
    "equals": "equals",
    "one_of": "in",
    "contains_any": "contains_any",
    "starts_with": "starts_with",
    "on_or_before": "on_or_before",
    "on_or_after": "on_or_after",
    "not_before": "not_before",
    "month_on_or_before": "month_on_or_before",
    "month_not_before": "month_not_before",
}
FITTING: Final[Mapping[str, frozenset[str]]] = {
    "equals": frozenset({"text", "code"}),
    "one_of": frozenset({"text", "code"}),
    "contains_any": frozenset({"text"}),
    "starts_with": frozenset({"text", "code"}),
    "on_or_before": frozenset({"date"}),
    "on_or_after": frozenset({"date"}),
    "not_before": frozenset({"date"}),
    "month_on_or_before": frozenset({"text"}),
    "month_not_before": frozenset({"text"}),
}


class PartComparison(Comparison):
    """What one part of an element has to say."""

    @model_validator(mode="after")
    def _compares_once(self) -> Self:
        _exactly_one(self, COMPARISONS)
        return self


Terms = Mapping[str, PartComparison]


class WithoutGap(Frozen):
    """Intervals that together leave out no day of the last `days` before the evidence date."""

    days: PositiveInt
    first: str = Field(alias="from", description="Part that holds the first day.")
    last: str = Field(alias="to", description="Part that holds the last day; none: it goes on.")
    goes_on: Terms = Field(
        default_factory=dict,
        description="What an element without a last day has to say to go on; else nobody knows where it ends.",
    )


class MonthsOnTime(Frozen):
    """Months that were paid on time, out of elements that hold a year and a letter for each of its months."""

    at_least: PositiveInt
    last: PositiveInt | None = Field(
        None, description="Only of so many months, the last full one by the evidence date included; none: of all."
    )
    consecutive: bool = Field(False, description="One after the other.")
    all_known: bool = Field(False, description="Only once no month of them can still change by being paid in time.")


class WhosePredicate(Comparison):
    """What one fact of the subject that an element names has to say."""

    attribute: str = Field(description="Name in the attribute catalogue.")
    same_as_part: str | None = Field(None, description="The same as this part of the element that names it.")

    @model_validator(mode="after")
    def _asks_once(self) -> Self:
        _exactly_one(self, {**COMPARISONS, "same_as_part": "same_as_part"})
        return self


class Whose(Frozen):
    """The subject that an element names, and what has to hold of it."""

    part: str = Field(description="Part of the element that holds its subject key.")
    role: str = Field(description="What it is to the item; listed under `found`.")
    all_of: tuple[WhosePredicate, ...] = Field(min_length=1)


class Predicate(Comparison):
    """What one attribute has to say: exactly one comparison, or one question to a list."""

    attribute: str = Field(description="Name in the attribute catalogue.")
    subject: str | None = Field(None, description="Role it speaks of; none: the material's own.")
    same_as: str | None = Field(None, description="The same as this other role's.")
    of: Terms = Field(default_factory=dict, description="For lists: which elements are meant; none: all.")
    some: Terms | None = Field(None, description="One element says all of this.")
    none: Terms | None = Field(None, description="It is known that no element says all of this.")
    without_gap: WithoutGap | None = None
    months_on_time: MonthsOnTime | None = None
    whose: Whose | None = Field(None, description="With `some`: what must hold of the subject the element names.")

    @property
    def question(self) -> str:
        """Which question it puts to a list; empty: it compares one value."""
        return next((name for name in QUESTIONS if getattr(self, name) is not None), "")

    @model_validator(mode="after")
    def _asks_once(self) -> Self:
        _exactly_one(self, {**COMPARISONS, **{name: name for name in ("same_as", *QUESTIONS)}})
        if self.of and not self.question:
            raise ValueError("of chooses elements of a list: ask some, none, without_gap or months_on_time of them")
        if self.whose and self.some is None:
            raise ValueError("whose goes with some")
        return self


QUESTIONS: Final = ("some", "none", "without_gap", "months_on_time")


def _exactly_one(asked: BaseModel, names: Mapping[str, str]) -> None:
    if sum(getattr(asked, name) is not None for name in names) != 1:
        raise ValueError(f"give exactly one of: {', '.join(names.values())}")
