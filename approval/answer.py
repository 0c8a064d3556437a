"""The answer: decisions with all they rest on, as one plain value, as JSON and as text.

Values of attributes that a material does not disclose are left out here, before anything is printed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from approval.evidence import KNOWN, Evidence, Fact
from approval.items import Item, Material
from approval.verdicts import Decision, Finding
from approval.wording import attribute_text, label, reason_text, time_text, value_text
from process.messages import Text

Answer = Mapping[str, Any]


def answer(item: Item, subjects: Mapping[str, Evidence], decisions: Sequence[Decision], at: datetime) -> Answer:
    """Everything an evaluation says, ready for `schemas.plain.to_json`."""
    return {
        "item": {"id": item.id, "version": item.version, "name_zh": item.name_zh, "name_en": item.name_en},
        "at": at,
        "subjects": {role: _subject(item, role, evidence) for role, evidence in subjects.items()},
        "materials": [_material(decision, subjects[decision.material.subject]) for decision in decisions],
    }


def _subject(item: Item, role: str, evidence: Evidence) -> Answer:
    shown = any("name" in material.discloses for material in item.materials if material.subject == role)
    name = evidence.facts.get("name")
    known = name is not None and name.state == KNOWN
    return {
        "subject": evidence.subject,
        "condition": evidence.condition,
        "name": name.value if name is not None and shown and known else None,
    }


def _material(decision: Decision, evidence: Evidence) -> Answer:
    material, reason = decision.material, reason_text(decision.reason)
    sources = sorted({finding.fact.source for finding in decision.findings if finding.fact and finding.fact.source})
    return {
        "id": material.id,
        "name_zh": material.name_zh,
        "name_en": material.name_en,
        "requirement_zh": material.requirement_zh,
        "requirement_en": material.requirement_en,
        "verdict": str(decision.verdict),
        "follow": str(decision.verdict.follow),
        "reason": {"code": decision.reason.code, "zh": reason.zh, "en": reason.en},
        "as_of": decision.as_of,
        "facts": [_fact(finding, material) for finding in decision.findings],
        "watermarks": [_watermark(evidence, source) for source in sources if source in evidence.watermarks],
        "legal_basis": material.legal_basis.model_dump(),
    }


def _fact(finding: Finding, material: Material) -> Answer:
    fact = finding.fact or Fact(finding.attribute, None, state="none")
    disclosed = finding.attribute in material.discloses
    name, value, reason = attribute_text(fact.attribute), value_text(fact.value, fact.raw), reason_text(finding.reason)
    return {
        "attribute": fact.attribute,
        "name_zh": name.zh,
        "name_en": name.en,
        "verdict": str(finding.verdict),
        "reason": {"code": finding.reason.code, "zh": reason.zh, "en": reason.en},
        "state": fact.state,
        "disclosed": disclosed,
        "value": fact.value if disclosed else None,
        "value_zh": value.zh if disclosed and finding.fact else None,
        "value_en": value.en if disclosed and finding.fact else None,
        "source": fact.source,
        "department": fact.department,
        "effective_from": fact.effective_from,
        "effective_to": fact.effective_to,
        "observed_at": fact.observed_at,
        "confirmed_until": finding.as_of,
        "dissent": [{"source": d.source, "value": d.value if disclosed else None} for d in fact.dissent],
    }


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
    parts = [f"{fact[f'name_{lang}']}: {fact[f'value_{lang}'] or '—'}"]
    if fact["department"]:
        parts.append(str(getattr(label("department", fact["department"]), lang)))
    if fact["confirmed_until"]:
        parts.append(f"{'截至' if lang == 'zh' else 'as of '}{time_text(fact['confirmed_until'])}")
    against = [str(getattr(label("department", d["source"].split(".")[0]), lang)) for d in fact["dissent"]]
    if against:
        parts.append(f"{'不同意见：' if lang == 'zh' else 'differs: '}{', '.join(sorted(set(against)))}")
    return "  - " + " | ".join(parts)
