"""The compiled writers and readers never say anything that the reference does not."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import compiled
from schemas.codec import FRAME_BYTES, by_the_reference, contract
from tests.schemas.values import values

CONTRACT = contract()
messages = st.sampled_from(CONTRACT.names()).flatmap(lambda name: st.tuples(st.just(name), values(name)))


def written(name: str, value: Any) -> bytes | None:
    """What the compiled writer makes of a value; None where it gives up."""
    out = bytearray(CONTRACT[name].frame)
    try:
        CONTRACT[name].write(value, out)
    except Exception:  # noqa: BLE001 - giving up has no class of its own
        return None
    return bytes(out)


def read(name: str, value: bytes) -> Any | None:
    """What the compiled reader makes of bytes; None where it gives up or does not reach their end."""
    try:
        content, end = CONTRACT[name].read(value, FRAME_BYTES)
    except Exception:  # noqa: BLE001 - as above
        return None
    return content if end == len(value) else None


def read_by_the_reference(name: str, value: bytes) -> Any:
    stream = io.BytesIO(value)
    stream.seek(FRAME_BYTES)
    return fastavro.schemaless_reader(stream, CONTRACT[name].parsed, None)


@pytest.mark.parametrize("name", CONTRACT.names())
def test_a_plain_value_is_written_and_read_without_the_reference_and_as_it_does(name: str) -> None:
    @given(values(name))
    @settings(max_examples=25)
    def whatever_it_says(value: dict[str, Any]) -> None:
        whole = by_the_reference(CONTRACT[name], value)

        assert written(name, value) == whole
        assert read(name, whole) == read_by_the_reference(name, whole)

    whatever_it_says()


@given(messages, st.data())
def test_changed_bytes_are_read_as_the_reference_would_write_them_or_left_to_it(
    message: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    name, value = message
    whole = bytearray(by_the_reference(CONTRACT[name], value))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(FRAME_BYTES, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    content = read(name, bytes(whole))

    if content is not None:
        assert content == read_by_the_reference(name, bytes(whole))
        assert by_the_reference(CONTRACT[name], content) == bytes(whole)


odd = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.integers(),
    st.floats(),
    st.binary(max_size=17),
    st.booleans(),
    st.just([]),
    st.just({}),
)


@given(messages, st.data())
def test_a_value_that_does_not_fit_is_never_written_otherwise_than_by_the_reference(
    message: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    name, value = message
    place = data.draw(st.sampled_from(sorted(value)))
    value = {**value, place: data.draw(odd)}
    mine = written(name, value)

    if mine is not None:
        assert mine == by_the_reference(CONTRACT[name], value)


@given(st.decimals(allow_nan=True, allow_infinity=True), st.sampled_from([0, 2, 6]))
def test_an_amount_is_written_whole_or_not_at_all(amount: Decimal, scale: int) -> None:
    kind = {"type": "fixed", "name": "A", "size": 16, "logicalType": "decimal", "precision": 28, "scale": scale}
    document = {"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]}
    out = bytearray()
    try:
        compiled.writer(document)({"a": amount}, out)
    except Exception:  # noqa: BLE001 - giving up has no class of its own
        return

    assert compiled.reader(document)(bytes(out), 0) == ({"a": amount}, 16)


def test_a_schema_with_a_union_of_another_shape_is_refused_when_it_is_compiled() -> None:
    document = {"type": "record", "name": "R", "fields": [{"name": "a", "type": ["string", "null"]}]}

    with pytest.raises(compiled.GivenUpError):
        compiled.writer(document)
