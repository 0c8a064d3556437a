"""Deriving: what the registry says of a subject, as a pure and total function of its statements.

Nothing that happened on the way can show: no order of arrival, no clock, no batch. Time comes in as `tick`,
the civil day last announced. The winner of an attribute is the first under a strict total order (tier,
effective date, place in the catalogue, row), so it is the same however the claims are brought; the others
stay, as dissent, where what they say is not the same.

Survivorship by named authority, with losers kept: reconciliation of statements after Bleiholder and Naumann,
"Data Fusion" (2008), with authority instead of recency.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from exchange.claims import Word
from schemas.catalogue import Attribute, Catalogue, Member, OnLoss
from schemas.text import NORMALISER, alike

OPEN_END = date.max
Entry = dict[str, Any]


class Derived(NamedTuple):
    """An entry without its content hash, and the first day on which it may change by itself."""

    entry: Entry
    next_change: date | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One member's word on one attribute, with the tier that lets it speak."""

    value: Any
    tier: int
    place: int
    member: int
    word: Word

    @property
    def rank(self) -> tuple[int, int, int, Any]:
        """Smallest first: tier, newest effective date (none is earliest), place in the catalogue, row."""
        effective = self.word.effective_from
        return self.tier, -(effective.toordinal() if effective else 0), self.place, self.word.identity


def derive(subject: str, words: Iterable[Word], catalogue: Catalogue, tick: date) -> Derived:
    """The subject's entry as of `tick`."""
    ordered = sorted(words, key=lambda word: word.identity)
    members = [word for word in ordered if word.live]
    facts = _facts(members, ordered, catalogue, tick)
    entry = {
        "subject": subject,
        "condition": "live" if members else "gone",
        "moving_to": None,
        "facts": facts,
        "relations": [],
        "identifiers": _identifiers(members),
        "conflicts": [
            conflict
            for attribute in catalogue.attributes
            for fact in _listed(attribute, facts[attribute.name])
            for conflict in _conflicts(attribute, fact)
        ],
        "members": [_member(word) for word in members],
        "sources": _newest_by_source(ordered),
    }
    return Derived(entry, _next_change(members, tick))


# --- facts -----------------------------------------------------------------------------------------------------------
def _facts(members: Sequence[Word], words: Sequence[Word], catalogue: Catalogue, tick: date) -> dict[str, Any]:
    chosen = {attribute.name: _ranked(attribute, members, tick) for attribute in catalogue.attributes}
    _keep_groups_together(catalogue, chosen)
    lost = {word.department for word in words if word.lost}
    return {
        a.name: _elements(a, chosen[a.name]) if a.cardinality == "many" else _fact(a, chosen[a.name], members, lost)
        for a in catalogue.attributes
    }


def _ranked(attribute: Attribute, members: Sequence[Word], tick: date) -> list[Claim]:
    """Every eligible claim on the attribute, the winner first."""
    claims = (_claim(attribute, number, word, tick) for number, word in enumerate(members))
    return sorted((claim for claim in claims if claim is not None), key=lambda claim: claim.rank)


def _claim(attribute: Attribute, member: int, word: Word, tick: date) -> Claim | None:
    value = word.claims.get(attribute.name)
    # A list is a history: what has ended, or will only begin, stays in it with its dates.
    if value is None or not (attribute.cardinality == "many" or _in_force(word, tick)):
        return None
    tier = attribute.tier(word.department, word.effective_from)
    if tier is None:
        return None
    return Claim(value, tier, attribute.place(word.department), member, word)


def _in_force(word: Word, tick: date) -> bool:
    begun = word.effective_from is None or word.effective_from <= tick
    return begun and (word.effective_to is None or tick <= word.effective_to)


def _keep_groups_together(catalogue: Catalogue, chosen: dict[str, list[Claim]]) -> None:
    """Attributes of a group come from one record: the one that ranks first for any of them."""
    for group in {a.group for a in catalogue.attributes if a.group}:
        names = [a.name for a in catalogue.attributes if a.group == group]
        firsts = [chosen[name][0] for name in names if chosen[name]]
        if not firsts:
            continue
        leader = min(firsts, key=lambda claim: claim.rank).member
        for name in names:
            if not any(claim.member == leader for claim in chosen[name]):
                chosen[name] = []
            chosen[name].sort(key=lambda claim: (claim.member != leader, claim.rank))


def _elements(attribute: Attribute, claims: list[Claim]) -> list[dict[str, Any]]:
    """A fact for every element that is claimed, in the order of what tells them apart."""
    by_key: dict[tuple[Any, ...], list[Claim]] = {}
    for claim in claims:
        by_key.setdefault(_element(attribute, claim), []).append(claim)
    return [_known(attribute, by_key[key]) for key in sorted(by_key)]


def _element(attribute: Attribute, claim: Claim) -> tuple[Any, ...]:
    if not attribute.key:
        return claim.word.identity
    return tuple(
        _part_class(field, claim.value[field.name]) for field in attribute.fields if field.name in attribute.key
    )


