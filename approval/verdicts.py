"""Verdicts: what is concluded of a material, what follows, and how several findings make one (Kleene's logic)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from approval.evidence import Fact
from approval.items import Material


class Verdict(StrEnum):
    """What can be said of a material."""

    PROVED = "proved"
    ABSENT = "absent_as_of"
    DISPROVED = "disproved"
    STALE = "stale"
    SOURCE_BEHIND = "source_behind"
    DISPUTED = "disputed"
    IN_QUESTION = "in_question"
    NOT_SHARED = "not_shared"
    IDENTITY_UNCLEAR = "identity_unclear"

    @property
    def follow(self) -> "Follow":
        """What the clerk does now."""
        return _FOLLOWS[self]


class Follow(StrEnum):
    """What follows for the applicant."""

    WAIVE = "waive"
    ASK_PAPER = "ask_paper"
    ASK_CLERK = "ask_clerk"
    WAIT = "wait"


_FOLLOWS = {
    Verdict.PROVED: Follow.WAIVE,
    Verdict.ABSENT: Follow.ASK_PAPER,
    Verdict.DISPROVED: Follow.ASK_CLERK,  # never "bring the paper": it would say what the registry denies
    Verdict.STALE: Follow.WAIT,
    Verdict.SOURCE_BEHIND: Follow.WAIT,
    Verdict.DISPUTED: Follow.ASK_CLERK,
    Verdict.IN_QUESTION: Follow.ASK_CLERK,
    Verdict.NOT_SHARED: Follow.ASK_PAPER,
    Verdict.IDENTITY_UNCLEAR: Follow.ASK_PAPER,
}

# Of several things unknown, which is said: first what waiting cannot heal, a person's look before a paper.
_GRAVEST_FIRST = (
    Verdict.IDENTITY_UNCLEAR,
    Verdict.DISPUTED,
    Verdict.IN_QUESTION,
    Verdict.ABSENT,
    Verdict.NOT_SHARED,
    Verdict.SOURCE_BEHIND,
    Verdict.STALE,
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code and what fills its text.

    `tells` names what the fields disclose, as `discloses` of a material does; where that is not to be shown, the text
    `<code>_undisclosed` stands in, which has none of them but attribute and department.
    """

    code: str
    fields: Mapping[str, object] = field(default_factory=dict)
    tells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one predicate comes to; `as_of` is up to when what it rests on is confirmed.

    `fact` is what an attribute with one value says, `elements` are those of a list it rests on. `role` says whose
    they are, `subject` the key of one that another's fact named. `wanted`: that one has to be looked up first.
    """

    verdict: Verdict
    reason: Reason
    attribute: str
    fact: Fact | None = None
    as_of: datetime | None = None
    role: str = ""
    subject: str | None = None
    elements: tuple[Fact, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    wanted: bool = False

    @property
    def truth(self) -> bool | None:
        """True, False, or None: unknown."""
        return {Verdict.PROVED: True, Verdict.DISPROVED: False}.get(self.verdict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one material, and the findings of the alternative that decided it."""

    material: Material
    verdict: Verdict
    reason: Reason
    findings: tuple[Finding, ...] = ()
    as_of: datetime | None = None

    @property
    def wanted(self) -> frozenset[tuple[str, str]]:
        """Roles and keys of subjects that have to be looked up before this is a decision."""
        return frozenset((each.role, each.subject) for each in self.findings if each.wanted and each.subject)


def all_of(findings: Sequence[Finding]) -> Finding:
    """The finding that speaks for all: one that denies beats one that does not know, and that beats one that proves."""
    denied = [finding for finding in findings if finding.truth is False]
    unknown = sorted((f for f in findings if f.truth is None), key=lambda f: _GRAVEST_FIRST.index(f.verdict))
    return next(iter([*denied, *unknown, *sorted(findings, key=_oldest_first)]))


def any_of(alternatives: Sequence[Sequence[Finding]]) -> Sequence[Finding]:
    """The alternative that speaks for the requirement: one that proves; else the one that is nearest to a waiver."""
    return min(alternatives, key=_distance)


def gravest(findings: Sequence[Finding]) -> Finding:
    """Of findings that do not know, the one that is said."""
    return min(findings, key=lambda finding: _GRAVEST_FIRST.index(finding.verdict))


def _distance(findings: Sequence[Finding]) -> int:
    """How far an alternative is from a waiver: proved, then the mildest unknown, denied last."""
    spokesman = all_of(findings)
    if spokesman.truth is None:
        return len(_GRAVEST_FIRST) - _GRAVEST_FIRST.index(spokesman.verdict)
    return 0 if spokesman.truth else len(_GRAVEST_FIRST) + 1


def _oldest_first(finding: Finding) -> float:
    return float("-inf") if finding.as_of is None else finding.as_of.timestamp()
