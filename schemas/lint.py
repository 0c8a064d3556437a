"""Lint: what is wrong with record types, and with what a site adds to the catalogue, before anything is built on it.

A record type holds what a mapping can fill and a hostile message cannot abuse: the head all records have, then
texts, days, codes and amounts, each nullable, each with a word for people and a label. What it says of a subject
fits the catalogue, and its department is an authority for it. A fault is a code of the message catalogue.
"""

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

import fastavro

from schemas.catalogue import KINDS, Attribute, Catalogue, Extension, Member, catalogues, departments
from schemas.codec import feeds_of
from schemas.entry import TypeNameTakenError, entry_schema
from schemas.files import folder_of, published_files, schema_id
from schemas.shapes import full_name, named_types, shape

Place = tuple[str | int, ...]
Document = dict[str, Any]

LABELS: Final = ("public", "internal", "personal", "sensitive")
# What a field's type is called, and the type of attribute it can speak to; amounts speak to none yet.
WRITES: Final = {"string": "text", "tongban.Code": "code", "date": "date", "tongban.Money": "money"}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*-[1-9][0-9]*")


class Fault(NamedTuple):
    """Something wrong: in which file of a folder, at which place in it; what, as a code, and the words it needs."""

    file: str
    place: Place
    code: str
    fields: Mapping[str, object]


def file_of(name: str) -> str:
    """Where a published file lies in its folder."""
    return f"avro/{name}.avsc"


def shipped_types() -> dict[str, Document]:
    """The record types that are shipped."""
    documents = {name: json.loads(content) for name, content in published_files().items()}
    return {name: document for name, document in documents.items() if document.get("subject")}


# --- files by themselves ---------------------------------------------------------------------------------------------
def faults_of_files(record_types: Mapping[str, bytes], made: Collection[str]) -> Iterator[Fault]:
    """What is wrong with a site's files, whatever the catalogue says; `made` are the registry schemas among them."""
    shipped, types = published_files(), shipped_types()
    for name in sorted(set(made) & set(shipped)):
        yield Fault(file_of(name), (), "schemas.name_taken", {"name": name})
    for name, content in record_types.items():
        same = [each for each, other in record_types.items() if each != name and schema_id(other) == schema_id(content)]
        same += [each for each, other in shipped.items() if schema_id(other) == schema_id(content)]
        kept_back = {folder_of(each) for each in shipped} - {folder_of(each) for each in types}
        if not _NAME.fullmatch(name):
            yield Fault(file_of(name), (), "schemas.file_name", {})
        elif folder_of(name) in kept_back:
            yield Fault(file_of(name), (), "schemas.folder_kept_back", {"folders": ", ".join(sorted(kept_back))})
        elif name in shipped:
            yield Fault(file_of(name), (), "schemas.name_taken", {"name": name})
        elif same:
            yield Fault(file_of(name), (), "schemas.id_taken", {"name": same[0]})
        else:
            yield from _faults_of_content(name, content, types)


def _faults_of_content(name: str, content: bytes, types: Mapping[str, Document]) -> Iterator[Fault]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as exc:
        yield Fault(file_of(name), (), "schemas.no_json", {"reason": exc})
        return
    try:
        fastavro.parse_schema(document, named_schemas={})
    except Exception as exc:  # noqa: BLE001 - whatever fastavro makes of a document that is no schema
        yield Fault(file_of(name), (), "schemas.no_avro", {"reason": f"{type(exc).__name__}: {exc}"})
        return
    yield from faults_of_record_type(name, document, types)


def faults_of_record_type(name: str, document: Any, others: Mapping[str, Document]) -> Iterator[Fault]:
    """What is wrong with the form of a record type; `others` say what the head and shared types look like."""
    file = file_of(name)
    if not isinstance(document, dict) or document["type"] != "record" or document.get("subject") not in KINDS:
        yield Fault(file, (), "schemas.no_subject", {"kinds": ", ".join(KINDS)})
        return
    yield from _undescribed(file, document, ())
    yield from _strange_types(file, document, [other for other in others.values() if other != document])
    heads = {called(other["fields"][0]["type"]) for other in others.values()}
    first, *body = document["fields"] or [{"name": None, "type": "null"}]
    if first["name"] != "meta" or called(first["type"]) not in heads:
        yield Fault(file, ("fields", 0), "schemas.no_head", {})
    for i, field in enumerate(body, 1):
        if not _fillable(field):
            told = {"field": field["name"], "types": ", ".join(WRITES)}
            yield Fault(file, ("fields", i), "schemas.type_unfit", told)


