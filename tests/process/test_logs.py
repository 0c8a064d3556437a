"""Log lines: what may stand in them, and what never does."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from process import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    logs.configure(io.StringIO())


def test_a_line_is_json_with_its_time_in_utc(lines: io.StringIO) -> None:
    logs.log("cycle.closed", source="market_supervision.enterprise", cycle=7, seconds=0.25, topics=["a", "b"])

    line = json.loads(lines.getvalue())
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {
        "level": "info",
        "event": "cycle.closed",
        "source": "market_supervision.enterprise",
        "cycle": 7,
        "seconds": 0.25,
        "topics": ["a", "b"],
    }


def test_the_level_says_who_should_look(lines: io.StringIO) -> None:
    logs.warn("source.down", attempt=3)
    logs.error("audit.broken", partition=4)

    assert [json.loads(line)["level"] for line in lines.getvalue().splitlines()] == ["warning", "error"]


def test_a_field_that_is_not_in_the_list_is_refused(lines: io.StringIO) -> None:
    with pytest.raises(ValueError, match="not in the list of fields: name, row"):
        logs.log("row.refused", row={}, name="Acme")

    assert lines.getvalue() == ""


def test_an_event_is_a_fixed_name_and_no_sentence(lines: io.StringIO) -> None:
    with pytest.raises(ValueError, match="refused 3 rows"):
        logs.log("refused 3 rows")


@pytest.mark.parametrize(
    "planted",
    [
        "350299198001010019",
        "35029919800101001X",
        "350299 19800101 0019",
        "350299-19800101-0019",
        "350299800101001",
        "３５０２９９１９８００１０１００１９",
        "91350299MA0000000A",
        "91350299ma0000000a",
        "９１３５０２９９ＭＡ０００００００Ａ",
        "350299100000017",
    ],
)
@given(before=st.text(max_size=5), after=st.text(max_size=5))
def test_what_looks_like_a_persons_or_a_companys_number_is_masked(planted: str, before: str, after: str) -> None:
    shown = logs.masked(before + planted + after)

    assert planted not in shown
    assert "****" in shown


def test_a_number_is_masked_as_text_is_and_inside_lists_too(lines: io.StringIO) -> None:
    logs.log("row.refused", count=350299198001010019, fields=["350299800101001"])

    line = json.loads(lines.getvalue())
    assert (line["count"], line["fields"]) == ("****", ["****"])


@pytest.mark.parametrize("harmless", ["1764000000000", "2026-11-23T22:58:29.123Z", "legal:org:MA0000000", "offset 12"])
def test_times_offsets_and_organisation_keys_stay_readable(harmless: str) -> None:
    assert logs.masked(harmless) == harmless


def test_what_a_library_warns_about_comes_out_as_a_line_without_its_traceback(lines: io.StringIO) -> None:
    try:
        raise ValueError("a value")  # noqa: TRY301 - as a library would
    except ValueError:
        logging.getLogger("some.library").warning("dead: %s", "350299800101001", exc_info=True)
    logging.getLogger("some.library").info("chatter")

    line = json.loads(lines.getvalue())
    assert (line["event"], line["library"], line["reason"], line["error"]) == (
        "library.said",
        "some.library",
        "dead: ****",
        "ValueError",
    )
    assert "a value" not in lines.getvalue()
