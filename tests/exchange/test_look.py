"""Looking in from outside: how a source stands, and which subject an identifier names."""

from __future__ import annotations

import pytest

from exchange import look
from process.errors import SettingsError
from schemas import topics
from schemas.codec import contract
from schemas.subjects import DistrictKey
from schemas.topics import all_topics
from tests.exchange.histories import SUBJECTS
from tests.exchange.log import Log
from tests.exchange.memory import PREFIX, Exchange
from tests.exchange.publishing import SNAPSHOT, TYPES, Department, record
from tests.schemas.numbers import credit_code, organisation_code, registration_number, resident_number
from transport.client import NewTopic, Outgoing

MARKET = "market_supervision"
KEY = DistrictKey(bytes(range(32)))
ORGANISATION = organisation_code("XX000001")


def status(*batches: list[Outgoing]) -> look.SourceStatus:
    """How the only source stands once these were taken."""
    exchange, log = Exchange(), Log()
    log.admin().create_topics([NewTopic(t.name, t.partitions) for t in all_topics(PREFIX, 3, [*TYPES])])
    for batch in batches:
        exchange.take(batch)
        state = [Outgoing(topics.state(PREFIX), *place, value) for place, value in exchange.state()]
        log.write(state)
    return look.status(log, PREFIX, contract())[0]


def rows(market: Department) -> list[Outgoing]:
    return market.outgoing(record(MARKET, subject, subject[-1:], name="甲") for subject in SUBJECTS)


def test_a_source_is_balanced_when_every_partition_counts_the_rows_it_had() -> None:
    market = Department(MARKET, PREFIX, 3)

    found = status(rows(market), market.watermarks(1, rows_at_source=3))

    assert (found.live, found.missing, found.extra, found.behind) == (3, 0, 0, 0)
    assert found.balanced
    assert found.complete_until == found.present_until == SNAPSHOT


def test_rows_that_never_came_are_missing_and_rows_that_are_too_many_extra() -> None:
    market = Department(MARKET, PREFIX, 3)

    few, many = (status(rows(market), market.watermarks(1, rows_at_source=count)) for count in (5, 1))

    assert (few.missing, few.extra, few.balanced) == (2, 0, False)
    assert (many.missing, many.extra, many.balanced) == (0, 2, False)


def test_a_source_is_neither_balanced_nor_complete_before_every_partition_has_its_watermark() -> None:
    market = Department(MARKET, PREFIX, 3)

    found = status(rows(market), market.watermarks(1, rows_at_source=3)[1:])

    assert (found.partitions, found.behind) == (2, 1)
    assert (found.balanced, found.complete_until) == (False, None)


def test_a_source_is_not_balanced_while_a_partition_is_a_cycle_behind() -> None:
    market = Department(MARKET, PREFIX, 3)
    first = rows(market)

    found = status(first, market.watermarks(1, rows_at_source=3), market.watermarks(2, rows_at_source=3)[:2])

    assert (found.cycle, found.behind, found.balanced) == (2, 1, False)


def test_a_cycle_of_an_earlier_epoch_with_the_same_number_is_behind() -> None:
    market = Department(MARKET, PREFIX, 3)

    found = status(market.watermarks(4), market.watermarks(4, epoch=2)[:1])

    assert (found.partitions, found.behind) == (1, 2)


@pytest.mark.parametrize(
    "identifier",
    [
        credit_code("91", ORGANISATION),
        ORGANISATION,
        credit_code("91", ORGANISATION).lower(),
        f"{ORGANISATION[:8]}-{ORGANISATION[8:]}",
        "350200" + ORGANISATION,
        f"legal:org:{ORGANISATION}",
    ],
)
def test_every_number_of_a_company_names_its_one_subject(identifier: str) -> None:
    assert f"legal:org:{ORGANISATION}" in look.subjects_of(identifier, KEY, ())


def test_a_registration_number_names_a_subject_by_itself() -> None:
    number = registration_number("00000001")

    assert f"legal:reg:{number}" in look.subjects_of(number, KEY, ())


def test_a_persons_number_names_a_pseudonym_and_never_itself() -> None:
    number = resident_number("19900101", "001")

    found = look.subjects_of(number, KEY, ())

    assert {subject.rsplit(":", 1)[0] for subject in found} <= {"person", "legal:tax"}
    assert number not in str(found)


@pytest.mark.parametrize("identifier", ["", "甲公司", "12345", "9" * 40])
def test_what_is_no_identifier_is_refused_without_repeating_it(identifier: str) -> None:
    with pytest.raises(SettingsError, match="no identifier that can be looked up") as refused:
        look.subjects_of(identifier, KEY, ())
    assert not identifier or identifier not in str(refused.value)
