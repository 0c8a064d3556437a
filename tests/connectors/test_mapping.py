"""A source's YAML: what is wrong in it is told with file, line, field and the way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.mapping import columns_of
from connectors.shipped import files, find
from process.errors import SettingsError
from tests.connectors.worlds import MARKET, TAX, TWO_PARTS, shipped, source

GROUPED = Path("connectors/departments/social_security/contribution_year.yaml").read_text("utf-8")
RELATION = Path("connectors/departments/social_security/insurance_relation.yaml").read_text("utf-8")


@pytest.mark.parametrize("file", [MARKET, TAX], ids=lambda file: file.parent.name)
def test_what_a_company_is_told_by_is_read_and_no_persons_number(file: Path) -> None:
    assert not {"CERNO", "FDDBRSFZJHM"} & set(shipped(file).mapping.columns())


@pytest.mark.parametrize("file", files(None).values(), ids=files(None))
def test_every_column_that_is_named_anywhere_is_read_once(file: Path) -> None:
    mapping = shipped(file).mapping
    named = set(re.findall(r"(?:column|due|flag|paid_in): ([^,}\s]+)", file.read_text("utf-8")))
    columns = mapping.columns()

    assert named <= set(columns)
    assert len(columns) == len(set(columns))
    assert {column for _, column in columns_of(mapping)} == set(columns)


def test_every_shipped_source_is_found_by_its_name() -> None:
    assert find("local_tax.taxpayer", None) == files(None)["local_tax.taxpayer"] == find("local_tax/taxpayer", None)


def test_a_misspelt_source_is_told_with_the_right_name() -> None:
    with pytest.raises(SettingsError, match=re.escape("Known sources: local_tax.taxpayer.")):
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


@pytest.mark.parametrize(
    ("was", "becomes", "field", "said"),
    [
        ("scheme: social_security_number", "scheme: social_person", "key.0.scheme", "social_person names no natural"),
        (
            "scheme: social_security_number",
            "scheme: credit_code",
            "key.0.scheme",
            "credit_code names no natural_person",
        ),
        ("group: true\n", "", "fields.months.months", "Write group: true, and AAE003 under record_id.columns"),
        (", years: [AAE003]", "", "fields.months.months", "taken from the rows of one year"),
        ("years: [AAE003]", "years: [AAE079]", "record_id", "years are among the columns"),
        ("year: {column: AAE003, take: year}", "year: {take: year}", "fields.year", "one of column, subject, months"),
        ("take: year", "take: day", "fields.year.take", "must be one of: 'year' or 'month'"),
        ("codes: kind", "codes: kind, take: year", "fields.kind.take", "belongs to a field of kind text"),
        ("take: year", "take: year, open_end: true", "fields.year.open_end", "belongs to a field of kind date"),
        ("due: AAE003, ", "", "fields.months.months.due", "is missing"),
        (
            "scheme: social_person,",
            "scheme: social_person, scheme_of: {column: X, values: {a: passport}},",
            "also.0",
            "give either scheme or scheme_of",
        ),
        (
            "scheme: social_person,",
            "scheme_of: {column: X, values: {a: passprt}},",
            "also.0.scheme_of.values.a",
            "must be one of: credit_code, foreigner_card",
        ),
    ],
)
def test_what_makes_no_sense_of_people_and_groups_is_told_with_its_field(
    tmp_path: Path, was: str, becomes: str, field: str, said: str
) -> None:
    assert was in GROUPED
    with pytest.raises(SettingsError) as caught:
        source(GROUPED.replace(was, becomes, 1), tmp_path)

    assert field in str(caught.value)
    assert said in str(caught.value)


def test_a_reference_that_can_name_nobody_is_told_with_its_field(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"fields\.unit\.subject\.numbers\.0\.scheme.*names no natural_person"):
        source(RELATION.replace("kind: legal_person", "kind: natural_person", 1), tmp_path)


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
