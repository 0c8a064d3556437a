"""The answer: decisions with all they rest on, as one plain value, as JSON and as text.

Values of attributes, and parts of lists' elements, that a material does not disclose are left out here, before
anything is printed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from approval.decide import NOBODY
from approval.elements import Others
from approval.evidence import KNOWN, Code, Dissent, Evidence, Fact, Part
from approval.items import COUNT, Item, Material
from approval.single import value_of
from approval.verdicts import Decision, Finding, Reason
from approval.wording import Names, label, name_of, names, part_text, reason_text, time_text, value_text
from process.messages import Text

Answer = Mapping[str, Any]


def answer(
    item: Item, subjects: Mapping[str, Evidence], decisions: Sequence[Decision], at: datetime, others: Others = NOBODY
) -> Answer:
    """Everything an evaluation says, ready for `schemas.plain.to_json`."""
    known = names(item.catalogues.values())
    return {
        "item": {"id": item.id, "version": item.version, "name_zh": item.name_zh, "name_en": item.name_en},
        "at": at,
        "subjects": {role: _subject(item, role, evidence) for role, evidence in subjects.items()},
        "materials": [_material(decision, subjects, others, known) for decision in decisions],
    }


def _subject(item: Item, role: str, evidence: Evidence) -> Answer:
    shown = any(material.tells(material.name_of(role, "name")) for material in item.materials)
    name = evidence.facts.get("name")
    known = name is not None and name.state == KNOWN
    return {
        "subject": evidence.subject,
        "condition": evidence.condition,
        "name": name.value if name is not None and shown and known else None,
    }


def _material(decision: Decision, subjects: Mapping[str, Evidence], others: Others, known: Names) -> Answer:
    material = decision.material
    return {
        "id": material.id,
        "name_zh": material.name_zh,
        "name_en": material.name_en,
        "requirement_zh": material.requirement_zh,
        "requirement_en": material.requirement_en,
        "verdict": str(decision.verdict),
        "follow": str(decision.verdict.follow),
        "reason": _reason(decision.reason, material, known),
        "as_of": decision.as_of,
        "facts": [_fact(finding, material, known) for finding in decision.findings],
        "watermarks": list(_watermarks(decision, subjects, others)),
        "legal_basis": material.legal_basis.model_dump(),
    }


def _reason(reason: Reason, material: Material, known: Names) -> Answer:
    """Why; where the reason would tell what the material does not disclose, without it."""
    shown = all(material.tells(name) for name in reason.tells)
    text = reason_text(reason if shown else replace(reason, code=f"{reason.code}_undisclosed"), known)
    return {"code": reason.code, "zh": text.zh, "en": text.en}


def _fact(finding: Finding, material: Material, known: Names) -> Answer:
    fact = finding.fact or Fact(finding.attribute, None, state=_state(finding))
    name, value = _name(finding, material, known), value_text(fact.attribute, value_of(fact), fact.raw)
    elements = [_element(element, finding.role, material, known) for element in finding.elements]
    counted = material.tells(material.name_of(finding.role, finding.attribute, COUNT))
    disclosed = material.tells(material.name_of(finding.role, finding.attribute))
    return {
        "role": finding.role,
        "attribute": fact.attribute,
        "name_zh": name.zh,
        "name_en": name.en,
        "verdict": str(finding.verdict),
        "reason": _reason(finding.reason, material, known),
        "state": fact.state,
        "disclosed": disclosed or any(each["parts"] for each in elements),
        "value": value_of(fact) if disclosed else None,
        "value_zh": value.zh if disclosed and finding.fact else None,
        "value_en": value.en if disclosed and finding.fact else None,
        "source": fact.source,
        "department": fact.department,
        "effective_from": fact.effective_from,
        "effective_to": fact.effective_to,
        "observed_at": fact.observed_at,
        "confirmed_until": finding.as_of,
        "dissent": [{"source": d.source, "value": d.value if disclosed else None} for d in fact.dissent],
        "counts": dict(finding.counts) if counted else {},
        "elements": elements,
    }


def _name(finding: Finding, material: Material, known: Names) -> Text:
    """What the fact is called; of another than the material's own subject, with whose it is."""
    name = name_of(finding.attribute, known)
    if finding.role == material.subject:
        return name
    role = label("role", finding.role)
    return Text(f"{role.en}: {name.en}", f"{role.zh}：{name.zh}")


def _state(finding: Finding) -> str:
    """How a list stands: as the one element does, where it rests on one."""
    states = {element.state for element in finding.elements}
    return "none" if not states else states.pop() if len(states) == 1 else KNOWN


