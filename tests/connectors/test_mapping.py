"""A source's YAML: what is wrong in it is told with file, line, field and the way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.shipped import files, find
from process.errors import SettingsError
from tests.connectors.worlds import MARKET, TAX, TWO_PARTS, shipped, source

SHIPPED = [MARKET, TAX]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_a_shipped_source_makes_sense_and_reads_no_column_of_a_persons_number(file: Path) -> None:
    columns = shipped(file).mapping.columns()

    assert not {"CERNO", "FDDBRSFZJHM"} & set(columns)
    assert len(columns) == len(set(columns))


def test_every_shipped_source_is_found_by_its_name() -> None:
    assert find("local_tax.taxpayer", None) == files(None)["local_tax.taxpayer"] == find("local_tax/taxpayer", None)


def test_a_misspelt_source_is_told_with_the_right_name() -> None:
    with pytest.raises(SettingsError, match=re.escape("Known sources: local_tax.taxpayer")):
        find("local_tax.taxpayr", None)


def test_a_sites_own_source_is_found_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "housing").mkdir()
    (tmp_path / "housing" / "permit.yaml").write_text("source: housing.permit\n")

    assert find("housing.permit", tmp_path) == tmp_path / "housing" / "permit.yaml"


@pytest.mark.parametrize(
    ("was", "becomes", "line", "said"),
    [
        ("column: FLAG, upsert", "colum: FLAG, upsert", 7, "there is no setting operation.colum. Was column meant"),
        ("record_id: {columns: [ID]}", "record_id: {columns: []}", 6, "record_id.columns"),
        ('end: ["9"]', 'end: ["1"]', 7, "a flag stands in two of the lists"),
        ("name: {column: NAME}", "nam: {column: NAME}", 13, "records.0.fields.nam: the record type"),
        (
            "enterprise-1\n    subject",
            "enterprise-2\n    subject",
            9,
            "no such record type. Known: market_supervision/ent",
        ),
        ("name: {column: NAME}", "status: {column: NAME}", 13, "needs one of the lists under code_lists"),
        (
            "name: {column: NAME}",
            "name: {column: NAME, unit: 元}",
            13,
            "belongs to a field of kind money; this field is of kind text",
        ),
        ("name: {column: NAME}", "registered_capital: {column: NAME}", 13, "an amount needs its unit"),
        ("part: parent", "part: ''", 14, "another part has this name"),
        ("subject: legal_person\n    key", "subject: natural_person\n    key", 10, "is about a legal_person"),
        ("scheme: credit_code, column: CODE", "scheme: credit, column: CODE", 11, "must be one of"),
        ('nulls: ["-"]', "nulls: [1]", 5, "nulls.0 must be text"),
        ('nulls: ["-"]', "timezone: Asia/Atlantis", 5, "no such time zone"),
        ("sqlite:////nowhere.db", "${HOUSING_URL}", 4, "asks for the environment variable HOUSING_URL"),
        ("source: market_supervision.branch", "source: housing.branch", 1, "source must begin with market_supervision"),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_field(
    tmp_path: Path, was: str, becomes: str, line: int, said: str
) -> None:
    text = TWO_PARTS.lstrip("\n")
    assert was in text
    with pytest.raises(SettingsError) as caught:
        source(text.replace(was, becomes, 1), tmp_path)

    assert said in str(caught.value)
    assert f"source.yaml:{line}" in str(caught.value)


def test_a_changed_meaning_changes_the_fingerprint_and_a_changed_address_does_not(tmp_path: Path) -> None:
    one = source(TWO_PARTS, tmp_path).fingerprint
    elsewhere = source(TWO_PARTS.replace("nowhere", "somewhere"), tmp_path).fingerprint
    other = source(TWO_PARTS.replace("scope: {column: NAME}", "address: {column: NAME}"), tmp_path).fingerprint

    assert one == elsewhere
    assert one != other


def test_a_source_never_shows_the_password_of_its_database(tmp_path: Path) -> None:
    found = source(TWO_PARTS.replace("sqlite:////nowhere.db", "postgresql://u:geheim@h/d"), tmp_path)

    assert "geheim" not in repr(found)
    assert "geheim" not in found.mapping.model_dump_json()
