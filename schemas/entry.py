"""The registry's entry schema, made from the attribute catalogue.

The files it writes are published like every other: the build test keeps them equal to the catalogue, and a
changed catalogue gets the next number.

    python -m schemas.entry legal_person > schemas/avro/registry/legal-person-3.avsc
"""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from schemas.catalogue import KINDS, Attribute, Catalogue, Member, catalogues

Schema = dict[str, Any]

_DATE = {"type": "int", "logicalType": "date"}
_TIME = {"type": "long", "logicalType": "timestamp-millis"}
_RECORD_NAMES = {"legal_person": "LegalPerson", "natural_person": "NaturalPerson"}

FAMILIES: Final = {kind: f"registry/{kind.replace('_', '-')}" for kind in KINDS}
"""The published files of each subject kind's entries, without their number."""

FACTS: Final = "tongban.registry.Facts"
"""The type of an entry that has a field for every attribute."""


def kind_of(name: str) -> str | None:
    """The subject kind whose entries the published file of that name holds, whichever its number; None: of none."""
    family = name.rpartition("-")[0]
    return next((kind for kind, each in FAMILIES.items() if each == family), None)


def entry_schema(catalogue: Catalogue) -> Schema:
    """The Avro schema of an entry: facts typed one field per attribute, and what they rest on."""
    facts = [_fact_field(attribute) for attribute in catalogue.attributes]
    schema = _record(
        f"tongban.registry.{_RECORD_NAMES[catalogue.kind]}",
        "All that the registry says of one subject.",
        [
            _field("subject", "string", "Subject key."),
            _field(
                "condition",
                "string",
                "live; moving: its statements go to another key; gone: no live statement is left.",
            ),
            _optional("moving_to", "string", "While moving: the canonical key they go to."),
            _field("facts", _record(FACTS, "The reconciled value of every attribute.", facts), "Facts."),
            _field("relations", _array(_relation()), "Succession and the like; never an alias."),
            _field("identifiers", _array(_identifier()), "Every identifier a live statement carries."),
            _field("conflicts", _array(_conflict()), "Where comparable claims disagree."),
            _field(
                "members",
                _array(_member()),
                "Every live statement behind this entry; facts name them by their place here.",
            ),
            _field("sources", _array(_newest()), "The newest version of each source, dead ones too."),
            _field(
                "content_hash",
                _fixed("tongban.Hash128", 16, "A BLAKE2b-128 digest."),
                "BLAKE2b-128 of all bytes of this value before it.",
            ),
        ],
    )
    named: Schema = _each_type_once(schema, {})
    return named


