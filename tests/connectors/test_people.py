"""People in rows: whom a number names, by which document, and what moves when a row is of somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.columns import Row
from connectors.mapper import Mapped, Mapper
from schemas.identifiers import BAD_FORM, check
from tests.connectors.departments import CASES, SOURCES
from tests.connectors.people import CARDS, PEOPLE
from tests.connectors.worlds import CODES, KEY, SUBJECTS, World, mapper_of, source

TWO_NUMBERS = """
source: public_security.pair
department: public_security
read:
  sql: {url: "sqlite:////nowhere.db", table: pairs}
nulls: ["-"]
record_id: {columns: [ID]}
records:
  - type: public_security/resident-1
    subject: natural_person
    key:
      - {scheme: resident_number, column: OLD}
      - {scheme: resident_number, column: NEW}
    also: [{scheme: residence_permit, column: PERMIT}]
    fields:
      name: {column: NAME}
"""
# Neither part tells of the other's subject.
APART = """
source: market_supervision.office
department: market_supervision
read:
  sql: {url: "sqlite:////nowhere.db", table: offices}
record_id: {columns: [PERSONID]}
records:
  - type: market_supervision/key_person-1
    subject: legal_person
    key: [{scheme: credit_code, column: UNISCID}]
    fields:
      name: {column: NAME}
  - part: person
    type: market_supervision/key_person_role-1
    subject: natural_person
    key: [{scheme: resident_number, column: CERNO}]
    fields:
      company_name: {column: ENTNAME}
"""
COMPANY, SOMEBODY = "legal:org:XXDEM0015", ("resident_number", "350299198005170113")
KEY_PERSON: Row = CASES[[case.source for case in CASES].index("market_supervision.key_person")].rows[0]
key_persons = mapper_of(SOURCES["market_supervision.key_person"])


def person(scheme: str, number: str) -> str:
    return "person:" + KEY.pseudonym(scheme, number)


def subjects(mapped: Mapped) -> list[str]:
    return [record.target.subject for record in mapped.records]


def schemes(mapped: Mapped, part: str = "") -> list[str]:
    (record,) = (each for each in mapped.records if each.target.part == part)
    return [each["scheme"] for each in record.value["meta"]["identifiers"]]


@pytest.mark.parametrize(("document", "named"), [*PEOPLE.items(), *CARDS.items()])
def test_a_person_is_named_by_the_number_of_the_document_the_row_says_it_is(
    document: str, named: tuple[str, str]
) -> None:
    mapped = key_persons.map({**KEY_PERSON, "CERTYPE": document, "CERNO": f" {named[1].lower()} "})

    assert subjects(mapped) == [COMPANY, person(*named)]
    assert schemes(mapped, "person") == [named[0]]


@pytest.mark.parametrize("document", [None, "", "90", "身份证"])
def test_a_number_of_an_unknown_document_names_nobody_and_is_told_as_left_out(document: str | None) -> None:
    mapped = key_persons.map({**KEY_PERSON, "CERTYPE": document})

    assert subjects(mapped)[1].startswith("row:market_supervision.key_person:")
    assert schemes(mapped, "person") == []
    assert mapped.defects == ("identifiers",)


def test_a_foreign_passport_is_carried_and_names_nobody_for_two_states_may_give_one_number() -> None:
    mapped = key_persons.map({**KEY_PERSON, "CERTYPE": "20", "CERNO": "999999AB"})

    assert subjects(mapped)[1].startswith("row:")
    assert schemes(mapped, "person") == ["passport"]
    assert mapped.records[0].value["person"] is None


def test_a_row_that_names_neither_is_two_subjects_all_the_same() -> None:
    mapped = key_persons.map({**KEY_PERSON, "UNISCID": None, "REGNO": None, "CERNO": None})

    assert [subject[:4] for subject in subjects(mapped)] == ["row:", "row:"]
    assert len(set(subjects(mapped))) == 2
    assert mapped.records[1].value["company"] is None


def pair(mapper: Mapper, old: str, new: str, permit: str = "-") -> Mapped:
    return mapper.map({"ID": "p1", "OLD": old, "NEW": new, "PERMIT": permit, "NAME": "示例甲"})


@pytest.fixture
def pairs(tmp_path: Path) -> Mapper:
    return mapper_of(source(TWO_NUMBERS, tmp_path))


def test_15_and_18_digits_in_one_row_are_keyed_by_the_18_and_both_travel(pairs: Mapper) -> None:
    mapped = pair(pairs, "350299800517011", "350299198005170113")

    assert subjects(mapped) == [person("resident_number", "350299198005170113")]
    assert schemes(mapped) == ["resident_number_15", "resident_number"]


def test_15_digits_alone_are_keyed_as_they_are(pairs: Mapper) -> None:
    assert subjects(pair(pairs, "350299800517011", "-")) == [person("resident_number_15", "350299800517011")]


def test_two_numbers_of_18_digits_are_two_people_and_refused_under_both(pairs: Mapper) -> None:
    mapped = pair(pairs, "350299198005170113", "350299198505170224")

    assert mapped.refusal
    assert mapped.refusal.reason == "subject_ambiguous"
    assert sorted(target.subject for target in mapped.refusal.readable) == sorted(
        [person("resident_number", "350299198005170113"), person("resident_number", "350299198505170224")]
    )


def test_a_citizens_number_printed_on_a_permit_travels_and_names_nobody(pairs: Mapper) -> None:
    mapped = pair(pairs, "-", "350299198005170113", permit="350299198505170224")

    assert subjects(mapped) == [person("resident_number", "350299198005170113")]
    assert len(schemes(mapped)) == 2
    assert subjects(pair(pairs, "-", "-", permit="350299198505170224"))[0].startswith("row:")


def test_a_number_with_a_wrong_check_is_carried_and_names_nobody(pairs: Mapper) -> None:
    mapped = pair(pairs, "-", "350299198005170114")

    assert subjects(mapped)[0].startswith("row:")
    assert schemes(mapped) == ["resident_number"]


# --- parts that move -------------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(SOURCES["market_supervision.key_person"], tmp_path / "store")
    yield made
    made.stop()


def sent(world: World, cycle: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Heads of what a cycle sent, by part and operation."""
    heads = [content["meta"] for _, content in world.kafka.records(world.dept) if "meta" in content]
    found = [head for head in heads if head["cycle"] == cycle]
    assert len({(head["part"], head["operation"]) for head in found}) == len(found)
    return {(head["part"], head["operation"]): head for head in found}


