"""A source's YAML: where its rows stand, and what their columns mean.

The file is checked twice before anything is read: its form by these models, and its sense against the
contract and against itself. Every error names the file, the line and the field.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator, model_validator

from connectors.fields import (
    CodeList,
    Column,
    FieldMap,
    Number,
    SubjectKind,
    When,
    Wrong,
    hint,
    kinds_of,
    misused,
    nameless,
)
from connectors.reading import Read
from process.errors import SettingsError
from process.messages import say
from process.settings import Lines, Place, load_yaml, validated, with_variables
from process.yaml_lines import line_of
from schemas.codec import Contract

_NAME = r"^[a-z][a-z0-9_]*$"


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RecordId(_Checked):
    """The department's own key of a row."""

    columns: tuple[str, ...] = Field(min_length=1, description="Columns that together tell a row.")
    years: tuple[str, ...] = Field((), description="Those of the columns of which only the year counts.")
    personal: bool = Field(False, description="The key is or embeds a person's number: it is hashed.")

    @model_validator(mode="after")
    def _of_its_columns(self) -> Self:
        if not set(self.years) <= set(self.columns):
            raise ValueError("years are among the columns")
        return self


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


class Part(_Checked):
    """One record made of a row, or of the rows of a group."""

    part: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$")
    type: str = Field(description="Record type, like market_supervision/enterprise-1.")
    subject: SubjectKind
    key: tuple[Number, ...] = Field(min_length=1, description="Numbers the subject may be told by.")
    also: tuple[Number, ...] = Field((), description="Further numbers of it: they travel, and name nobody.")
    when: When | None = Field(None, description="The part exists only where this holds.")
    effective_from: Column | None = None
    effective_to: Column | None = None
    fields: dict[str, FieldMap] = Field(min_length=1)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Every number of the subject."""
        return (*self.key, *self.also)

    def columns(self) -> Iterator[tuple[Place, str]]:
        """Every column it is made of, and where that is said."""
        for name in ("key", "also"):
            for i, number in enumerate(getattr(self, name)):
                yield from (((name, i, *place), column) for place, column in number.columns())
        for name in ("when", "effective_from", "effective_to"):
            if column := getattr(self, name):
                yield (name, "column"), column.column
        for name, field in self.fields.items():
            yield from ((("fields", name, *place), column) for place, column in field.columns())


class SourceMapping(_Checked):
    """One source of a department."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", description="<department>.<name>")
    department: str = Field(pattern=_NAME)
    read: Read
    poll_seconds: PositiveFloat = Field(30.0, description="Pause between two cycles.")
    inventory_seconds: PositiveFloat = Field(3600.0, description="Everything is counted against the exchange so often.")
    timezone: str = "Asia/Shanghai"
    divisions: tuple[str, ...] = Field((), description="Divisions of tax numbers besides the national ones.")
    nulls: tuple[str, ...] = Field((), description="What is written for nothing; a day counts in any spelling.")
    open_ends: tuple[str, ...] = Field((), description="What is written for no end.")
    record_id: RecordId
    group: bool = Field(False, description="Rows of one record id are one record, and have to agree in its fields.")
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

    @property
    def order(self) -> tuple[str, ...]:
        """Columns by which to read: in the order of their key, rows of a group stand side by side."""
        return self.record_id.columns if self.group else ()


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
        said = self.mapping.model_dump(mode="json", exclude={"read", "poll_seconds", "inventory_seconds"})
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]

    def at(self, place: Place) -> str:
        """File and line of a place in the mapping."""
        return f"{self.file}:{line_of(place, self.lines)}"


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
        yield from ((("records", i, *place), column) for place, column in part.columns())


def _senseless(mapping: SourceMapping, contract: Contract) -> Iterator[Wrong]:
    yield from _unreadable(mapping)
    parts = [part.part for part in mapping.records]
    for i, part in enumerate(mapping.records):
        if part.part in parts[:i]:
            yield Wrong(("records", i, "part"), "connectors.part_twice", {})
        yield from (wrong.within("records", i) for wrong in _senseless_part(mapping, part, contract))


def _unreadable(mapping: SourceMapping) -> Iterator[Wrong]:
    """What the mapping asks of files that they do not have."""
    files = mapping.read.files
    listed = files.delimited.columns if files and files.delimited else ()
    for place, column in columns_of(mapping) if listed else ():
        if column not in listed:
            yield Wrong(place, "connectors.column_unlisted", {"column": column, "hint": hint(column, listed)})
    if files and files.deletions_reported and not (mapping.operation and mapping.operation.delete):
        yield Wrong(("read", "files", "deletions_reported"), "connectors.deletions_unreadable", {})


def _senseless_part(mapping: SourceMapping, part: Part, contract: Contract) -> Iterator[Wrong]:
    own = [n for n in contract.names() if contract[n].department == mapping.department and contract[n].subject]
    if part.type not in own:
        yield Wrong(("type",), "connectors.type_unknown", {"hint": hint(part.type, own)})
        return
    if contract[part.type].subject != part.subject:
        yield Wrong(("subject",), "connectors.subject_differs", {"subject": contract[part.type].subject})
    yield from (wrong.within("key") for wrong in nameless(part.key, part.subject))
    kinds = kinds_of(contract, part.type)
    for name, field in part.fields.items():
        if name not in kinds:
            yield Wrong(("fields", name), "connectors.field_unknown", {"type": part.type, "hint": hint(name, kinds)})
            continue
        yield from (wrong.within("fields", name) for wrong in misused(field, kinds[name], mapping.code_lists))
        if field.months and not (mapping.group and field.months.due in mapping.record_id.years):
            yield Wrong(("fields", name, "months"), "connectors.months_ungrouped", {"column": field.months.due})
