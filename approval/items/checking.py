"""Checking: whether a predicate could ever be decided, by the attribute catalogue.

Refused are an attribute or a part nobody knows, a comparison that does not fit, a question to a list that is none,
and what none of the accepted departments may state.
"""

from collections.abc import Collection, Iterator, Mapping

from approval.items.predicates import COMPARISONS, FITTING, Comparison, Predicate, Terms, Whose, WhosePredicate
from schemas.catalogue import Attribute, Catalogue

# What a list of paid months is made of.
YEAR, MONTHS = "year", "months"


Known = Mapping[str, Catalogue]
"""The catalogue of each kind of subject."""


def check(
    predicate: Predicate, known: Known, kind: str, kinds: Mapping[str, str], authorities: Collection[str]
) -> None:
    """Raises ValueError where the predicate, about a subject of this kind, could never be decided.

    `kinds` gives the kind of every role of the item, found ones too.
    """
    attribute = attribute_of(known, kind, predicate.attribute)
    _stated_by(attribute, authorities)
    if (attribute.cardinality == "many") != bool(predicate.question):
        hint = "some, none, without_gap or months_on_time" if attribute.cardinality == "many" else "one comparison"
        raise ValueError(f"{attribute.name}: ask {hint} of it")
    _fits(predicate, attribute.name, attribute.type)
    if predicate.same_as is not None and kinds.get(predicate.same_as) != kind:
        raise ValueError(f"{attribute.name}: same_as names no other {kind}: {predicate.same_as}")
    for part, asked in _parts(predicate):
        _fits(asked, f"{attribute.name}.{part}", part_type(attribute, part))
    _check_question(predicate, attribute)
    if predicate.whose is not None:
        _check_whose(predicate.whose, attribute, known, kinds, authorities)


def attribute_of(known: Known, kind: str, name: str) -> Attribute:
    """The attribute of that name; ValueError with the known ones."""
    attributes = {attribute.name: attribute for attribute in known[kind].attributes}
    if name not in attributes:
        raise ValueError(f"the catalogue has no attribute {name}; it has {', '.join(attributes)}")
    return attributes[name]


def knows(known: Known, kind: str, name: str) -> bool:
    """Whether the catalogue has the attribute."""
    return any(attribute.name == name for attribute in known[kind].attributes)


def part_type(attribute: Attribute, part: str) -> str:
    """The type of a part of a record attribute; ValueError with the known ones."""
    types: dict[str, str] = {field.name: field.type for field in attribute.fields}
    if part not in types:
        raise ValueError(f"{attribute.name} has no part {part}; it has {', '.join(types)}")
    return types[part]


def _stated_by(attribute: Attribute, authorities: Collection[str]) -> None:
    if not {authority.department for authority in attribute.authority} & set(authorities):
        raise ValueError(f"none of its authorities has a say on {attribute.name}")


def _fits(asked: Comparison, name: str, type_: str) -> None:
    comparison = asked.comparison
    if type_ not in FITTING.get(comparison, {type_}):
        raise ValueError(f"{COMPARISONS[comparison]} does not fit {name}, which is a {type_}")


def _parts(predicate: Predicate) -> Iterator[tuple[str, Comparison]]:
    goes_on: Terms = predicate.without_gap.goes_on if predicate.without_gap else {}
    for terms in (predicate.of, predicate.some, predicate.none, goes_on):
        yield from (terms or {}).items()


def _check_question(predicate: Predicate, attribute: Attribute) -> None:
    if predicate.without_gap is not None:
        for part in (predicate.without_gap.first, predicate.without_gap.last):
            if part_type(attribute, part) != "date":
                raise ValueError(f"without_gap does not fit {attribute.name}.{part}, which is no date")
    if predicate.months_on_time is not None:
        for part in (YEAR, MONTHS):
            part_type(attribute, part)


def _check_whose(
    whose: Whose, naming: Attribute, known: Known, kinds: Mapping[str, str], authorities: Collection[str]
) -> None:
    part_type(naming, whose.part)
    if whose.role not in kinds:
        raise ValueError(f"{naming.name}: found names no role {whose.role}")
    for asked in whose.all_of:
        _check_named(asked, naming, attribute_of(known, kinds[whose.role], asked.attribute), authorities)


def _check_named(asked: WhosePredicate, naming: Attribute, attribute: Attribute, authorities: Collection[str]) -> None:
    if attribute.cardinality == "many":
        raise ValueError(f"{attribute.name} is a list: whose compares single values")
    _stated_by(attribute, authorities)
    _fits(asked, attribute.name, attribute.type)
    if asked.same_as_part is not None:
        part_type(naming, asked.same_as_part)