def _undescribed(file: str, schema: Any, place: Place) -> Iterator[Fault]:
    """Every record without a word for people, and every field without one or without its label."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _undescribed(file, branch, place)
    if not isinstance(schema, dict):
        return
    if schema["type"] == "record" and not str(schema.get("doc", "")).strip():
        yield Fault(file, place, "schemas.no_doc", {"field": schema["name"]})
    for i, field in enumerate(schema.get("fields", ())):
        here = (*place, "fields", i)
        if not str(field.get("doc", "")).strip():
            yield Fault(file, here, "schemas.no_doc", {"field": field["name"]})
        if field.get("sensitivity") not in LABELS:
            yield Fault(file, here, "schemas.no_sensitivity", {"field": field["name"]})
        yield from _undescribed(file, field["type"], (*here, "type"))
    yield from _undescribed(file, schema.get("items"), (*place, "items"))


def _strange_types(file: str, document: Document, others: Collection[Document]) -> Iterator[Fault]:
    """Named types that stand for something else in the files there are."""
    known = {full: shape(type_, _shared(other)) for other in others for full, type_ in _shared(other).items()}
    if full_name(document) in {*known, *map(full_name, others)}:
        yield Fault(file, ("name",), "schemas.type_taken", {"type": full_name(document)})
    own = _shared(document)
    for full, type_ in own.items():
        if full in known and shape(type_, own) != known[full]:
            yield Fault(file, ("fields",), "schemas.type_differs", {"type": full})


def _shared(document: Document) -> dict[str, Any]:
    """The named types of a record type that are not itself."""
    return {full: type_ for full, type_ in named_types(document).items() if type_ is not document}


def _fillable(field: Document) -> bool:
    type_ = field["type"]
    nullable = isinstance(type_, list) and len(type_) == 2 and type_[0] == "null"
    return nullable and field.get("default", "none") is None and called(type_) in WRITES


def called(type_: Any) -> str:
    """The type of a field, null left aside, by the name or logical type by which it is known."""
    inner = next((branch for branch in type_ if branch != "null"), "null") if isinstance(type_, list) else type_
    if not isinstance(inner, dict):
        return str(inner)
    return str(inner.get("logicalType") or (full_name(inner) if "name" in inner else inner["type"]))


# --- what a site adds to the catalogue -------------------------------------------------------------------------------
def faults_of_extensions(extensions: Mapping[str, Extension]) -> Iterator[Fault]:
    """Why the extensions cannot be laid over the shipped catalogues."""
    for kind, extension in extensions.items():
        yield from _taken_names(extension, catalogues()[kind])
        yield from _taken_places(extension, catalogues()[kind])


def _taken_names(extension: Extension, catalogue: Catalogue) -> Iterator[Fault]:
    there = list(catalogue.attributes)
    for i, attribute in enumerate(extension.attributes):
        told = {"name": attribute.name}
        place: Place = ("attributes", i, "name")
        if attribute.name in {each.name for each in there}:
            yield Fault(_file(catalogue.kind), place, "schemas.attribute_taken", told)
            continue
        there.append(attribute)
        if clash := _clash(catalogue, there):
            yield Fault(_file(catalogue.kind), place, "schemas.attribute_clashes", {**told, "type": clash})
            there.pop()


def _clash(catalogue: Catalogue, attributes: Collection[Attribute]) -> str | None:
    """The type name of the entry that two attributes would give to different types."""
    try:
        entry_schema(catalogue.model_copy(update={"attributes": tuple(attributes)}))
    except TypeNameTakenError as exc:
        return exc.name
    return None


def _taken_places(extension: Extension, catalogue: Catalogue) -> Iterator[Fault]:
    known = {attribute.name: attribute for attribute in catalogue.attributes}
    for name, authorities in extension.authority.items():
        there = {authority.department for authority in known[name].authority} if name in known else set()
        if name not in known:
            told = {"name": name, "hint": _hint(name, known)}
            yield Fault(_file(catalogue.kind), ("authority", name), "schemas.attribute_unknown", told)
        for i, authority in enumerate(authorities):
            if authority.department in there:
                told = {"name": name, "department": authority.department}
                yield Fault(_file(catalogue.kind), ("authority", name, i), "schemas.authority_taken", told)


def _file(kind: str) -> str:
    return f"catalogue/{kind}.yaml"


# --- what record types say of subjects -------------------------------------------------------------------------------
def faults_of_statements(
    record_types: Mapping[str, bytes], extensions: Mapping[str, Extension], merged: Mapping[str, Catalogue]
) -> Iterator[Fault]:
    """Where a site's record types and the catalogue they are laid over do not fit each other."""
    own = {name: json.loads(content) for name, content in record_types.items()}
    strays = [fault for name, document in own.items() for fault in faults_of_feeds(name, document, merged)]
    if strays:
        yield from strays
        return
    for kind, extension in extensions.items():
        yield from _mute(kind, extension, shipped_types() | own)


