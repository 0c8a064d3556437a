"""Grants: what is labelled above a caller's grant is nowhere in what it is told, and the rest is there."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.answer import answer, text
from approval.decide import decide
from approval.evaluation import Evaluation, Seen
from approval.evidence import Dissent, Evidence, Fact
from approval.grants import PROVENANCE, WITHHELD, Labels, Sensitivity, granted, labels
from approval.items import Item
from approval.page import page
from approval.verdicts import Decision, Finding, Reason, Verdict
from schemas.catalogue import catalogues
from schemas.codec import contract
from schemas.plain import to_json
from tests.approval.cases import FIRM, MARKET, NOW, TAX, item_with

SHIPPED = labels(catalogues()["legal_person"])
TEXTS = ("name", "address", "scope", "legal_representative", "business_address")
SEEN = Seen("test", caught_up=True, offsets={})
SINCE, OBSERVED = date(1987, 6, 5), datetime(1999, 8, 7, 6, 5, tzinfo=UTC)


def planted(name: str, kind: str) -> str:
    return f"#{name}-{kind}"


def fact(name: str) -> Fact:
    """A fact whose value, the department's code for it and the dissenting value are found wherever they stand."""
    value, raw, differs = (planted(name, kind) for kind in ("value", "raw", "differs"))
    return Fact(name, value, "known", None, raw, MARKET, SINCE, None, OBSERVED, (Dissent(TAX, differs),))


FACTS = {name: fact(name) for name in TEXTS}
CONFIRMED = ("2024-05-20T01:59", "2024-05-20 09:59")
PROVENANCE_TOLD = (
    "legal:org:",
    "1987-06-05",
    "1999-08-07",
    *CONFIRMED,
    "market_supervision",
    "市场监管",
    "local_tax",
    "live",
)


def item_of_all(**asked: Any) -> Item:
    """Each attribute decides a material of its own, which discloses it."""
    items = [item_with([{"attribute": name, **asked}], id=f"paper_{name}", discloses=[name]) for name in TEXTS]
    return items[0].model_copy(update={"materials": tuple(each.materials[0] for each in items)})


def leaked(written: str, name: str) -> bool:
    return any(planted(name, kind) in written for kind in ("value", "raw", "differs"))


def evaluated(item: Item, evidence: Evidence) -> Evaluation:
    subjects = {"applicant": evidence}
    return Evaluation(item, NOW, subjects, decide(item, subjects, NOW), SEEN)


def told(evaluation: Evaluation, grant: Sensitivity, known: Labels) -> tuple[Mapping[str, Any], str]:
    """The answer, and everything it can leave as."""
    shown = granted(evaluation, grant, {"legal_person": known})
    said = answer(shown.item, shown.subjects, shown.decisions, shown.at)
    pages = page(said, "zh") + page(said, "en")
    return said, to_json(said) + text(said, "zh") + text(said, "en") + pages


@st.composite
def labelled(draw: st.DrawFn) -> Labels:
    return {name: draw(st.sampled_from(Sensitivity)) for name in TEXTS}


@given(
    labelled(),
    st.sampled_from(Sensitivity),
    st.sampled_from([{"present": True}, {"equals": "another"}, {"contains_any": ["nothing of it"]}, {"absent": True}]),
    st.sampled_from(["known", "disputed", "in_question", "unknown"]),
    st.sets(st.sampled_from(TEXTS)),
)
def test_nothing_labelled_above_the_grant_is_told_whatever_is_decided(
    known: Labels, grant: Sensitivity, asked: dict[str, Any], state: str, silent: set[str]
) -> None:
    facts = {name: replace(each, state=state) for name, each in FACTS.items() if name not in silent}
    evaluation = evaluated(item_of_all(**asked), replace(FIRM, facts=facts))
    said, written = told(evaluation, grant, known)

    assert [name for name in TEXTS if not grant.reaches(known[name]) and leaked(written, name)] == []
    assert grant.reaches(PROVENANCE) or not any(each in written for each in PROVENANCE_TOLD)
    assert state == "known" or said["subjects"]["applicant"]["name"] is None
    assert [material["verdict"] for material in said["materials"]] == [str(d.verdict) for d in evaluation.decisions]


@given(labelled(), st.sampled_from(Sensitivity))
def test_what_the_grant_reaches_is_told(known: Labels, grant: Sensitivity) -> None:
    said, written = told(evaluated(item_of_all(present=True), replace(FIRM, facts=FACTS)), grant, known)
    reached = [name for name in TEXTS if grant.reaches(known[name])]
    shown = [material["facts"][0] for material in said["materials"]]

    assert {each["attribute"]: each["value"] for each in shown if each["disclosed"]} == {
        name: planted(name, "value") for name in reached
    }
    assert said["subjects"]["applicant"]["name"] == (planted("name", "value") if "name" in reached else None)
    assert all(planted(name, "differs") in written for name in reached) or not grant.reaches(PROVENANCE)
    assert (said["subjects"]["applicant"]["subject"] is not None) == grant.reaches(PROVENANCE)


def test_the_highest_grant_is_told_what_the_command_prints() -> None:
    evaluation = evaluated(item_of_all(present=True), replace(FIRM, facts=FACTS))
    said, _ = told(evaluation, Sensitivity.SENSITIVE, SHIPPED)

    assert said == answer(evaluation.item, evaluation.subjects, evaluation.decisions, evaluation.at)


