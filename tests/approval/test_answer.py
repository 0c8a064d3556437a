"""The answer and the page: everything has words, nothing undisclosed or unescaped leaves."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given, settings

import approval
from approval.answer import answer, text
from approval.decide import decide
from approval.evidence import Evidence
from approval.items import Item, every
from approval.page import page
from approval.verdicts import Follow, Verdict
from approval.wording import label, names
from process.messages import Text, catalogue
from schemas.catalogue import Extension, catalogues
from schemas.plain import to_json
from tests.approval.cases import FACTS, FIRM, ITEM, NOW, fact, item_with, with_fact
from tests.approval.test_decide import evidence

NAMES = names(catalogues().values())


def shown(item: Item, found: Evidence) -> tuple[str, str, str]:
    """Everything that leaves: JSON, text and page."""
    subjects = {"applicant": found}
    told = answer(item, subjects, decide(item, subjects, NOW), NOW)
    return to_json(told), text(told, "zh") + text(told, "en"), page(told, "zh") + page(told, "en")


@given(evidence())
@settings(max_examples=40, deadline=None)
def test_whatever_is_found_has_words_in_both_languages(found: Evidence) -> None:
    for written in shown(ITEM, found):
        assert written


def test_every_reason_a_decision_can_give_has_a_text() -> None:
    written = {code.removeprefix("approval.reason.") for code in catalogue("approval") if ".reason." in code}
    calls = list(_reasons())
    given_ = {code for code, _ in calls}

    assert given_ <= written
    assert {f"{code}_undisclosed" for code, tells in calls if tells} <= written
    assert {"holds", "gap", "months_open"} <= given_


def _reasons() -> Iterator[tuple[str, bool]]:
    """First arguments of `Reason(...)`, where they are written out, and whether it tells what may not be disclosed."""
    for file in Path(approval.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args:
                tells = any(keyword.arg == "tells" for keyword in node.keywords)
                yield from ((str(a.value), tells) for a in node.args[:1] if isinstance(a, ast.Constant) and a.value)


def test_what_is_said_in_place_of_what_may_not_be_disclosed_tells_nothing_of_anybody() -> None:
    instead = {code: text for code, text in catalogue("approval").items() if code.endswith("_undisclosed")}

    assert instead
    assert all(_fields(text.en) <= {"attribute", "department", "days", "needed", "until"} for text in instead.values())


def test_both_languages_of_a_text_say_the_same_fields() -> None:
    unlike = [code for code, text in catalogue("approval").items() if _fields(text.en) != _fields(text.zh)]

    assert unlike == []


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", [*Verdict, *Follow])
def test_every_verdict_and_follow_has_a_name(code: Verdict | Follow) -> None:
    family = "verdict" if isinstance(code, Verdict) else "follow"

    assert label(family, str(code)).zh != str(code)


def test_every_attribute_has_a_name_in_both_languages() -> None:
    attributes = [attribute.name for each in catalogues().values() for attribute in each.attributes]

    assert [name for name in attributes if NAMES[name].zh == name] == []


def test_every_part_of_a_list_has_a_name() -> None:
    lists = [attribute for each in catalogues().values() for attribute in each.attributes if attribute.fields]
    parts = [f"{attribute.name}.{field.name}" for attribute in lists for field in attribute.fields]

    assert [part for part in parts if NAMES[part].zh == part] == []


def test_what_a_site_adds_is_called_as_its_catalogue_describes_it() -> None:
    described = [{"name": "since", "doc": "First day (起始日期)", "type": "date", "sensitivity": "public"}]
    lets = {"name": "lets", "doc": "Leases, past ones too (租赁)", "type": "record", "cardinality": "many"}
    labels = {"sensitivity": "public", "share": "none", "authority": [{"department": "housing", "tier": 1}]}
    added = Extension.model_validate({"attributes": [{**lets, **labels, "fields": described}]})

    known = names([catalogues()["legal_person"].extended(added)])

    assert (known["lets"], known["lets.since"]) == (Text("Leases", "租赁"), Text("First day", "起始日期"))


def test_every_code_an_item_asks_for_and_every_role_has_a_name() -> None:
    asked = {code for item in every().values() for code in re.findall(r"'([A-Z_]{4,})'", str(item.materials))}
    roles = {role for item in every().values() for role in item.kinds}

    assert {"PERMIT", "INSURED"} <= asked
    assert [code for code in asked if label("code", code).zh == code] == []
    assert [role for role in roles if label("role", role).zh == role] == []


def test_a_value_the_item_does_not_disclose_leaves_nowhere() -> None:
    item = item_with([{"attribute": "legal_representative", "present": True}], discloses=["name"])
    found = with_fact(fact("legal_representative", "张三丰"))
    written = shown(item, found)

    assert all("示例食品有限公司" in each for each in written)
    assert not any("张三丰" in each for each in written)


def test_what_departments_write_is_text_and_never_markup() -> None:
    hostile = replace(FIRM, facts={**FACTS, "name": fact("name", '<script>alert("x")</script>')})
    _, _, pages = shown(ITEM, hostile)

    assert "<script>" not in pages
    assert "&lt;script&gt;" in pages
