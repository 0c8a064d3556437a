"""A source's YAML: where its rows stand, and what their columns mean.

The file is checked twice before anything is read: its form by these models, and its sense against the
contract and against itself. Every error names the file, the line and the field.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, SecretStr, field_validator, model_validator

from process.errors import SettingsError
from process.messages import say
from process.settings import Lines, Place, load_yaml, validated, with_variables
from process.yaml_lines import line_of
from schemas.codec import Contract

Scheme = Literal["credit_code", "organisation_code", "registration_number", "tax_number", "resident_number"]
FieldKind = Literal["text", "code", "money", "date"]
Unit = Literal["元", "万元"]

_NAME = r"^[a-z][a-z0-9_]*$"


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Sql(_Checked):
    """A table or view of a database."""

    url: SecretStr = Field(description="SQLAlchemy URL; take the password from the environment: ${NAME}.")
    table: str = Field(min_length=1, description="Table or view, as the database spells it.")
    schema_: str | None = Field(None, alias="schema", description="Schema it stands in; none: the user's own.")


class Read(_Checked):
    """How the rows are read."""

    sql: Sql


class RecordId(_Checked):
    """The department's own key of a row."""

    columns: tuple[str, ...] = Field(min_length=1, description="Columns that together tell a row.")
    personal: bool = Field(False, description="The key is or embeds a person's number: it is hashed.")


class Column(_Checked):
    """One column."""

    column: str = Field(min_length=1)


class Operation(_Checked):
    """A column that says what became of the row; a flag in none of the lists refuses the row."""

    column: str = Field(min_length=1)
    upsert: tuple[str, ...] = Field(min_length=1, description="The row holds.")
    end: tuple[str, ...] = Field((), description="What the row tells of ceased in the world.")
    delete: tuple[str, ...] = Field((), description="The row counts as not there.")

    @model_validator(mode="after")
    def _once(self) -> Self:
        flags = [*self.upsert, *self.end, *self.delete]
        if len(flags) != len(set(flags)):
            raise ValueError("a flag stands in two of the lists")
        return self


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


class Number(_Checked):
    """A column with an official number of the subject."""

    scheme: Scheme
    column: str = Field(min_length=1)


class When(_Checked):
    """The part exists only where the column holds one of these."""

    column: str = Field(min_length=1)
    values: tuple[str, ...] = Field(min_length=1)


class Currency(_Checked):
    """Where an amount's currency stands."""

    column: str | None = None
    default: str | None = Field(None, pattern="^[A-Z]{3}$", description="Where neither column nor amount says one.")


class FieldMap(_Checked):
    """What one field of the record is taken from."""

    column: str = Field(min_length=1)
    required: bool = Field(False, description="A row without it is refused.")
    codes: str | None = Field(None, description="Name of the code list, for a coded field.")
    unit: Unit | None = Field(None, description="What the amount counts, where it does not say.")
    currency: Currency | None = None
    open_end: bool = Field(False, description="The day may be an open end.")
    number: Scheme | None = Field(None, description="The text is an official number: its canonical form is taken.")


class Part(_Checked):
    """One record made of a row."""

    part: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$")
    type: str = Field(description="Record type, like market_supervision/enterprise-1.")
    subject: Literal["legal_person", "natural_person"]
    key: tuple[Number, ...] = Field(min_length=1, description="Numbers the subject may be told by.")
    when: When | None = None
    effective_from: Column | None = None
    effective_to: Column | None = None
    fields: dict[str, FieldMap] = Field(min_length=1)


