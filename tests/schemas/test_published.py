"""The published files: what no build may change, and what every field owes to who reads it.

A hostile message can make a reader of a careless schema run on, or take the process down: such schemas are
not published.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import fastavro
import pytest

from schemas import entry
from schemas.catalogue import KINDS, catalogues
from schemas.codec import Contract, contract
from schemas.files import lock_text, published_files
from schemas.shapes import named_types, shape

NAMES = contract().names()
RECORD_TYPES = [name for name in NAMES if contract()[name].subject]
# What the registry can say of a subject differs by kind and grows with the catalogue; the rest has had a field added.
GROWING = {"tongban.registry.Facts", "tongban.registry.LegalPerson", "tongban.registry.NaturalPerson"}
GROWING |= {"tongban.control.PolicyActivation"}
SENSITIVITIES = {"public", "internal", "personal", "sensitive"}


def document(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(published_files()[name])
    return parsed


def fields(schema: Any) -> Iterator[dict[str, Any]]:
    """Every field of every record in a schema, however deep."""
    for record in (part for part in parts(schema) if isinstance(part, dict) and part["type"] == "record"):
        yield from record["fields"]


def parts(schema: Any) -> Iterator[Any]:
    """A schema and all within it."""
    yield schema
    if isinstance(schema, list):
        inner = schema
    elif isinstance(schema, dict):
        inner = [field["type"] for field in schema.get("fields", [])]
        inner += [schema[word] for word in ("items", "values") if word in schema]
        inner += [schema["type"]] if isinstance(schema["type"], (dict, list)) else []
    else:
        inner = []
    for part in inner:
        yield from parts(part)


def test_the_lock_names_every_file_as_it_is() -> None:
    lock = resources.files("schemas").joinpath("ids.lock").read_text("utf-8")

    assert lock == lock_text(published_files()), "a published file is never edited: publish the next number"


def test_the_lock_names_each_file_by_its_digest_and_an_id_made_of_it() -> None:
    lock = resources.files("schemas").joinpath("ids.lock").read_text("utf-8")
    rows = [line.split() for line in lock.splitlines()]

    assert {name: digest for _, digest, name in rows} == {
        name: hashlib.sha256(content).hexdigest() for name, content in published_files().items()
    }
    assert all(int(schema_id) == int(digest[:8], 16) >> 1 for schema_id, digest, _ in rows)
    assert len({schema_id for schema_id, _, _ in rows}) == len(rows)


def test_two_files_with_one_id_are_not_published() -> None:
    content = published_files()["control/tick-1"]

    with pytest.raises(ValueError, match="share a schema id"):
        Contract({"control/tick-1": content, "control/tick-2": content})


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_readable_by_itself(name: str) -> None:
    assert fastavro.parse_schema(document(name), named_schemas={})


@pytest.mark.parametrize("name", NAMES)
def test_every_field_says_what_it_is_and_how_sensitive(name: str) -> None:
    silent = [field["name"] for field in fields(document(name)) if not field.get("doc", "").strip()]
    unclassified = [field["name"] for field in fields(document(name)) if field.get("sensitivity") not in SENSITIVITIES]

    assert (silent, unclassified) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_every_record_and_enumeration_says_what_it_is(name: str) -> None:
    types = named_types(document(name))
    speaking = {full: type_ for full, type_ in types.items() if type_["type"] in {"record", "enum"}}

    assert [full for full, type_ in speaking.items() if not type_.get("doc")] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_field_left_out_is_null_or_an_empty_list_and_null_stands_first(name: str) -> None:
    for field in fields(document(name)):
        if isinstance(field["type"], list):
            assert field["type"][0] == "null", field["name"]
            assert len(field["type"]) == 2, "a union of more kinds has no place in a table"
        assert field.get("default") in (None, []), field["name"]


@pytest.mark.parametrize("name", NAMES)
def test_a_type_is_called_by_its_full_name(name: str) -> None:
    types = named_types(document(name))
    called = {part for part in parts(document(name)) if isinstance(part, str)}

    assert called - set(types) <= {"null", "boolean", "int", "long", "bytes", "string", "record", "array", "fixed"}


@pytest.mark.parametrize("name", NAMES)
def test_no_type_holds_itself(name: str) -> None:
    types = named_types(document(name))

    def inside(part: Any) -> set[str]:
        return {p for p in parts(part) if isinstance(p, str) and p in types} | {
            full for full, type_ in types.items() for p in parts(part) if p is type_ and p is not part
        }

    reached = {full: inside(type_) for full, type_ in types.items()}
    for _ in types:
        reached = {full: within.union(*(reached[w] for w in within)) for full, within in reached.items()}

    assert [full for full, within in reached.items() if full in within] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_item_of_a_list_takes_no_bytes(name: str) -> None:
    types = named_types(document(name))

    def smallest(type_: Any) -> int:
        if isinstance(type_, str):
            return smallest(types[type_]) if type_ in types else int(type_ != "null")
        if isinstance(type_, list):
            return 1
        if type_["type"] == "record":
            return sum(smallest(field["type"]) for field in type_["fields"])
        return int(type_.get("size", 1))

    arrays = [part for part in parts(document(name)) if isinstance(part, dict) and part["type"] == "array"]

    assert all(smallest(array["items"]) > 0 for array in arrays)


@pytest.mark.parametrize("name", NAMES)
def test_no_value_can_be_written_in_two_ways_or_grow_without_bound(name: str) -> None:
    used = list(parts(document(name)))
    decimals = [part for part in used if isinstance(part, dict) and part.get("logicalType") == "decimal"]

    assert not [part for part in used if part in ("float", "double")], "0.0 and -0.0 are one number"
    assert not [part for part in used if isinstance(part, dict) and part["type"] == "map"], "a map has no order"
    assert {part["type"] for part in decimals} <= {"fixed"}, "a decimal of many bytes takes minutes to read"


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_a_record_begins_with_its_head(name: str) -> None:
    assert document(name)["fields"][0]["name"] == "meta"


def test_all_records_have_the_same_head() -> None:
    heads = [json.dumps(document(name)["fields"][0], ensure_ascii=False) for name in RECORD_TYPES]

    assert len(RECORD_TYPES) > 1
    assert len(set(heads)) == 1


def test_the_head_holds_all_that_a_version_is_told_by() -> None:
    head = [field["name"] for field in document(RECORD_TYPES[0])["fields"][0]["type"]["fields"]]

    assert head == [
        *("source", "record_id", "part", "operation", "epoch", "cycle", "source_token", "moved_to", "row_hash"),
        *("rows", "observed_at", "effective_from", "effective_to", "identifiers"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_is_the_one_the_catalogue_makes(kind: str) -> None:
    newest = contract().newest(f"registry/{kind.replace('_', '-')}")
    made = entry.text(catalogues()[kind])

    assert published_files()[newest].decode() == made, "a changed catalogue is the next number"


def test_the_newest_of_a_family_is_the_one_with_the_highest_number() -> None:
    content = published_files()["control/tick-1"].decode()
    later = {f"control/tick-{n}": content.replace("Tick", f"Tick{n}").encode() for n in (9, 10)}

    assert Contract(published_files() | later).newest("control/tick") == "control/tick-10"


def test_types_of_one_name_are_one_type_in_every_file() -> None:
    seen: dict[str, Any] = {}

    for name in NAMES:
        types = named_types(document(name))
        for full, type_ in types.items():
            seen_here = shape(type_, types)
            next_number = not name.endswith("-1") and full == own_name(document(name))
            assert seen.setdefault(full, seen_here) == seen_here or full in GROWING or next_number, (name, full)


def own_name(schema: dict[str, Any]) -> str:
    """The full name of the type a file publishes: what its next number changes."""
    return f"{schema['namespace']}.{schema['name']}"
