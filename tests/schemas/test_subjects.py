"""The grammar of subject keys, by vectors that anyone can compute anew, and what it promises for every number."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas.identifiers import (
    Checked,
    credit_code,
    organisation_code,
    registration_number,
    resident_number,
    tax_number,
)
from schemas.subjects import HASHES, DistrictKey, legal_subjects, partition, person_subject, row_subject
from tests.schemas import numbers

VECTORS: dict[str, Any] = json.loads(Path(schemas.__file__).with_name("subject-key-vectors.json").read_text("utf-8"))
KEY = DistrictKey(bytes.fromhex(VECTORS["key"]), VECTORS["letter"])
PUBLISHED_BY_KAFKA = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}
NON_NEGATIVE = 1 << 31
ANY_TEXT = st.text(max_size=12)


def checked(number: dict[str, str]) -> Checked:
    if number["kind"] == "tax_number":
        return tax_number(number["text"], VECTORS["divisions"])
    kinds = {
        "credit_code": credit_code,
        "organisation_code": organisation_code,
        "registration_number": registration_number,
    }
    return kinds[number["kind"]](number["text"])


@pytest.mark.parametrize("vector", VECTORS["pseudonyms"], ids=lambda v: f"{v['function']} {v['scheme']}")
def test_a_pseudonym_is_the_one_published(vector: dict[str, str]) -> None:
    key = DistrictKey(bytes.fromhex(VECTORS["key"]), VECTORS["letter"], vector["function"])
    digest = hmac.digest(key.secret, bytes.fromhex(vector["message"]), HASHES[vector["function"]])

    assert vector["pseudonym"] == key.letter + base64.b32encode(digest).decode()[:26]
    assert key.pseudonym(vector["scheme"], vector["number"]) == vector["pseudonym"]


@pytest.mark.parametrize("vector", VECTORS["legal"], ids=lambda v: v["why"])
def test_a_row_belongs_to_the_published_subjects(vector: dict[str, Any]) -> None:
    row = [checked(number) for number in vector["numbers"]]

    assert legal_subjects(row, KEY) == vector["subjects"]
    assert legal_subjects(reversed(row), KEY) == vector["subjects"]


@pytest.mark.parametrize("vector", VECTORS["persons"], ids=lambda v: v["number"])
def test_a_person_has_the_published_subject(vector: dict[str, str]) -> None:
    assert person_subject(resident_number(vector["number"]), KEY) == vector["subject"]


@pytest.mark.parametrize("vector", VECTORS["rows"], ids=lambda v: v["record_id"])
def test_a_row_without_a_number_has_the_published_subject(vector: dict[str, str]) -> None:
    assert row_subject(vector["source"], vector["record_id"], KEY) == vector["subject"]


@pytest.mark.parametrize("vector", VECTORS["partitions"], ids=lambda v: v["key"])
def test_a_subject_lies_in_the_published_partition(vector: dict[str, Any]) -> None:
    assert partition(vector["key"], 12) == vector["of_12"]
    assert partition(vector["key"], NON_NEGATIVE) == vector["murmur2"] % NON_NEGATIVE


@pytest.mark.parametrize(("key", "hashed"), PUBLISHED_BY_KAFKA.items())
def test_a_stock_client_looks_for_a_subject_in_the_same_partition(key: str, hashed: int) -> None:
    assert partition(key, NON_NEGATIVE) == hashed & 0x7FFFFFFF


@given(ANY_TEXT, st.integers(1, 64))
def test_every_subject_has_a_partition(subject: str, partitions: int) -> None:
    assert 0 <= partition(subject, partitions) < partitions


@given(numbers.resident_numbers)
def test_fifteen_and_eighteen_digits_of_one_person_stay_two_keys(number: str) -> None:
    new, old = resident_number(number), resident_number(number[:6] + number[8:17])

    assert person_subject(new, KEY) != person_subject(old, KEY)


@given(st.tuples(ANY_TEXT, ANY_TEXT), st.tuples(ANY_TEXT, ANY_TEXT))
def test_two_different_pairs_never_share_a_pseudonym(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (KEY.pseudonym(*one) == KEY.pseudonym(*other)) == (one == other)


@given(st.text(min_size=2, max_size=12), st.data())
def test_where_one_part_ends_and_the_next_begins_is_part_of_the_key(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(text)))

    assert KEY.pseudonym(text[:at], text[at:]) != KEY.pseudonym(text[: at - 1], text[at - 1 :])


@given(st.binary(min_size=32, max_size=32), numbers.resident_numbers, st.sampled_from(["HMAC-SHA256", "HMAC-SM3"]))
def test_a_key_shows_nothing_of_the_number_or_of_the_secret(secret: bytes, number: str, function: str) -> None:
    key = DistrictKey(secret, "B", function)

    subject = person_subject(resident_number(number), key)

    assert subject.startswith("person:B")
    assert len(subject) == len("person:") + 27
    assert number not in subject
    assert number[6:14] not in subject
    assert secret.hex() not in repr(key) + key.fingerprint


@given(st.lists(numbers.resident_numbers.map(lambda n: n + "00"), min_size=1, max_size=3))
def test_a_persons_tax_number_stands_in_no_key(typed: list[str]) -> None:
    subjects = legal_subjects([tax_number(number) for number in typed], KEY)

    assert len(subjects) == len(set(typed))
    assert not any(number[6:14] in subject for number in typed for subject in subjects)


@given(numbers.resident_numbers, numbers.resident_numbers)
def test_a_number_in_the_wrong_column_is_in_no_key_in_clear(one: str, other: str) -> None:
    subjects = legal_subjects([registration_number(one), tax_number(other), credit_code(one)], KEY)

    assert not any(number in subject for number in (one, other) for subject in subjects)


def test_another_function_or_key_or_letter_gives_another_name_and_fingerprints_tell_keys_apart() -> None:
    secret, other = bytes(32), bytes([1]) * 32
    keys = [DistrictKey(secret), DistrictKey(other), DistrictKey(secret, "B"), DistrictKey(secret, "A", "HMAC-SM3")]

    assert len({key.pseudonym("resident_number", "11010519491231002X") for key in keys}) == len(keys)
    assert DistrictKey(secret).fingerprint != DistrictKey(other).fingerprint
    assert DistrictKey(secret).fingerprint == DistrictKey(secret, "B").fingerprint