def changed(world: World, **cells: str | None) -> dict[tuple[str, str], dict[str, Any]]:
    """What is sent when cells of a row change."""
    world.rows.rows = [KEY_PERSON]
    world.cycle()
    world.rows.rows = [{**KEY_PERSON, **cells}]
    transactions = len(world.kafka.commits)
    world.cycle()
    with_records = [keys for keys in world.kafka.commits[transactions:] if any(_is_record(key) for key in keys)]

    assert len(with_records) <= 1
    return sent(world, 2)


def _is_record(key: bytes) -> bool:
    return key.startswith((b"legal:", b"person:", b"row:"))


def test_an_office_that_somebody_else_holds_moves_in_one_transaction(world: World) -> None:
    other = person("passport", "D99999903")
    heads = changed(world, CERTYPE="20", CERNO="D99999903")

    # The company's part says who holds the office, so it changed too, and stays where it is.
    assert set(heads) == {("person", "DELETE"), ("person", "UPSERT"), ("", "UPSERT")}
    assert heads["person", "DELETE"]["moved_to"] == other
    assert [heads[key]["rows"] for key in (("", "UPSERT"), ("person", "UPSERT"), ("person", "DELETE"))] == [1, 0, 0]
    assert {(subject, part) for subject, _, part in world.statements()} == {(COMPANY, ""), (other, "person")}


def test_an_office_in_another_company_leaves_the_persons_part_with_the_person(world: World) -> None:
    heads = changed(world, UNISCID=CODES[0], REGNO=None)

    assert set(heads) == {("", "DELETE"), ("", "UPSERT"), ("person", "UPSERT")}
    assert heads["", "DELETE"]["moved_to"] == SUBJECTS[0]
    assert {(subject, part) for subject, _, part in world.statements()} == {
        (SUBJECTS[0], ""),
        (person(*SOMEBODY), "person"),
    }


@pytest.mark.parametrize(
    ("cells", "parts"),
    [({"POSITION": "监事"}, {""}), ({"ENTNAME": "示例鲜达食品（样本）有限公司"}, {"person"}), ({"NAME": None}, {""})],
)
def test_a_part_whose_content_did_not_change_is_not_sent_again(
    world: World, cells: Mapping[str, str | None], parts: set[str]
) -> None:
    assert {part for part, _ in changed(world, **cells)} == parts


def test_a_part_that_moves_alone_leaves_the_other_unsent(tmp_path: Path) -> None:
    world = World(source(APART, tmp_path), tmp_path / "store")
    heads = changed(world, CERNO="350299198505170224")
    counted = {part: rows for (_, _, part), (_, _, rows) in world.statements().items()}
    world.stop()

    assert set(heads) == {("person", "DELETE"), ("person", "UPSERT")}
    assert counted == {"": 1, "person": 0}


@pytest.mark.parametrize(("scheme", "number"), [*PEOPLE.values(), *CARDS.values()])
def test_the_numbers_of_these_tests_are_right_and_a_persons(scheme: str, number: str) -> None:
    found = check(scheme, number)

    assert found.personal
    assert found.verdict != BAD_FORM
