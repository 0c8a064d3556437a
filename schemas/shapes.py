"""Shapes: Avro types by what they hold, whatever they say about it to people.

Two types of one shape are read and written alike, so a value of the one is a value of the other.
"""

from collections.abc import Mapping
from typing import Any

_FOR_PEOPLE = {"doc", "namespace", "sensitivity", "share", "feeds", "default"}


def full_name(type_: dict[str, Any], namespace: str = "") -> str:
    """What a named type is called from anywhere."""
    return f"{type_.get('namespace', namespace)}.{type_['name']}"


def named_types(schema: Any, namespace: str = "") -> dict[str, Any]:
    """Every named type of a schema by full name, as Avro resolves them."""
    if isinstance(schema, list):
        return {name: type_ for branch in schema for name, type_ in named_types(branch, namespace).items()}
    if not isinstance(schema, dict):
        return {}
    inside = schema.get("namespace", namespace)
    found = {full_name(schema, namespace): schema} if "name" in schema else {}
    for inner in [*(field["type"] for field in schema.get("fields", ())), schema.get("items"), schema.get("values")]:
        found |= named_types(inner, inside)
    return found


def shape(type_: Any, types: Mapping[str, Any], inside: frozenset[str] = frozenset()) -> Any:
    """A type with every name in it replaced by what it names (`types`), and without words for people.

    A type that holds itself keeps its name there.
    """
    if isinstance(type_, str):
        known = type_ in types and type_ not in inside
        return shape(types[type_], types, inside | {type_}) if known else type_
    if isinstance(type_, list):
        return [shape(branch, types, inside) for branch in type_]
    bare = {word: value for word, value in type_.items() if word not in _FOR_PEOPLE}
    if "fields" in bare:
        bare["fields"] = [(field["name"], shape(field["type"], types, inside)) for field in bare["fields"]]
    if "items" in bare:
        bare["items"] = shape(bare["items"], types, inside)
    return bare