def _listed(attribute: Attribute, facts: Any) -> list[dict[str, Any]]:
    """The facts of an attribute, however many it can have."""
    if attribute.cardinality == "many":
        return list(facts)
    return [] if facts is None else [facts]


def _fact(
    attribute: Attribute, claims: list[Claim], members: Sequence[Word], lost: AbstractSet[str]
) -> dict[str, Any] | None:
    lost_tier = _lost_tier(attribute, claims, lost) if lost else None
    if lost_tier is not None and (not claims or lost_tier < claims[0].tier):
        return _unknown("authority_lost")
    if claims:
        return _known(attribute, claims)
    if any(attribute.name in word.claims and word.claims[attribute.name] is None for word in members):
        return _unknown("blank")
    if any(attribute.name in word.claims for word in members):
        return _unknown("ineligible")
    return None


def _lost_tier(attribute: Attribute, claims: list[Claim], lost: AbstractSet[str]) -> int | None:
    """The best tier whose row vanished at its source, where the catalogue does not let others speak then."""
    if attribute.on_authority_loss is OnLoss.FALL_BACK:
        return None
    silent = lost - {claim.word.department for claim in claims}
    tiers = [tier for tier in (attribute.tier(department, None) for department in silent) if tier is not None]
    return min(tiers, default=None)


def _known(attribute: Attribute, claims: list[Claim]) -> dict[str, Any]:
    winner, others = claims[0], claims[1:]
    dissent = [claim for claim in others if _class(attribute, claim.value) != _class(attribute, winner.value)]
    return {
        "value": winner.value,
        "state": _state(winner, dissent),
        "reason": None,
        "member": winner.member,
        "tier": winner.tier,
        "normaliser": NORMALISER,
        "effective_from": winner.word.effective_from,
        "effective_to": winner.word.effective_to,
        "observed_at": winner.word.observed_at,
        "dissent": [{"value": claim.value, "member": claim.member, "tier": claim.tier} for claim in dissent],
    }


def _state(winner: Claim, dissent: list[Claim]) -> str:
    """Disputed only inside the winner's tier: between tiers, authority has decided."""
    if winner.word.in_question:
        return "in_question"
    return "disputed" if any(claim.tier == winner.tier for claim in dissent) else "known"


def _unknown(reason: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("value", "member", "tier", "effective_from", "effective_to", "observed_at"))
    return {**nothing, "state": "unknown", "reason": reason, "normaliser": NORMALISER, "dissent": []}


def _class(attribute: Attribute, value: Any) -> tuple[Any, ...]:
    """Values of one class say the same."""
    if attribute.type == "record":
        return tuple(_part_class(field, value[field.name]) for field in attribute.fields)
    return _compared(attribute.equal, value)


def _part_class(field: Member, value: Any) -> tuple[str, ...]:
    return () if value is None else _compared(field.equal, value)


def _compared(equal: str | None, value: Any) -> tuple[str, ...]:
    match equal:
        case "code" if value["canonical"]:
            return "canonical", value["canonical"]
        case "code":
            return "raw", value["list"], value["raw"]
        case "text":
            return (alike(value),)
        case _:
            return (str(value),)


# --- what stands beside the facts ------------------------------------------------------------------------------------
def _conflicts(attribute: Attribute, fact: dict[str, Any]) -> list[dict[str, Any]]:
    if not fact["dissent"]:
        return []
    classes = sorted({_class(attribute, value) for value in (fact["value"], *(d["value"] for d in fact["dissent"]))})
    told = ascii((attribute.name, classes)).encode()  # unlike joined text, two sets of classes never read the same
    disputed = any(dissent["tier"] == fact["tier"] for dissent in fact["dissent"])
    return [
        {
            "attribute": attribute.name,
            "id": blake2b(told, digest_size=12).hexdigest(),
            "kind": "dispute" if disputed else "dissent",
            "members": [fact["member"], *(dissent["member"] for dissent in fact["dissent"])],
        }
    ]


def _identifiers(members: Sequence[Word]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for number, word in enumerate(members):
        for scheme, value, verdict in word.identifiers:
            found.setdefault((scheme, value), {"scheme": scheme, "value": value, "verdict": verdict, "member": number})
    return [found[key] for key in sorted(found)]


def _member(word: Word) -> dict[str, Any]:
    return {**word.identity._asdict(), **word.version._asdict(), "in_question": word.in_question}


def _newest_by_source(words: Sequence[Word]) -> list[dict[str, Any]]:
    sources = sorted({word.identity.source for word in words})
    by_source = {source: [word for word in words if word.identity.source == source] for source in sources}
    return [
        {"source": source, **max(w.newest for w in found)._asdict(), "refused": sum(w.newest_refused for w in found)}
        for source, found in by_source.items()
    ]


def _next_change(members: Sequence[Word], tick: date) -> date | None:
    begins = [word.effective_from for word in members if word.effective_from and word.effective_from > tick]
    ends = [word.effective_to for word in members if word.effective_to and tick <= word.effective_to < OPEN_END]
    return min([*begins, *(end + timedelta(days=1) for end in ends)], default=None)
