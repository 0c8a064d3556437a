"""Every department found: its sources make sense, are wholly mapped, and read real-shaped rows as they are meant."""

from __future__ import annotations

from collections import Counter

import pytest

from connectors.fields import kinds_of
from connectors.mapping import Source
from schemas.codec import contract
from schemas.installed import shipped
from schemas.topics import all_topics, dept
from tests.connectors.departments import CASES, ROWS, SOURCES, Case, fields_of, told
from tests.connectors.worlds import mapper_of

EVERY = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_real_shaped_row_comes_to_what_it_means(case: Case) -> None:
    mapped = mapper_of(SOURCES[case.source]).map_all(case.rows)

    assert told(mapped) == {name: said for name, said in case.said.items() if name != "record_id"}
    assert mapped.record_id == case.said.get("record_id", mapped.record_id)
    for record in mapped.records:
        name, read = contract().decode(contract().encode(record.target.type, record.value))

        assert (name, {**read, "meta": None}) == (record.target.type, {**record.value, "meta": None})


@EVERY
def test_every_field_of_its_record_types_is_mapped_and_read_in_some_row(source: Source) -> None:
    mapper = mapper_of(source)
    records = [r for case in CASES if case.source == source.name for r in mapper.map_all(case.rows).records]
    for part in source.mapping.records:
        read = {name for record in records if record.target.type == part.type for name in fields_of(record)}

        assert read == set(part.fields) == set(kinds_of(contract(), part.type))


@EVERY
def test_a_code_travels_as_it_was_written_with_the_list_that_translated_it(source: Source) -> None:
    lists = {codes.version for codes in source.mapping.code_lists.values()}
    mapper = mapper_of(source)
    for case in (each for each in CASES if each.source == source.name):
        cells = {str(cell).strip() for row in case.rows for cell in row.values()}
        for record in mapper.map_all(case.rows).records:
            codes = [value for value in fields_of(record).values() if isinstance(value, dict) and "list" in value]

            assert {code["raw"] for code in codes} <= cells
            assert {code["list"] for code in codes} <= lists


def test_every_record_type_has_a_source_and_every_source_its_rows() -> None:
    made = Counter(part.type for source in SOURCES.values() for part in source.mapping.records)
    types = [name for name in contract().names() if contract()[name].subject]

    assert sorted(made.elements()) == types
    assert {file.stem for file in ROWS.iterdir()} == set(SOURCES)


def test_every_department_that_is_an_authority_has_sources_and_its_topics() -> None:
    names = {topic.name for topic in all_topics("t.", 3, shipped().departments)}

    assert {source.department for source in SOURCES.values()} == set(shipped().departments)
    assert {dept("t.", source.department) for source in SOURCES.values()} <= names
