"""Evidence: all that is known of one subject at one moment, as plain values a decision can rest on.

Made from a registry entry and from the watermarks of the subject's partition; it remembers nothing of Kafka
or of the view it came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

KNOWN: Final = "known"
UNKNOWN: Final = "unknown"
DISPUTED: Final = "disputed"
IN_QUESTION: Final = "in_question"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded part of a list's element; `canonical` is None where the code list does not know what was written."""

    canonical: str | None
    raw: str


Part = str | date | Code | None
Value = str | date | Mapping[str, Part] | None


@dataclass(frozen=True, slots=True)
class Dissent:
    """A comparable claim that says something else."""

    source: str
    value: Value


@dataclass(frozen=True, slots=True)
class Fact:
    """The registry's belief about one attribute, or about one element of a list.

    A code by its canonical form, None where the code list has none; an element by its parts.
    """

    attribute: str
    value: Value
    state: str = KNOWN
    reason: str | None = None
    raw: str | None = None
    source: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    observed_at: datetime | None = None
    dissent: tuple[Dissent, ...] = ()

    @property
    def department(self) -> str | None:
        """Whose word it is."""
        return None if self.source is None else department(self.source)

    @property
    def parts(self) -> Mapping[str, Part]:
        """The parts of an element; of anything else none."""
        return self.value if isinstance(self.value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version any record of one source about the subject had, and how many of its records are refused."""

    epoch: int
    cycle: int
    refused: int


@dataclass(frozen=True, slots=True)
class Watermark:
    """What a closed cycle of one source lets a reader of this partition conclude."""

    source: str
    epoch: int
    cycle: int
    snapshot_at: datetime
    alias_epoch: int = 0
    complete_until: datetime | None = None
    complete_cycle: int | None = None
    present_until: datetime | None = None
    identity_until: datetime | None = None
    refused_unreadable: int = 0
    held: int = 0
    broken_since: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One subject as a decision sees it: `facts` by attribute, `lists` of them where an attribute has many.

    `unclear` says why it cannot be told who this is, None: it can. `apart`: another subject carries one of its
    numbers, and nobody has joined or parted the two; what is not on record here may be on record there.
    """

    kind: str
    subject: str | None
    condition: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    lists: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    newest: Mapping[str, Newest] = field(default_factory=dict)
    watermarks: Mapping[str, Watermark] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    caught_up: bool = True
    unclear: str | None = None
    apart: bool = False


NONE: Final = "none"  # the condition of a subject without an entry


def department(source: str) -> str:
    """The department that owns a source."""
    return source.split(".", 1)[0]


def facts_of(entry: Mapping[str, Any]) -> Mapping[str, Fact]:
    """The facts a registry entry states of attributes with one value; those nobody speaks of are left out."""
    members = entry["members"]
    stated = ((name, fact) for name, fact in entry["facts"].items() if isinstance(fact, Mapping))
    return MappingProxyType({name: _fact(name, fact, members) for name, fact in stated})


def lists_of(entry: Mapping[str, Any]) -> Mapping[str, tuple[Fact, ...]]:
    """The elements a registry entry states of attributes with many; past and coming ones too."""
    members = entry["members"]
    stated = ((name, facts) for name, facts in entry["facts"].items() if isinstance(facts, list) and facts)
    return MappingProxyType({name: tuple(_fact(name, fact, members) for fact in facts) for name, facts in stated})


def _fact(name: str, fact: Mapping[str, Any], members: list[Mapping[str, Any]]) -> Fact:
    value, raw = _value(fact["value"])
    return Fact(
        attribute=name,
        value=value,
        raw=raw,
        state=fact["state"],
        reason=fact["reason"],
        source=None if fact["member"] is None else members[fact["member"]]["source"],
        effective_from=fact["effective_from"],
        effective_to=fact["effective_to"],
        observed_at=fact["observed_at"],
        dissent=tuple(_dissent(each, members) for each in fact["dissent"]),
    )


def _dissent(dissent: Mapping[str, Any], members: list[Mapping[str, Any]]) -> Dissent:
    value, raw = _value(dissent["value"])
    return Dissent(members[dissent["member"]]["source"], raw if value is None else value)


def _value(value: Any) -> tuple[Value, str | None]:
    if not isinstance(value, Mapping):
        return value, None
    if _is_code(value):
        return value["canonical"], value["raw"]
    return MappingProxyType({name: _part(part) for name, part in value.items()}), None


def _part(part: Any) -> Part:
    return Code(part["canonical"], part["raw"]) if isinstance(part, Mapping) else part


def _is_code(value: Mapping[str, Any]) -> bool:
    # A record's value may have a part called like one of a code's, never all three and nothing else.
    return set(value) == {"raw", "canonical", "list"}


def newest_of(entry: Mapping[str, Any]) -> Mapping[str, Newest]:
    """How far each source has spoken of the subject, dead records too."""
    return MappingProxyType({n["source"]: Newest(n["epoch"], n["cycle"], n["refused"]) for n in entry["sources"]})


def watermark_of(value: Mapping[str, Any]) -> Watermark:
    """A decoded registry watermark."""
    return Watermark(**{name: value[name] for name in Watermark.__dataclass_fields__})


def unclear_by_aliases(subject_epoch: int, here: Iterable[Watermark], there: Iterable[Watermark] | None) -> str | None:
    """Why the subject's identity cannot be relied on yet, None when it can.

    Every source must have keyed by the identities the subject was last published under; where an alias was
    followed (`there`: the watermarks of the alias's own partition), both partitions must tell of the same ones.
    """
    epochs = {watermark.source: watermark.alias_epoch for watermark in here}
    if any(epoch < subject_epoch for epoch in epochs.values()):
        return "aliases_behind"
    if there is not None and {watermark.source: watermark.alias_epoch for watermark in there} != epochs:
        return "aliases_apart"
    return None
