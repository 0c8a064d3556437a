"""Grants: what of an evaluation a caller may see, by the labels the attribute catalogue carries.

What is labelled above the grant is taken out of the evaluation before anything is worded, so there is nothing left
to be forgotten later. The verdict stays: it is what the item was written to tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from approval.evaluation import Evaluation
from approval.evidence import KNOWN, Evidence, Fact
from approval.verdicts import Decision, Finding, Reason
from schemas.catalogue import Catalogue


class Sensitivity(StrEnum):
    """How careful one has to be with a field; a grant of one label reaches those before it, too."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"

    def reaches(self, label: "Sensitivity") -> bool:
        """Whether a grant of this much reaches a field so labelled."""
        order = list(Sensitivity)
        return order.index(label) <= order.index(self)


Labels = Mapping[str, Sensitivity]

# Of an entry and its facts all that is no value; a test holds the registry's schema to it.
PROVENANCE: Final = Sensitivity.INTERNAL

WITHHELD: Final = "withheld"


def labels(catalogue: Catalogue) -> Labels:
    """The label of every attribute; of a part of one whose values are records under `attribute.part`."""
    whole = {each.name: Sensitivity(each.sensitivity) for each in catalogue.attributes}
    parts = {
        f"{each.name}.{part.name}": Sensitivity(part.sensitivity)
        for each in catalogue.attributes
        for part in each.fields
    }
    return whole | parts


def granted(evaluation: Evaluation, grant: Sensitivity, kinds: Mapping[str, Labels]) -> Evaluation:
    """The evaluation without what is labelled above the grant; `kinds` gives the labels of each kind of subject."""
    sights = {role: _Sight(grant, kinds[kind]) for role, kind in evaluation.item.subjects.items()}
    decisions = [sights[each.material.subject].decision(each) for each in evaluation.decisions]
    return replace(
        evaluation,
        item=evaluation.item.model_copy(update={"materials": tuple(each.material for each in decisions)}),
        subjects={role: sights[role].evidence(each) for role, each in evaluation.subjects.items()},
        decisions=tuple(decisions),
    )


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a grant shows of one kind of subject."""

    grant: Sensitivity
    labels: Labels

    def evidence(self, evidence: Evidence) -> Evidence:
        shown = [fact for name, fact in evidence.facts.items() if self._shows(name)]
        if self._provenance:
            return replace(evidence, facts={fact.attribute: self._fact(fact) for fact in shown})
        # Of what is not known the state would have to be told, and that is none of the caller's business.
        known = {fact.attribute: replace(self._fact(fact), state=KNOWN) for fact in shown if fact.state == KNOWN}
        return Evidence(evidence.kind, None, WITHHELD, known)

    def decision(self, decision: Decision) -> Decision:
        told = [each for each in decision.findings if each.reason == decision.reason]
        # What no finding decided rests on the item's own words.
        tells = not decision.findings or any(self._tells(each.attribute) for each in told)
        shown = filter(self._shows, decision.material.discloses)
        return replace(
            decision,
            material=decision.material.model_copy(update={"discloses": tuple(shown)}),
            reason=decision.reason if tells else Reason(WITHHELD),
            findings=tuple(self._finding(each) for each in decision.findings),
            as_of=decision.as_of if self._provenance else None,
        )

    def _finding(self, finding: Finding) -> Finding:
        name, fact = finding.attribute, finding.fact
        if not self._shows(name):
            return Finding(finding.verdict, Reason(WITHHELD), name, Fact(name, None, state=WITHHELD))
        if not self._provenance:
            return Finding(finding.verdict, Reason(WITHHELD), name, self._fact(fact or Fact(name, None)))
        reason = finding.reason if self._tells(name) else Reason(WITHHELD)
        return replace(finding, reason=reason, fact=None if fact is None else self._fact(fact))

    def _fact(self, fact: Fact) -> Fact:
        """A fact of an attribute that is shown, without what of it is not."""
        value = self._value(fact.attribute, fact.value)
        if not self._provenance:
            return Fact(fact.attribute, value, state=WITHHELD, raw=fact.raw)
        dissent = tuple(replace(each, value=self._value(fact.attribute, each.value)) for each in fact.dissent)
        return replace(fact, value=value, dissent=dissent)

    def _value(self, name: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {part: each for part, each in value.items() if self._shows(f"{name}.{part}")}

    def _shows(self, name: str) -> bool:
        """Whether an attribute, or a part of one, is shown; what has no label is not."""
        return name in self.labels and self.grant.reaches(self.labels[name])

    def _tells(self, name: str) -> bool:
        """Whether a sentence about the attribute is shown: it may tell of provenance, and of any part."""
        parts = [part for part in self.labels if part.startswith(f"{name}.")]
        return self._provenance and all(self._shows(each) for each in (name, *parts))

    @property
    def _provenance(self) -> bool:
        return self.grant.reaches(PROVENANCE)