class SourceMapping(_Checked):
    """One source of a department."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", description="<department>.<name>")
    department: str = Field(pattern=_NAME)
    read: Read
    poll_seconds: PositiveFloat = Field(30.0, description="Pause between two cycles.")
    timezone: str = "Asia/Shanghai"
    divisions: tuple[str, ...] = Field((), description="Divisions of tax numbers besides the national ones.")
    nulls: tuple[str, ...] = Field((), description="What is written for nothing; a day counts in any spelling.")
    open_ends: tuple[str, ...] = Field((), description="What is written for no end.")
    record_id: RecordId
    token: Column | None = Field(None, description="The row's own change token.")
    operation: Operation | None = None
    code_lists: dict[str, CodeList] = {}
    records: tuple[Part, ...] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as exc:
            raise ValueError("no such time zone") from exc
        return name

    @model_validator(mode="after")
    def _belongs_to_its_department(self) -> Self:
        if not self.source.startswith(self.department + "."):
            raise ValueError(f"source must begin with {self.department}.")
        return self

    def columns(self) -> list[str]:
        """Every column that is read, once; what is not mapped is never selected."""
        return list(dict.fromkeys(column for _, column in columns_of(self)))


@dataclass(frozen=True, slots=True)
class Source:
    """A checked mapping, and where it was written."""

    mapping: SourceMapping
    file: Path
    lines: Lines

    @property
    def name(self) -> str:
        return self.mapping.source

    @property
    def department(self) -> str:
        return self.mapping.department

    @property
    def fingerprint(self) -> str:
        """Changes with whatever the mapping says; where it reads and how often is not part of it."""
        said = self.mapping.model_dump(mode="json", exclude={"read", "poll_seconds"})
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]

    def at(self, place: Place) -> str:
        """File and line of a place in the mapping."""
        return f"{self.file}:{line_of(place, self.lines)}"


class Wrong(NamedTuple):
    """Something in a mapping that makes no sense."""

    place: Place
    code: str
    fields: Mapping[str, object]


def load(file: Path, environ: Mapping[str, str], contract: Contract) -> Source:
    """The source that a YAML describes; raises `SettingsError`."""
    written, lines = load_yaml(file)
    data, _ = with_variables(written, lines, file, environ)
    source = Source(validated(SourceMapping, data, lines, file), file, lines)
    wrong = list(_senseless(source.mapping, contract))
    if wrong:
        told = (say(w.code, place=source.at(w.place), field=".".join(map(str, w.place)), **w.fields) for w in wrong)
        raise SettingsError("\n".join(told))
    return source


def columns_of(mapping: SourceMapping) -> Iterator[tuple[Place, str]]:
    """Every column the mapping names, and where."""
    for i, column in enumerate(mapping.record_id.columns):
        yield ("record_id", "columns", i), column
    if mapping.token:
        yield ("token", "column"), mapping.token.column
    if mapping.operation:
        yield ("operation", "column"), mapping.operation.column
    for i, part in enumerate(mapping.records):
        for place, column in _columns_of_part(part):
            yield ("records", i, *place), column


def _columns_of_part(part: Part) -> Iterator[tuple[Place, str]]:
    for i, number in enumerate(part.key):
        yield ("key", i, "column"), number.column
    for name in ("when", "effective_from", "effective_to"):
        if column := getattr(part, name):
            yield (name, "column"), column.column
    for name, field in part.fields.items():
        yield ("fields", name, "column"), field.column
        if field.currency and field.currency.column:
            yield ("fields", name, "currency", "column"), field.currency.column


def field_kinds(contract: Contract, name: str) -> dict[str, FieldKind]:
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


def _senseless(mapping: SourceMapping, contract: Contract) -> Iterator[Wrong]:
    parts = [part.part for part in mapping.records]
    for i, part in enumerate(mapping.records):
        here: Place = ("records", i)
        if part.part in parts[:i]:
            yield Wrong((*here, "part"), "connectors.part_twice", {})
        yield from (wrong._replace(place=(*here, *wrong.place)) for wrong in _senseless_part(mapping, part, contract))


def _senseless_part(mapping: SourceMapping, part: Part, contract: Contract) -> Iterator[Wrong]:
    own = [n for n in contract.names() if contract[n].department == mapping.department and contract[n].subject]
    if part.type not in own:
        yield Wrong(("type",), "connectors.type_unknown", {"hint": _hint(part.type, own)})
        return
    if contract[part.type].subject != part.subject:
        yield Wrong(("subject",), "connectors.subject_differs", {"subject": contract[part.type].subject})
    kinds = field_kinds(contract, part.type)
    for name, field in part.fields.items():
        place: Place = ("fields", name)
        if name not in kinds:
            yield Wrong(place, "connectors.field_unknown", {"type": part.type, "hint": _hint(name, kinds)})
        else:
            yield from (wrong._replace(place=(*place, *wrong.place)) for wrong in _misused(mapping, field, kinds[name]))


_BELONGS: dict[str, FieldKind] = {
    "codes": "code",
    "unit": "money",
    "currency": "money",
    "open_end": "date",
    "number": "text",
}


def _misused(mapping: SourceMapping, field: FieldMap, kind: FieldKind) -> Iterator[Wrong]:
    for name, belongs in _BELONGS.items():
        if getattr(field, name) and kind != belongs:
            yield Wrong((name,), "connectors.option_misplaced", {"kind": kind, "belongs": belongs})
    if kind == "code" and field.codes not in mapping.code_lists:
        yield Wrong(("codes",), "connectors.code_list_unknown", {"hint": _hint(field.codes or "", mapping.code_lists)})
    if kind == "money" and not field.unit:
        yield Wrong(("unit",), "connectors.unit_missing", {"units": ", ".join(get_args(Unit))})


def _hint(name: str, known: Collection[str]) -> str:
    return ", ".join(difflib.get_close_matches(name, known, n=1) or sorted(known))
