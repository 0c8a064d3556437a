"""Grants: what of an evaluation a caller may see, by the labels the attribute catalogue carries.

What is labelled above the grant is taken out of the evaluation before anything is worded, so there is nothing left
to be forgotten later. The verdict stays: it is what the item was written to tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from approval.evaluation import Evaluation
from approval.evidence import KNOWN, Evidence, Fact, Value
from approval.items import COUNT, Item, Material, Named
from approval.items.checking import MONTHS
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
    sights: dict[str, _Sight] = {kind: _Sight(grant, kinds[kind]) for kind in evaluation.item.kinds.values()}
    item = _cut(evaluation.item, sights)
    materials = {material.id: material for material in item.materials}
    others = {subject: sights[each.kind].evidence(each) for subject, each in evaluation.others.items()}
    return replace(
        evaluation,
        item=item,
        subjects={role: sights[each.kind].evidence(each) for role, each in evaluation.subjects.items()},
        # Their keys are provenance: of whom a fact speaks.
        others=others if grant.reaches(PROVENANCE) else {},
        decisions=tuple(_decision(each, materials[each.material.id], item, sights) for each in evaluation.decisions),
    )


def _cut(item: Item, sights: Mapping[str, "_Sight"]) -> Item:
    """The item disclosing no more than the grant allows."""
    materials = []
    for material in item.materials:
        named = [item.named(material, name) for name in material.discloses]
        shown = [each for name in named for each in sights[name.kind].shown(name)]
        discloses = tuple(material.name_of(name.role, name.attribute, name.part) for name in shown)
        materials.append(material.model_copy(update={"discloses": discloses}))
    return item.model_copy(update={"materials": tuple(materials)})


def _decision(decision: Decision, material: Material, item: Item, sights: Mapping[str, "_Sight"]) -> Decision:
    findings = [(sights[item.kinds[each.role]], each) for each in decision.findings]
    told = [sight.tells(each.attribute) for sight, each in findings if each.reason == decision.reason]
    return replace(
        decision,
        material=material,
        # What no finding decided rests on the item's own words.
        reason=decision.reason if not findings or any(told) else Reason(WITHHELD),
        findings=tuple(sight.finding(each) for sight, each in findings),
        as_of=decision.as_of if all(sight.provenance for sight, _ in findings) else None,
    )


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a grant shows of one kind of subject."""

    grant: Sensitivity
    labels: Labels

    def shown(self, name: Named) -> list[Named]:
        """What is left of a name in `discloses`: of a list that is not shown whole, the parts that are."""
        if not self._shows(name.attribute):
            return []
        parts = self._parts(name.attribute)
        if name.part is None:
            shown = [part for part in parts if self._shows(f"{name.attribute}.{part}")]
            return [name] if shown == parts else [name._replace(part=part) for part in sorted(shown)]
        part = MONTHS if name.part == COUNT else name.part
        return [name] if self._shows(f"{name.attribute}.{part}") else []

    def evidence(self, evidence: Evidence) -> Evidence:
        shown = [fact for name, fact in evidence.facts.items() if self._shows(name)]
        lists = {name: tuple(map(self._fact, each)) for name, each in evidence.lists.items() if self._shows(name)}
        if self.provenance:
            return replace(evidence, facts={fact.attribute: self._fact(fact) for fact in shown}, lists=lists)
        # Of what is not known the state would have to be told, and that is none of the caller's business.
        known = {fact.attribute: replace(self._fact(fact), state=KNOWN) for fact in shown if fact.state == KNOWN}
        return Evidence(evidence.kind, None, WITHHELD, known)

    def finding(self, finding: Finding) -> Finding:
        name, fact = finding.attribute, finding.fact
        if not self._shows(name):
            hidden = Fact(name, None, state=WITHHELD)
            return replace(
                finding, reason=Reason(WITHHELD), fact=hidden, as_of=None, subject=None, elements=(), counts={}
            )
        elements = tuple(map(self._fact, finding.elements))
        if not self.provenance:
            hidden = self._fact(fact or Fact(name, None))
            return replace(finding, reason=Reason(WITHHELD), fact=hidden, as_of=None, subject=None, elements=elements)
        reason = finding.reason if self.tells(name) else Reason(WITHHELD)
        return replace(finding, reason=reason, fact=None if fact is None else self._fact(fact), elements=elements)

    def tells(self, name: str) -> bool:
        """Whether a sentence about the attribute is shown: it may tell of provenance, and of any part."""
        parts = [f"{name}.{part}" for part in self._parts(name)]
        return self.provenance and all(self._shows(each) for each in (name, *parts))

    @property
    def provenance(self) -> bool:
        """Whether what is no value is shown: who says so, since when, how complete."""
        return self.grant.reaches(PROVENANCE)

    def _fact(self, fact: Fact) -> Fact:
        """A fact of an attribute that is shown, without what of it is not."""
        value = self._value(fact.attribute, fact.value)
        if not self.provenance:
            return Fact(fact.attribute, value, state=WITHHELD, raw=fact.raw)
        dissent = tuple(replace(each, value=self._value(fact.attribute, each.value)) for each in fact.dissent)
        return replace(fact, value=value, dissent=dissent)

    def _value(self, name: str, value: Value) -> Value:
        if not isinstance(value, Mapping):
            return value
        return {part: each for part, each in value.items() if self._shows(f"{name}.{part}")}

    def _parts(self, name: str) -> list[str]:
        return [part.removeprefix(f"{name}.") for part in self.labels if part.startswith(f"{name}.")]

    def _shows(self, name: str) -> bool:
        """Whether an attribute, or a part of one, is shown; what has no label is not."""
        return name in self.labels and self.grant.reaches(self.labels[name])