def _element(element: Fact, role: str, material: Material, known: Names) -> Answer:
    return {
        "state": element.state,
        "source": element.source,
        "department": element.department,
        "effective_from": element.effective_from,
        "effective_to": element.effective_to,
        "observed_at": element.observed_at,
        "parts": list(_parts(element.attribute, element.parts, role, material, known)),
        "dissent": [_dissent(element.attribute, d, role, material, known) for d in element.dissent],
    }


def _dissent(attribute: str, dissent: Dissent, role: str, material: Material, known: Names) -> Answer:
    parts = dissent.value if isinstance(dissent.value, Mapping) else {}
    return {"source": dissent.source, "parts": list(_parts(attribute, parts, role, material, known))}


def _parts(attribute: str, parts: Mapping[str, Part], role: str, material: Material, known: Names) -> Iterator[Answer]:
    """The parts of an element that may be shown, in the catalogue's order."""
    for part, value in parts.items():
        if material.tells(material.name_of(role, attribute, part)):
            name, text = name_of(f"{attribute}.{part}", known), part_text(attribute, part, value)
            yield {
                "part": part,
                "name_zh": name.zh,
                "name_en": name.en,
                "value": value.canonical if isinstance(value, Code) else value,
                "value_zh": text.zh if text else None,
                "value_en": text.en if text else None,
            }


def _watermarks(decision: Decision, subjects: Mapping[str, Evidence], others: Others) -> Iterator[Answer]:
    """Of each source that is told of, how far it is complete where its subject lies."""
    rested = {
        (finding.role, finding.subject, fact.source)
        for finding in decision.findings
        for fact in (finding.fact, *finding.elements)
        if fact is not None and fact.source is not None
    }
    for role, subject, source in sorted(rested, key=lambda each: (each[2], each[0])):
        evidence = subjects[role] if subject is None else others.get(subject)
        if evidence is not None and source in evidence.watermarks:
            yield _watermark(evidence, source)


def _watermark(evidence: Evidence, source: str) -> Answer:
    mark = evidence.watermarks[source]
    return {
        "source": source,
        "cycle": mark.cycle,
        "complete_until": mark.complete_until,
        "present_until": mark.present_until,
        "broken_since": mark.broken_since,
    }


def text(told: Answer, lang: str) -> str:
    """The answer for a terminal."""
    lines = [f"{told['item'][f'name_{lang}']}  {time_text(told['at'])}"]
    lines += [_subject_line(role, subject, lang) for role, subject in told["subjects"].items()]
    for material in told["materials"]:
        lines += ["", *_material_lines(material, lang)]
    return "\n".join(lines)


def _subject_line(role: str, subject: Answer, lang: str) -> str:
    nameless = Text("(no name on record)", "（登记库中无名称）")
    return f"{getattr(label('role', role), lang)}: {subject['name'] or getattr(nameless, lang)}"


def _material_lines(material: Answer, lang: str) -> list[str]:
    verdict, follow = label("verdict", material["verdict"]), label("follow", material["follow"])
    head = f"[{getattr(follow, lang)}] {material[f'name_{lang}']}: {getattr(verdict, lang)}"
    return [head, f"  {material['reason'][lang]}", *(_fact_line(fact, lang) for fact in material["facts"])]


def _fact_line(fact: Answer, lang: str) -> str:
    parts = [f"{fact[f'name_{lang}']}: {_value(fact, lang)}".strip()]
    if fact["department"]:
        parts.append(str(getattr(label("department", fact["department"]), lang)))
    if fact["confirmed_until"]:
        parts.append(f"{'截至' if lang == 'zh' else 'as of '}{time_text(fact['confirmed_until'])}")
    against = [str(getattr(label("department", d["source"].split(".")[0]), lang)) for d in fact["dissent"]]
    if against:
        parts.append(f"{'不同意见：' if lang == 'zh' else 'differs: '}{', '.join(sorted(set(against)))}")
    return "\n".join(["  - " + " | ".join(parts), *(_element_line(each, lang) for each in fact["elements"])])


_WITHHELD: Final = Text("(not shown)", "（不公开）")


def _value(fact: Answer, lang: str) -> str:
    """The value of a fact; of a list nothing, its elements stand beneath."""
    if fact["elements"]:
        return ""
    stated = fact["state"] != "none" and not fact["disclosed"]
    return str(getattr(_WITHHELD, lang)) if stated else fact[f"value_{lang}"] or "—"


def _element_line(element: Answer, lang: str) -> str:
    told = [f"{part[f'name_{lang}']} {part[f'value_{lang}']}" for part in element["parts"] if part[f"value_{lang}"]]
    department = getattr(label("department", element["department"]), lang) if element["department"] else "—"
    return "      · " + " | ".join([", ".join(told) or "—", department])