@pytest.mark.parametrize("grant", Sensitivity)
def test_a_grant_reaches_its_own_label_and_those_before_it(grant: Sensitivity) -> None:
    order = ["public", "internal", "personal", "sensitive"]

    assert [str(label) for label in Sensitivity if grant.reaches(label)] == order[: order.index(grant) + 1]


def test_a_reason_is_told_where_one_of_the_findings_it_speaks_for_is() -> None:
    known = {"name": Sensitivity.PERSONAL, "address": Sensitivity.INTERNAL}
    evidence = replace(FIRM, facts={name: FACTS[name] for name in ("name", "address")})
    both: list[dict[str, Any]] = [{"attribute": "name", "present": True}, {"attribute": "address", "equals": "another"}]
    speaks_of_address = evaluated(item_with(both), evidence)
    speaks_of_name = evaluated(item_with([{"attribute": "name", "equals": "another"}, both[1]]), evidence)

    assert [
        told(each, Sensitivity.INTERNAL, known)[0]["materials"][0]["reason"]["code"]
        for each in (speaks_of_address, speaks_of_name)
    ] == ["other_value", WITHHELD]


def test_what_an_item_says_of_itself_is_told_to_everybody() -> None:
    item = item_with(any_of=[], not_shared={"zh": "没有部门掌握", "en": "no department holds it"}, authorities=[])
    said, _ = told(evaluated(item, FIRM), Sensitivity.PUBLIC, SHIPPED)

    assert "没有部门掌握" in said["materials"][0]["reason"]["zh"]


def test_what_has_no_label_is_told_to_nobody() -> None:
    _, written = told(evaluated(item_of_all(present=True), replace(FIRM, facts=FACTS)), Sensitivity.SENSITIVE, {})

    assert not any(leaked(written, name) for name in TEXTS)


PARTS = {"street": "street-value", "door": "door-value", "unheard_of": "unheard-value"}
PART_LABELS = {
    "address": Sensitivity.INTERNAL,
    "address.street": Sensitivity.PUBLIC,
    "address.door": Sensitivity.SENSITIVE,
}


@pytest.mark.parametrize(
    ("grant", "shown"),
    [
        (Sensitivity.PUBLIC, []),
        (Sensitivity.INTERNAL, ["street"]),
        (Sensitivity.PERSONAL, ["street"]),
        (Sensitivity.SENSITIVE, ["street", "door"]),
    ],
)
def test_of_a_record_each_part_is_shown_by_its_own_label(grant: Sensitivity, shown: list[str]) -> None:
    value: Any = PARTS
    found = Fact("address", value, source=MARKET, dissent=(Dissent(TAX, value),))
    reason = Reason("other_value", {"attribute": "address", "department": "street-value door-value"})
    (material,) = item_with([{"attribute": "address", "present": True}], discloses=["address"]).materials
    finding = Finding(Verdict.DISPROVED, reason, "address", found, role="applicant")
    decision = Decision(material, Verdict.DISPROVED, reason, (finding,))
    item = item_with([{"attribute": "address", "present": True}])
    evaluation = Evaluation(item, NOW, {"applicant": replace(FIRM, facts={"address": found})}, (decision,), SEEN)
    seen = repr(granted(evaluation, grant, {"legal_person": PART_LABELS}))

    assert [part for part, planted in PARTS.items() if planted in seen] == shown


def test_a_sentence_about_a_record_is_told_only_to_whoever_may_see_all_of_it() -> None:
    reason = Reason("other_value", {"attribute": "address", "department": "public_security"})
    item = item_with([{"attribute": "address", "present": True}])
    finding = Finding(Verdict.DISPROVED, reason, "address", FACTS["address"], role="applicant")
    decision = Decision(item.materials[0], Verdict.DISPROVED, reason, (finding,))
    evaluation = Evaluation(item, NOW, {"applicant": FIRM}, (decision,), SEEN)
    seen = {grant: granted(evaluation, grant, {"legal_person": PART_LABELS}).decisions[0] for grant in Sensitivity}

    assert [grant for grant, each in seen.items() if each.reason == reason] == [Sensitivity.SENSITIVE]
    assert [grant for grant, each in seen.items() if each.findings[0].reason == reason] == [Sensitivity.SENSITIVE]


def test_every_attribute_of_the_catalogue_has_its_label() -> None:
    for catalogue in catalogues().values():
        assert labels(catalogue).items() >= {each.name: each.sensitivity for each in catalogue.attributes}.items()


TOLD = {"subject", "condition", "state", "reason", "source", "effective_from", "effective_to", "observed_at", "dissent"}


def test_what_is_told_beside_values_is_labelled_no_higher_than_provenance() -> None:
    entries = [
        field for kind in ("legal", "natural") for field in fields(contract()[f"registry/{kind}-person-1"].document)
    ]
    beside = [field for field in entries if field["name"] in TOLD]
    marks = fields(contract()["registry/watermark-1"].document)

    assert {field["name"] for field in beside} == TOLD
    assert [each for each in [*beside, *marks] if not PROVENANCE.reaches(Sensitivity(each["sensitivity"]))] == []


def fields(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every field of a schema that has a label, however deep it lies; attributes have theirs in the catalogue."""
    inner = schema if isinstance(schema, list) else schema.values() if isinstance(schema, dict) else ()
    if isinstance(schema, dict) and "sensitivity" in schema and "share" not in schema:
        yield schema
    for each in inner:
        yield from fields(each)
