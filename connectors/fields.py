"""The fields of a record in a source's YAML: which columns each is taken from, and by what rule.

Their form is checked by these models; `misused` says where one makes no sense for what its field holds.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from process.settings import Place
from schemas.codec import Contract
from schemas.identifiers import RESIDENCE_PERMIT, SCHEMES, SOCIAL_PERSON, SOCIAL_UNIT

FieldKind = Literal["text", "code", "money", "date"]
SubjectKind = Literal["legal_person", "natural_person"]
Unit = Literal["元", "万元"]


def _known(scheme: str) -> str:
    if scheme not in SCHEMES:
        raise PydanticCustomError("literal_error", "no such scheme", {"expected": ", ".join(sorted(SCHEMES))})
    return scheme


Scheme = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": sorted(SCHEMES)})]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Checked):
    """One column."""

    column: str = Field(min_length=1)


class When(_Checked):
    """A column that holds one of these."""

    column: str = Field(min_length=1)
    values: tuple[str, ...] = Field(min_length=1)


class CodeList(_Checked):
    """A versioned list that translates the department's codes."""

    version: str = Field(min_length=1, description="Name and edition; travels with every value.")
    values: dict[str, str] = Field({}, description="The department's code: the product's.")
    form: str | None = Field(None, description="Instead of values: a code of this form means itself.")
    otherwise: str | None = Field(None, description="What the list says of any other code; none: not known.")

    @field_validator("form")
    @classmethod
    def _compiles(cls, form: str | None) -> str | None:
        try:
            re.compile(form or "")
        except re.error as exc:
            raise ValueError(f"no regular expression: {exc.msg}") from exc
        return form

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.values) == bool(self.form):
            raise ValueError("give either values or form")
        return self


class SchemeOf(_Checked):
    """A column that says which kind of number stands in another."""

    column: str = Field(min_length=1)
    values: dict[str, Scheme] = Field(min_length=1, description="The department's kind: the scheme. Others: no number.")


class Number(_Checked):
    """A column with an official number."""

    scheme: Scheme | None = Field(None, description="Which kind of number it is.")
    scheme_of: SchemeOf | None = Field(None, description="Instead of scheme: where the row says which kind it is.")
    column: str = Field(min_length=1)

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.scheme) == bool(self.scheme_of):
            raise ValueError("give either scheme or scheme_of")
        return self

    @property
    def schemes(self) -> list[str]:
        """Every scheme that may stand there."""
        return [self.scheme] if self.scheme else list(self.scheme_of.values.values()) if self.scheme_of else []

    def columns(self) -> Iterator[tuple[Place, str]]:
        """Every column it names, and where."""
        yield ("column",), self.column
        if self.scheme_of:
            yield ("scheme_of", "column"), self.scheme_of.column


class Currency(_Checked):
    """Where an amount's currency stands."""

    column: str | None = None
    default: str | None = Field(None, pattern="^[A-Z]{3}$", description="Where neither column nor amount says one.")


class Reference(_Checked):
    """Another subject that the row tells of: its key, where the numbers name exactly one."""

    kind: SubjectKind
    numbers: tuple[Number, ...] = Field(min_length=1)


class Months(_Checked):
    """Twelve letters, January first, from the rows of one year (`connectors.months`)."""

    due: str = Field(min_length=1, description="Column with the month that a row is for.")
    flag: str = Field(min_length=1, description="Column that says whether it was paid.")
    paid: tuple[str, ...] = Field(min_length=1, description="It was.")
    unpaid: tuple[str, ...] = Field(min_length=1, description="It was not.")
    paid_in: str = Field(min_length=1, description="Column with the month in which it was paid.")


