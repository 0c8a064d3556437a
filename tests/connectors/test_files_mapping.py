"""What a source's YAML says of files: what is wrong in it is told like everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from process.errors import SettingsError
from tests.connectors.drops import SQL
from tests.connectors.worlds import TWO_PARTS, source


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (
            "name: 'FR_{date}_{number}'",
            "name: 'FR_{date}'",
            "read.files.name: it must hold {date} once and {number} once",
        ),
        ("name: 'FR_{date}_{number}'", "name: '../{date}{number}'", "it must be the name of a file, without a folder"),
        (
            "PARENT, HAS_PARENT]",
            "PARENT]",
            "records.1.when.column: the list read.files.delimited.columns has no column",
        ),
        ("PARENT, HAS_PARENT]", "PARENT, PARENT]", "a column stands in the list twice"),
        ("separator: '|', ", "separator: '|', header: true, ", "give either header: true or the columns in order"),
        ("separator: '|'", 'separator: "\\r"', "the separator must be printable or a tab"),
        ("delimited: {", "xml: {row: R}, delimited: {", "give one of delimited, xml and xlsx"),
        ("folder: /nowhere", "folder: /nowhere, suffix: ok", "the control files end like this"),
        (
            "folder: /nowhere",
            "folder: /nowhere, encoding: gbk",
            "read.files.encoding must be one of: 'gb18030' or 'utf-8'",
        ),
        ("files: {", "sql: {url: 'sqlite:////x.db', table: t}\n  files: {", "give either sql or files"),
        ("folder: /nowhere", "folder: /nowhere, limits: {rows: 0}", "read.files.limits.rows must be > 0"),
        ('delete: ["0"]}', "}", "read.files.deletions_reported: whether a row is gone cannot be told without flags"),
    ],
)
def test_a_wrong_line_about_files_is_told_too(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    columns = "[ID, CODE, NAME, FLAG, PARENT, HAS_PARENT]"
    files = f"folder: /nowhere, name: 'FR_{{date}}_{{number}}', delimited: {{separator: '|', columns: {columns}}}"
    text = TWO_PARTS.replace(SQL, f"files: {{{files}, deletions_reported: true}}")
    assert was in text
    assert source(text, tmp_path).mapping.read.files
    with pytest.raises(SettingsError) as caught:
        source(text.replace(was, becomes, 1), tmp_path)

    assert said in str(caught.value)