def faults_of_feeds(name: str, document: Document, merged: Mapping[str, Catalogue]) -> Iterator[Fault]:
    """Where a record type speaks past the catalogue."""
    kind, department = document["subject"], folder_of(name)
    if department not in departments(merged.values()):
        yield Fault(file_of(name), (), "schemas.department_mute", {"department": department})
    attributes = {attribute.name: attribute for attribute in merged[kind].attributes}
    spoken: dict[str, list[str | None]] = {}
    for i, field in enumerate(document["fields"]):
        for code, told in _strays(field, kind, attributes, spoken) if "feeds" in field else ():
            yield Fault(file_of(name), ("fields", i, "feeds"), code, {"field": field["name"], **told})
    for attribute, parts in spoken.items():
        missing = {part.name for part in attributes[attribute].fields} - set(parts)
        told = {"attribute": attribute, "missing": ", ".join(sorted(missing)), "department": department}
        if missing:
            yield Fault(file_of(name), ("fields",), "schemas.spoken_in_part", told)
        if department not in {authority.department for authority in attributes[attribute].authority}:
            yield Fault(file_of(name), ("fields",), "schemas.no_authority", told)


def _strays(
    field: Document, kind: str, attributes: Mapping[str, Attribute], spoken: dict[str, list[str | None]]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    targets = _targets(kind, attributes)
    target = targets.get(str(field["feeds"]))
    if target is None:
        yield "schemas.feeds_unknown", {"hint": _hint(str(field["feeds"]), targets)}
        return
    feed = feeds_of([field])[0]
    if feed.part in spoken.setdefault(feed.attribute, []):
        yield "schemas.spoken_twice", {"feeds": field["feeds"]}
    spoken[feed.attribute].append(feed.part)
    if WRITES.get(called(field["type"])) != target.type:
        yield "schemas.feeds_misfit", {"feeds": field["feeds"], "type": target.type}
    if LABELS.index(field["sensitivity"]) > LABELS.index(target.sensitivity):
        yield "schemas.feeds_too_open", {"feeds": field["feeds"], "label": target.sensitivity}


def _targets(kind: str, attributes: Mapping[str, Attribute]) -> dict[str, Attribute | Member]:
    """What a field can feed: attributes, and the parts of those that are records."""
    plain = {f"{kind}.{a.name}": a for a in attributes.values() if a.type != "record"}
    return {**plain, **{f"{kind}.{a.name}.{part.name}": part for a in attributes.values() for part in a.fields}}


def _mute(kind: str, extension: Extension, types: Mapping[str, Document]) -> Iterator[Fault]:
    """Authorities a site names although none of their record types speaks to the attribute."""
    of_kind = {name: document for name, document in types.items() if document["subject"] == kind}
    spoken = {(folder_of(n), feed.attribute) for n, each in of_kind.items() for feed in feeds_of(each["fields"])}
    own: list[tuple[Place, str, Any]] = [
        *((("attributes", i, "authority"), a.name, a.authority) for i, a in enumerate(extension.attributes)),
        *((("authority", name), name, authorities) for name, authorities in extension.authority.items()),
    ]
    for place, attribute, authorities in own:
        for i, authority in enumerate(authorities):
            if (authority.department, attribute) not in spoken:
                told = {"department": authority.department, "attribute": f"{kind}.{attribute}"}
                yield Fault(_file(kind), (*place, i), "schemas.authority_mute", told)


def _hint(name: str, known: Collection[str]) -> str:
    return ", ".join(difflib.get_close_matches(name, known, n=3) or sorted(known))
