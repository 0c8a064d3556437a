"""Evidence to decide on: a firm as it should be, and one thing changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from approval.decide import decide
from approval.evidence import Evidence, Fact, Newest, Watermark
from approval.items import Item, Material, find
from approval.verdicts import Decision

NOW = datetime(2024, 5, 20, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MARKET = "market_supervision.enterprise"
TAX = "local_tax.taxpayer"
ITEM = find("food_business_licence")
LICENCE = "business_licence"


def fact(attribute: str, value: Any, **changed: Any) -> Fact:
    told: dict[str, Any] = {"source": MARKET, "observed_at": NOW - 40 * DAY} | changed
    return Fact(attribute=attribute, value=value, **told)


def watermark(source: str = MARKET, until: datetime = NOW - MINUTE, cycle: int = 9, **changed: Any) -> Watermark:
    told: dict[str, Any] = {
        "snapshot_at": until,
        "complete_until": until,
        "complete_cycle": cycle,
        "present_until": until,
        "identity_until": until,
    } | changed
    return Watermark(source=source, epoch=1, cycle=cycle, **told)


def marks(*watermarks: Watermark) -> dict[str, Watermark]:
    return {mark.source: mark for mark in watermarks}


FACTS = {
    "name": fact("name", "示例食品有限公司"),
    "status": fact("status", "ACTIVE", raw="1"),
    "scope": fact("scope", "食品销售;日用百货"),
    "address": fact("address", "示例区测试路1号"),
    "legal_representative": fact("legal_representative", "张三"),
}
FIRM = Evidence(
    kind="legal_person",
    subject="legal:org:MA0000000",
    condition="live",
    facts=FACTS,
    newest={MARKET: Newest(1, 4, 0), TAX: Newest(1, 3, 0)},
    watermarks=marks(watermark(), watermark(TAX)),
    sources=frozenset({MARKET, TAX}),
)
NOBODY = replace(FIRM, condition="none", facts={}, newest={})


def with_fact(changed: Fact) -> Evidence:
    return replace(FIRM, facts={**FACTS, changed.attribute: changed})


PAPER: dict[str, Any] = {
    "id": "paper",
    "name_zh": "材料",
    "name_en": "Paper",
    "requirement_zh": "要求",
    "requirement_en": "Requirement",
    "legal_basis": {"text": "材料清单", "unconfirmed": True},
}
TITLED = {"id": "item", "version": 1, "name_zh": "事项", "name_en": "Item", "department": "market_supervision"}


def item_with(*alternatives: list[dict[str, Any]], **changed: Any) -> Item:
    """An item of one material that asks for the predicates of any one alternative."""
    authorities = {"authorities": ["market_supervision", "local_tax"], "max_age": "P1D"}
    material = {**PAPER, **authorities, "any_of": [{"all_of": predicates} for predicates in alternatives]}
    return Item.model_validate({**TITLED, "subjects": {"applicant": "legal_person"}, "materials": [material | changed]})


def licence(evidence: Evidence, at: datetime = NOW) -> Decision:
    """The decision on the business licence of the shipped item."""
    return next(each for each in decide(ITEM, {"applicant": evidence}, at) if each.material.id == LICENCE)


def paper(item: Item, evidence: Evidence, at: datetime = NOW) -> Decision:
    """The decision on an item's only material."""
    (decision,) = decide(item, {"applicant": evidence}, at)
    return decision


def with_max_age(item: Item, max_age: timedelta) -> Item:
    def aged(material: Material) -> Material:
        return material.model_copy(update={"max_age": max_age if material.any_of else None})

    return item.model_copy(update={"materials": tuple(aged(material) for material in item.materials)})
