"""How a source is read: the `read:` of its YAML, a table of a database or the files of a drop folder.

Files come by one protocol, whatever their form: a data file, a control file of one line
(`name|rows|bytes|MD5|batch|F or I|from|to`), and an empty `.ok`, written last (`connectors.sources.files`).
"""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, SecretStr, field_validator, model_validator

Encoding = Literal["gb18030", "utf-8"]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Sql(_Checked):
    """A table or view of a database."""

    url: SecretStr = Field(description="SQLAlchemy URL; take the password from the environment: ${NAME}.")
    table: str = Field(min_length=1, description="Table or view, as the database spells it.")
    schema_: str | None = Field(None, alias="schema", description="Schema it stands in; none: the user's own.")


class Delimited(_Checked):
    """A row a line, its fields parted by a separator and never quoted: a quotation mark is text like any other."""

    separator: str = Field(min_length=1, max_length=8, description="What stands between two fields.")
    header: bool = Field(False, description="The first line names the columns.")
    columns: tuple[str, ...] = Field((), description="Instead of a header: every column of the file, in order.")

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.header == bool(self.columns):
            raise ValueError("give either header: true or the columns in order")
        if len(self.columns) != len(set(self.columns)):
            raise ValueError("a column stands in the list twice")
        if not self.separator.isprintable() and self.separator != "\t":
            raise ValueError("the separator must be printable or a tab")
        return self


class Xml(_Checked):
    """An element a row; column `NAME` is the text of its child element, column `@NAME` its own attribute."""

    row: str = Field(min_length=1, description="Name of the row's element, without a namespace.")
    optional: tuple[str, ...] = Field((), description="Columns a row may lack; any other one missing refuses the file.")


class Xlsx(_Checked):
    """A sheet of a workbook, a row a row."""

    sheet: str | None = Field(None, description="Name of the sheet; none: the only one.")
    header: PositiveInt = Field(1, description="The row that names the columns; the data stand below.")
    numbers: tuple[str, ...] = Field(
        (),
        description="Columns whose cells may be numbers. Elsewhere a number refuses its row: "
        "a spreadsheet drops leading zeros, and digits after the fifteenth.",
    )


class Limits(_Checked):
    """What a file may cost; one above a limit is refused, not read."""

    file_bytes: PositiveInt = Field(2 << 30, description="The file.")
    rows: PositiveInt = Field(20_000_000, description="Rows in it.")
    columns: PositiveInt = Field(400, description="Columns of a row, mapped or not.")
    line_bytes: PositiveInt = Field(1 << 20, description="A line of a delimited file.")
    field_bytes: PositiveInt = Field(1 << 16, description="A value, as UTF-8.")
    depth: PositiveInt = Field(16, le=200, description="Elements inside each other, in XML.")
    members: PositiveInt = Field(1_000, description="Files in a workbook.")
    unpacked_bytes: PositiveInt = Field(512 << 20, description="All of them, unpacked.")
    ratio: PositiveInt = Field(100, description="How many times larger than packed.")
    cells: PositiveInt = Field(5_000_000, description="Cells of a sheet, empty ones among them: it is held in memory.")


class Files(_Checked):
    """A family of files that a department puts into a folder, one after the other."""

    folder: Path = Field(description="The folder they are put into; it is only read.")
    name: str = Field(description="Their name without ending: {date} is eight digits, {number} a running number.")
    suffix: str | None = Field(None, pattern="^[A-Za-z0-9]+$", description="Ending of the data file: txt, xml, xlsx.")
    encoding: Encoding = Field("gb18030", description="Of text and control files; GBK and GB2312 are gb18030 too.")
    delimited: Delimited | None = None
    xml: Xml | None = None
    xlsx: Xlsx | None = None
    deletions_reported: bool = Field(
        False, description="An increment tells every row that is gone, by the flags under operation.delete."
    )
    may_be_empty: bool = Field(False, description="A full file without a row is taken for an empty table.")
    limits: Limits = Limits()

    @field_validator("name")
    @classmethod
    def _a_family(cls, name: str) -> str:
        if name.count("{date}") != 1 or name.count("{number}") != 1:
            raise ValueError("it must hold {date} once and {number} once")
        plain = name.replace("{date}", "").replace("{number}", "")
        if re.search(r"[/\\{}]", plain) or not plain.isprintable() or name.startswith("."):
            raise ValueError("it must be the name of a file, without a folder")
        return name

    @field_validator("suffix")
    @classmethod
    def _of_data(cls, suffix: str | None) -> str | None:
        if suffix in {"ctl", "ok"}:
            raise ValueError("the control files end like this")
        return suffix

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.delimited, self.xml, self.xlsx)) != 1:
            raise ValueError("give one of delimited, xml and xlsx")
        return self

    @property
    def ending(self) -> str:
        """Of the data file, with its dot."""
        by_form = "txt" if self.delimited else "xml" if self.xml else "xlsx"
        return f".{self.suffix or by_form}"


class Read(_Checked):
    """Where the rows are: exactly one of these."""

    sql: Sql | None = None
    files: Files | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.sql is None) == (self.files is None):
            raise ValueError("give either sql or files")
        return self