class TypeNameTakenError(ValueError):
    """Two attributes would call different types by one name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _each_type_once(part: Any, known: dict[str, Any]) -> Any:
    """The schema with every named type written out where it stands first, and by its name from then on."""
    if isinstance(part, list):
        return [_each_type_once(each, known) for each in part]
    if not isinstance(part, dict):
        return part
    if "namespace" in part:
        full_name = f"{part['namespace']}.{part['name']}"
        if full_name in known:
            if known[full_name] != part:
                raise TypeNameTakenError(full_name)
            return full_name
        known[full_name] = part
    return {word: _each_type_once(inner, known) for word, inner in part.items()}


def _fact_field(attribute: Attribute) -> Schema:
    fact = _fact(attribute)
    many = {"type": _array(fact), "default": []}
    return {
        "name": attribute.name,
        **(many if attribute.cardinality == "many" else {"type": ["null", fact], "default": None}),
        "doc": attribute.doc,
        "sensitivity": attribute.sensitivity,
        "share": attribute.share,
    }


def _fact(attribute: Attribute) -> Schema:
    kind = _camel(attribute.name) if attribute.type == "record" else attribute.type.capitalize()
    value = _value(attribute)
    dissent = _record(
        f"tongban.registry.{kind}Dissent",
        "A comparable claim that says something else.",
        [
            _field("value", value, "What it says.", "personal"),
            _field("member", "int", "Which member says so."),
            _field("tier", "int", "Its tier."),
        ],
    )
    return _record(
        f"tongban.registry.{kind}Fact",
        f"The registry's belief about one {attribute.type} attribute.",
        [
            _optional("value", value, "The value; null when it is unknown.", "personal"),
            _field("state", "string", "known, unknown, disputed or in_question."),
            _optional("reason", "string", "Why it is unknown: authority_lost, blank or ineligible."),
            _optional("member", "int", "Which member's word it is."),
            _optional("tier", "int", "The tier it was taken from."),
            _field("normaliser", "string", "Version of the rules by which values were compared."),
            _optional("effective_from", _DATE, "From when it holds in the world."),
            _optional("effective_to", _DATE, "Until when; 9999-12-31 is a stated open end."),
            _optional("observed_at", _TIME, "When the member's version was seen at the source."),
            _field("dissent", _array(dissent), "Who says something else, and what."),
        ],
    )


def _value(attribute: Attribute) -> Any:
    if attribute.type != "record":
        return _plain(attribute.type)
    return _record(f"tongban.registry.{_camel(attribute.name)}", attribute.doc, _members(attribute.fields))


def _members(fields: Sequence[Member]) -> list[Schema]:
    return [_optional(field.name, _plain(field.type), field.doc, field.sensitivity) for field in fields]


def _plain(type_: str) -> Any:
    return {"text": "string", "date": _DATE, "code": _code()}[type_]


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _code() -> Schema:
    return _record(
        "tongban.Code",
        "A coded value as the department wrote it and as the product understands it.",
        [
            _field("raw", "string", "The department's own code.", "public"),
            _optional(
                "canonical",
                "string",
                "The canonical code; null when the code list does not know the raw one.",
                "public",
            ),
            _field("list", "string", "The versioned code list that translated it.", "public"),
        ],
    )


def _relation() -> Schema:
    return _record(
        "tongban.registry.Relation",
        "A relation to another subject.",
        [
            _field("kind", "string", "For example succeeded_by."),
            _field("subject", "string", "Subject key of the other."),
            _optional("effective_from", _DATE, "From when it holds."),
            _field("member", "int", "Which member says so."),
        ],
    )


def _identifier() -> Schema:
    return _record(
        "tongban.registry.Identifier",
        "An identifier a live statement carries.",
        [
            _field("scheme", "string", "Which kind of number."),
            _field("value", "string", "Canonical form; a person's number as keyed pseudonym.", "personal"),
            _field("verdict", "string", "What its check says."),
            _field("member", "int", "Which member carries it."),
        ],
    )


def _conflict() -> Schema:
    return _record(
        "tongban.registry.Conflict",
        "Comparable claims that disagree.",
        [
            _field("attribute", "string", "The attribute."),
            _field("id", "string", "Stays the same while the same values stand against each other."),
            _field("kind", "string", "dissent: a lower tier differs; dispute: the winner's own tier differs."),
            _field("members", _array("int"), "The members that speak, the winner first."),
        ],
    )


def _member() -> Schema:
    return _record(
        "tongban.registry.Member",
        "One live statement behind the entry.",
        [
            _field("source", "string", "Its source."),
            _field("record_id", "string", "The department's row.", "personal"),
            _field("part", "string", "The part of the row."),
            _field("epoch", "int", "Epoch of its version."),
            _field("cycle", "long", "Cycle of its version."),
            _field("in_question", "boolean", "Whether a newer version of it was refused."),
        ],
    )


def _newest() -> Schema:
    return _record(
        "tongban.registry.Newest",
        "The newest version of any statement of one source about this subject.",
        [
            _field("source", "string", "The source."),
            _field("epoch", "int", "Its epoch."),
            _field("cycle", "long", "Its cycle."),
            _field("refused", "int", "Statements of the source whose newest version is refused."),
        ],
    )


def _record(full_name: str, doc: str, fields: list[Schema]) -> Schema:
    namespace, name = full_name.rsplit(".", 1)
    return {"type": "record", "name": name, "namespace": namespace, "doc": doc, "fields": fields}


def _fixed(full_name: str, size: int, doc: str) -> Schema:
    namespace, name = full_name.rsplit(".", 1)
    return {"type": "fixed", "name": name, "namespace": namespace, "size": size, "doc": doc}


def _array(items: Any) -> Schema:
    return {"type": "array", "items": items}


def _field(name: str, type_: Any, doc: str, sensitivity: str = "internal") -> Schema:
    return {"name": name, "type": type_, "doc": doc, "sensitivity": sensitivity}


def _optional(name: str, type_: Any, doc: str, sensitivity: str = "internal") -> Schema:
    return {"name": name, "type": ["null", type_], "default": None, "doc": doc, "sensitivity": sensitivity}


def text(catalogue: Catalogue) -> str:
    """The file's content."""
    return json.dumps(entry_schema(catalogue), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text(catalogues()[sys.argv[1]]))
