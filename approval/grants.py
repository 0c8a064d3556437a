"""Grants: what of an evaluation a caller may see, by the labels the catalogue and the registry's schema carry.

What is labelled above the grant is taken out of the evaluation before anything is worded, so there is nothing left
to be forgotten later. The verdict stays: it is what the item was written to tell.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import cache
from typing import Any, Final

from approval.evaluation import Evaluation
from approval.evidence import Evidence, Fact
from approval.items import Material
from approval.rows import WATERMARK
from approval.verdicts import Decision, Finding, Reason
from schemas.catalogue import Catalogue
from schemas.codec import contract
from schemas.entry import FAMILIES


class Sensitivity(StrEnum):
    """How careful one has to be with a field; each label includes the ones before it."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"

    def includes(self, label: str) -> bool:
        """Whether a grant of this much reaches a field so labelled."""
        order = list(Sensitivity)
        return order.index(Sensitivity(label)) <= order.index(self)


# What of a fact goes back to a field of the registry's schema that is not its value.
_PROVENANCE: Final = {
    "source": "member",
    "effective_from": "effective_from",
    "effective_to": "effective_to",
    "observed_at": "observed_at",
}


def granted(evaluation: Evaluation, grant: Sensitivity, catalogues: Mapping[str, Catalogue]) -> Evaluation:
    """The evaluation without what is labelled above the grant."""
    kinds = evaluation.item.subjects
    views = {role: _Sight(grant, catalogues[kind]) for role, kind in kinds.items()}
    materials = {each.id: views[each.subject].material(each) for each in evaluation.item.materials}
    item = evaluation.item.model_copy(update={"materials": tuple(materials.values())})
    return replace(
        evaluation,
        item=item,
        subjects={role: views[role].evidence(each) for role, each in evaluation.subjects.items()},
        decisions=tuple(views[d.material.subject].decision(d, materials[d.material.id]) for d in evaluation.decisions),
    )


class _Sight:
    """What a grant shows of one kind of subject."""

    def __init__(self, grant: Sensitivity, catalogue: Catalogue) -> None:
        self._grant = grant
        self._attributes = {
            attribute.name for attribute in catalogue.attributes if grant.includes(attribute.sensitivity)
        }
        self._entry, self._fact = _labels(catalogue.kind)

    def material(self, material: Material) -> Material:
        shown = tuple(name for name in material.discloses if name in self._attributes)
        return material.model_copy(update={"discloses": shown})

    def evidence(self, evidence: Evidence) -> Evidence:
        shown = self._grant.includes
        return replace(
            evidence,
            subject=evidence.subject if shown(self._entry["subject"]) else None,
            condition=evidence.condition if shown(self._entry["condition"]) else _HIDDEN,
            facts={name: self._provenance(fact) for name, fact in evidence.facts.items() if name in self._attributes},
            watermarks=evidence.watermarks if all(map(shown, _watermark_labels())) else {},
        )

    def decision(self, decision: Decision, material: Material) -> Decision:
        about = decision.reason.fields.get("attribute")
        reason = decision.reason if about is None or about in self._attributes else _WITHHELD
        findings = tuple(self._finding(finding) for finding in decision.findings)
        return replace(decision, material=material, reason=reason, findings=findings)

    def _finding(self, finding: Finding) -> Finding:
        if finding.attribute not in self._attributes:
            fact = Fact(finding.attribute, None, state=_HIDDEN)
            return Finding(finding.verdict, _WITHHELD, finding.attribute, fact)
        return replace(finding, fact=None if finding.fact is None else self._provenance(finding.fact))

    def _provenance(self, fact: Fact) -> Fact:
        hidden: dict[str, Any] = {
            name: None for name, field in _PROVENANCE.items() if not self._grant.includes(self._fact[field])
        }
        state = fact.state if self._grant.includes(self._fact["state"]) else _HIDDEN
        dissent = fact.dissent if self._grant.includes(self._fact["dissent"]) else ()
        return replace(fact, state=state, dissent=dissent, **hidden)


_HIDDEN: Final = "withheld"
_WITHHELD: Final = Reason("withheld")


@cache
def _labels(kind: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Labels of an entry's fields, and of a fact's: of the strictest type where types differ."""
    entry = _document(contract().newest(FAMILIES[kind]))
    facts = next(field["type"] for field in entry["fields"] if field["name"] == "facts")
    records = [each for field in facts["fields"] if (each := _fact_record(field["type"])) is not None]
    labels: dict[str, str] = dict.fromkeys([*_PROVENANCE.values(), "state", "dissent"], Sensitivity.PUBLIC)
    for field in (field for record in records for field in record["fields"]):
        labels[field["name"]] = max(
            labels.get(field["name"], "public"), field["sensitivity"], key=list(Sensitivity).index
        )
    return {field["name"]: field["sensitivity"] for field in entry["fields"]}, labels


def _fact_record(type_: Any) -> Mapping[str, Any] | None:
    """The record of a fact where it is written out; where it is only named, it is the same as at its first place."""
    fact = type_["items"] if isinstance(type_, dict) else next(each for each in type_ if each != "null")
    return fact if isinstance(fact, dict) else None


@cache
def _watermark_labels() -> tuple[str, ...]:
    return tuple(field["sensitivity"] for field in _document(WATERMARK)["fields"])


def _document(name: str) -> dict[str, Any]:
    return contract()[name].document
