"""No number of a person stands where it must not, whatever source it comes from and whatever becomes of its row."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from connectors.columns import Row
from connectors.fields import Number
from connectors.mapper import Mapped
from connectors.mapping import Source
from schemas.identifiers import SCHEMES, check
from tests.connectors.departments import CASES, SOURCES
from tests.connectors.people import CARDS, PEOPLE
from tests.connectors.worlds import UNMAPPED, World, mapper_of

PERSONAL = ["350299800517011", *(number for _, number in (*PEOPLE.values(), *CARDS.values()))]
# Of a company's number, or a source's own, only these can be told to be a person's.
CITIZENS = [number for number in PERSONAL if check("resident_number", number).verdict == "OK"]
EVERY = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def numbers_of(source: Source) -> list[Number]:
    """Every number that the source's YAML names, of whomever."""
    parts = source.mapping.records
    told = [field.subject.numbers for part in parts for field in part.fields.values() if field.subject]
    return [number for part in parts for number in part.numbers] + [number for each in told for number in each]


def may_stand_in(source: Source) -> dict[str, list[str]]:
    """Columns with numbers or of the row's key, and the numbers of persons that may stand there."""
    plain = {f.column for part in source.mapping.records for f in part.fields.values() if f.column and not f.number}
    key = source.mapping.record_id
    columns = {number.column: PERSONAL if _is_a_persons(number) else CITIZENS for number in numbers_of(source)}
    columns |= dict.fromkeys(key.columns, PERSONAL if key.personal else CITIZENS)
    return {column: numbers for column, numbers in columns.items() if column not in plain}


def _is_a_persons(number: Number) -> bool:
    return all(SCHEMES[scheme].personal for scheme in number.schemes)


def rows_of(source: Source) -> list[Row]:
    return [row for case in CASES if case.source == source.name for row in case.rows]


def spellings(number: str) -> list[str]:
    return [number, number.lower(), f" {number}", f"{number[:6]} {number[6:]}"]


def outside(mapped: Mapped) -> str:
    """All that leaves of what rows came to, but the refused row itself."""
    refusal = mapped.refusal
    why = (refusal.reason, refusal.fields, refusal.readable, refusal.fallback) if refusal else ()
    return repr((mapped.record_id, mapped.records, mapped.defects, why))


@EVERY
@given(data=st.data())
def test_no_number_of_a_person_is_in_what_a_row_comes_to(source: Source, data: st.DataObject) -> None:
    mapper = mapper_of(source)
    row = dict(data.draw(st.sampled_from(rows_of(source))))
    columns = may_stand_in(source)
    for column in data.draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, unique=True)):
        row[column] = data.draw(st.sampled_from(columns[column]).flatmap(lambda n: st.sampled_from(spellings(n))))

    assert not [number for number in PERSONAL if number in outside(mapper.map(row))]


@pytest.mark.parametrize("number", [form.format(number) for number in CITIZENS for form in ("{}00", "L{}", "L{}01")])
def test_no_number_of_a_person_is_in_what_a_taxpayers_number_comes_to(number: str) -> None:
    for source in SOURCES.values():
        columns = [each.column for each in numbers_of(source) if "tax_number" in each.schemes]
        for row in rows_of(source) if columns else []:
            told = outside(mapper_of(source).map({**row, **dict.fromkeys(columns, number)}))

            assert not [each for each in CITIZENS if each in told]


def planted(source: Source) -> list[Row]:
    """The source's rows, and one for every number of a person in every column where one may stand."""
    rows = rows_of(source)
    first, name = rows[0], source.mapping.record_id.columns[0]
    more = [(column, number) for column, numbers in may_stand_in(source).items() for number in numbers]
    return [*rows, *({**first, name: f"示例{at}", column: number} for at, (column, number) in enumerate(more))]


def names_in(source: Source) -> list[str]:
    """What the rows call people."""
    told = {"NAME", "FDDBRXM", "fddbrxm", "czrkxm", "xm", "AAC003"}
    return [str(cell) for row in rows_of(source) for column, cell in row.items() if column in told and cell]


@EVERY
def test_no_number_of_a_person_stands_in_a_key_header_log_metric_or_reason(
    source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, rows = World(source, tmp_path / "store"), planted(source)
    spoilt = source.mapping.operation.column if source.mapping.operation else source.mapping.record_id.columns[0]
    refused: list[Row] = [{**row, spoilt: UNMAPPED + str(row[spoilt])} for row in rows]
    for table in (rows, refused, []):
        world.rows.rows = table
        assert world.cycle()
    metrics = generate_latest(world.metrics.registry).decode()
    world.stop()
    messages = [message for log in world.kafka.logs.values() for message in log]
    quarantined = [content for _, content in world.kafka.records(f"t.quarantine.{source.department}")]
    told = repr([(message.key, message.headers) for message in messages])
    told += repr([{name: each for name, each in content.items() if name != "body"} for content in quarantined])
    told += metrics + "".join(capsys.readouterr())
    bodies = [message.value or b"" for message in messages if "quarantine" not in message.topic]
    planted_here = [number for number in PERSONAL if any(number == row.get(c) for row in rows for c in row)]

    assert quarantined
    assert "fuse.held" in told
    assert planted_here
    assert not [secret for secret in (*planted_here, *names_in(source)) if secret in told]
    assert not [number for number in planted_here if any(number.encode() in body for body in bodies)]