class FieldMap(_Checked):
    """What one field of the record is taken from: a column, or the key of a subject, or the months of a group."""

    column: str | None = Field(None, min_length=1)
    subject: Reference | None = None
    months: Months | None = None
    required: bool = Field(False, description="A row without it is refused.")
    must_read: bool = Field(False, description="Nothing has a meaning: a row in which it cannot be read is refused.")
    codes: str | None = Field(None, description="Name of the code list, for a coded field.")
    unit: Unit | None = Field(None, description="What the amount counts, where it does not say.")
    currency: Currency | None = None
    open_end: bool = Field(False, description="The day may be an open end; of a month, an open end is nothing.")
    open_end_when: When | None = Field(None, description="A column that says that the day is an open end.")
    number: Scheme | None = Field(None, description="The text is an official number: its canonical form is taken.")
    take: Literal["year", "month"] | None = Field(None, description="Of a day or month: YYYY or YYYYMM.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.column, self.subject, self.months)) != 1:
            raise ValueError("give one of column, subject, months")
        return self

    def columns(self) -> Iterator[tuple[Place, str]]:
        """Every column it is taken from, and where that is said."""
        if self.column:
            yield ("column",), self.column
        for i, number in enumerate(self.subject.numbers if self.subject else ()):
            yield from ((("subject", "numbers", i, *place), column) for place, column in number.columns())
        if self.months:
            yield from ((("months", name), getattr(self.months, name)) for name in ("due", "flag", "paid_in"))
        if self.currency and self.currency.column:
            yield ("currency", "column"), self.currency.column
        if self.open_end_when:
            yield ("open_end_when", "column"), self.open_end_when.column


class Wrong(NamedTuple):
    """Something in a mapping that makes no sense."""

    place: Place
    code: str
    fields: Mapping[str, object]

    def within(self, *outer: str | int) -> "Wrong":
        """The same, its place told from further out."""
        return self._replace(place=(*outer, *self.place))


def kinds_of(contract: Contract, name: str) -> dict[str, FieldKind]:
    """What each field of a record type holds; `meta` is not among them."""
    fields = contract[name].document["fields"][1:]
    return {field["name"]: _kind(field["type"]) for field in fields}


def _kind(avro: object) -> FieldKind:
    inner = next((each for each in avro if each != "null"), None) if isinstance(avro, list) else avro
    if isinstance(inner, dict):
        inner = inner.get("logicalType") or inner.get("name")
    kinds: dict[object, FieldKind] = {
        "date": "date",
        "Code": "code",
        "tongban.Code": "code",
        "Money": "money",
        "tongban.Money": "money",
    }
    return kinds.get(inner, "text")


_BELONGS: dict[str, FieldKind] = {
    "subject": "text",
    "months": "text",
    "codes": "code",
    "unit": "money",
    "currency": "money",
    "open_end_when": "date",
    "number": "text",
    "take": "text",
}


def misused(field: FieldMap, kind: FieldKind, code_lists: Collection[str]) -> Iterator[Wrong]:
    """What is said of a field that holds something else, and what is not said and has to be."""
    belongs = {**_BELONGS, "open_end": kind if field.take == "month" else "date"}
    for name, wanted in belongs.items():
        if getattr(field, name) and kind != wanted:
            yield Wrong((name,), "connectors.option_misplaced", {"kind": kind, "belongs": wanted})
    if kind == "code" and field.codes not in code_lists:
        yield Wrong(("codes",), "connectors.code_list_unknown", {"hint": hint(field.codes or "", code_lists)})
    if kind == "money" and not field.unit:
        yield Wrong(("unit",), "connectors.unit_missing", {"units": ", ".join(get_args(Unit))})
    if field.subject:
        said = nameless(field.subject.numbers, field.subject.kind)
        yield from (wrong.within("subject", "numbers") for wrong in said)


# They change with the district, or mean nothing outside the system that gave them; and a citizen's number that
# some places print on them is for the row's own column of it to say.
_NAME_NOBODY = frozenset({RESIDENCE_PERMIT, SOCIAL_PERSON, SOCIAL_UNIT})


def nameless(numbers: Collection[Number], kind: SubjectKind) -> Iterator[Wrong]:
    """Numbers that can never name a subject of this kind."""
    naming = sorted(name for name, scheme in SCHEMES.items() if scheme.subject == kind and name not in _NAME_NOBODY)
    for i, number in enumerate(numbers):
        for scheme in number.schemes:
            if scheme not in naming:
                said = {"scheme": scheme, "subject": kind, "hint": ", ".join(naming)}
                yield Wrong((i, "scheme" if number.scheme else "scheme_of"), "connectors.scheme_names_nobody", said)


def hint(name: str, known: Collection[str]) -> str:
    """The name that may have been meant, or every name there is."""
    return ", ".join(difflib.get_close_matches(name, known, n=1) or sorted(known))
