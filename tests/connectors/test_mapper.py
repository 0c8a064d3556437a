"""Rows become records or refusals: the dirt of real tables, and what must never come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapper import Mapped, Mapper
from connectors.values import OPEN_END
from deploy.district import synthetic
from schemas.codec import contract
from tests.connectors.worlds import (
    BRANCH,
    CODES,
    KEY,
    MARKET,
    SUBJECTS,
    TAX,
    TWO_PARTS,
    UNMAPPED,
    branch,
    mapper_of,
    shipped,
    source,
)

RESIDENT = synthetic.resident_number(date(1980, 5, 17), 11)
RESIDENT_15 = synthetic.resident_number_15(date(1980, 5, 17), 11)
REGISTERED = synthetic.registration_number(77)
MARKET_ROW: dict[str, object] = {
    **dict.fromkeys(shipped(MARKET).mapping.columns()),
    "PRIPID": "3502990000000001",
    "UNISCID": CODES[0],
    "ENTNAME": "示例鲜达食品有限公司",
    "CD_OPERATION": "u",
}
TAX_ROW: dict[str, object] = {
    **dict.fromkeys(shipped(TAX).mapping.columns()),
    "DJXH": "10113502990000000001",
    "NSRSBH": CODES[0],
    "NSRMC": "示例鲜达食品有限公司",
    "YXBZ": "Y",
}
market, tax = mapper_of(shipped(MARKET)), mapper_of(shipped(TAX))


def market_row(**columns: object) -> Mapped:
    return market.map({**MARKET_ROW, **columns})


def tax_row(**columns: object) -> Mapped:
    return tax.map({**TAX_ROW, **columns})


def record(mapped: Mapped) -> Mapping[str, Any]:
    """The only record the row came to."""
    (only,) = mapped.records
    return only.value


def subject(mapped: Mapped) -> str:
    (only,) = mapped.records
    return only.target.subject


def refused(mapped: Mapped) -> tuple[str, tuple[str, ...], list[str], int]:
    assert mapped.refusal
    why = mapped.refusal
    return why.reason, why.fields, [target.subject for target in why.readable], why.unreadable_rows


@pytest.mark.parametrize("name", ["䶮记小吃店", "示例（厦门）有限公司", "𠮷野家"])
def test_a_name_arrives_as_it_was_written(name: str) -> None:
    assert record(market_row(ENTNAME=name))["name"] == name


def test_a_private_use_point_of_gb18030_is_its_character() -> None:
    assert record(market_row(ENTNAME="示例\ue81e和商行"))["name"] == "示例\u9fb4和商行"


@pytest.mark.parametrize("name", [f"示例{UNMAPPED}商行", "示例\udcff商行", "示例\ufffe"])
def test_a_character_nobody_knows_refuses_the_row_under_its_key(name: str) -> None:
    assert refused(market_row(ENTNAME=name)) == ("unmapped_character", ("ENTNAME",), [SUBJECTS[0]], 0)


def test_padding_goes_and_what_is_inside_stays() -> None:
    assert record(market_row(ENTNAME="\ufeff 示例\u200b 商行\u3000"))["name"] == "示例 商行"


@pytest.mark.parametrize("token", ["", "NULL", "无", "——", "?", "不详", None, "\\N"])
def test_a_token_for_nothing_is_nothing(token: str | None) -> None:
    assert record(market_row(DOM=token))["address"] is None


def test_codes_carry_what_was_written_what_it_means_and_by_which_list() -> None:
    value = record(market_row(REGSTATE="0006", INDUSTRYCO="5212.0", ENTTYPE="有限公司"))

    assert value["status"] == {"raw": "0006", "canonical": "REVOKED", "list": "scjg-status-2025"}
    assert value["industry"] == {"raw": "5212.0", "canonical": "5212", "list": "gbt-4754-2017"}
    assert value["entity_type"]["canonical"] is None


def test_a_value_that_cannot_be_read_is_left_out_and_named() -> None:
    mapped = market_row(ESTDATE="2016-02-30", REGCAP="很多", OPTO="长期")

    assert mapped.defects == ("registered_capital", "established_on")
    assert record(mapped)["established_on"] is None
    assert record(mapped)["term_to"] == OPEN_END


def test_money_has_its_amount_in_whole_units() -> None:
    money = record(market_row(REGCAP="500.000000", REGCAPCUR="人民币元"))["registered_capital"]

    assert (str(money["amount"]), money["currency"], money["raw"]) == ("5000000.000000", "CNY", "500.000000")


@pytest.mark.parametrize("code", [CODES[0].lower(), f" {CODES[0]} ", f"{CODES[0][:8]}-{CODES[0][8:]}"])
def test_a_code_is_the_same_however_it_is_written(code: str) -> None:
    assert subject(market_row(UNISCID=code)) == SUBJECTS[0]


def test_departments_with_different_numbers_meet_in_the_organisation_code() -> None:
    organisation = CODES[0][8:17]
    fifteen = synthetic.organisation_tax_number(organisation)
    rows = [tax_row(), tax_row(NSRSBH=fifteen), tax_row(NSRSBH=None, ZZJG_DM=f"{organisation[:8]}-{organisation[8]}")]

    assert [subject(row) for row in rows] == [SUBJECTS[0]] * 3


def test_a_registration_number_is_a_key_where_no_better_one_is() -> None:
    assert subject(market_row(UNISCID="0" * 18, REGNO=REGISTERED)) == f"legal:reg:{REGISTERED}"


def test_two_companies_in_one_row_are_refused_under_both() -> None:
    mapped = tax_row(ZZJG_DM=CODES[1][8:17])

    assert refused(mapped) == ("subject_ambiguous", ("NSRSBH", "SHXYDM", "ZZJG_DM"), sorted(SUBJECTS[:2]), 0)


def test_a_number_with_a_wrong_check_names_nobody_and_the_row_goes_under_its_own_key() -> None:
    wrong = CODES[0][:17] + ("A" if CODES[0][17] != "A" else "B")
    mapped = market_row(UNISCID=wrong)

    assert subject(mapped).startswith("row:market_supervision.enterprise:A")
    assert record(mapped)["meta"]["identifiers"] == [
        {"scheme": "credit_code", "value": wrong, "verdict": "STRUCTURE_ONLY"}
    ]


def test_a_number_that_is_none_is_refused_for_it_might_be_anybodys() -> None:
    mapped = market_row(UNISCID="9135029")
    assert refused(mapped) == ("subject_unreadable", ("UNISCID", "REGNO"), [], 1)

    assert mapped.refusal
    assert mapped.refusal.fallback.subject.startswith("row:")


def test_a_flag_in_no_list_is_refused_and_not_guessed() -> None:
    assert refused(market_row(CD_OPERATION="x"))[:2] == ("unknown_operation", ("CD_OPERATION",))


def test_a_record_id_is_short_and_there() -> None:
    missing, long = market_row(PRIPID=" "), market_row(PRIPID="长" * 129)

    assert (refused(missing)[0], refused(long)[0]) == ("record_id_missing", "record_id_too_long")
    assert len(missing.record_id) < 40
    assert "长" not in long.record_id


def test_a_record_too_large_for_its_topic_is_refused() -> None:
    assert refused(market_row(OPSCOPE="经" * 400_000))[0] == "record_too_large"


def test_an_unreadable_part_of_the_row_refuses_all_its_parts(tmp_path: Path) -> None:
    mapper = mapper_of(source(TWO_PARTS, tmp_path))

    assert refused(mapper.map(branch("r1", CODES[0], parent="?!"))) == (
        "subject_unreadable",
        ("PARENT",),
        [SUBJECTS[0]],
        0,
    )


def test_an_ended_row_is_a_full_image_with_another_hash(tmp_path: Path) -> None:
    mapper = mapper_of(source(TWO_PARTS, tmp_path))
    live, ended = mapper.map(branch("r1", CODES[0])), mapper.map(branch("r1", CODES[0], flag="9"))

    assert record(ended)["meta"]["operation"] == "END"
    assert live.records[0].row_hash != ended.records[0].row_hash


def test_a_row_without_its_required_field_is_refused(tmp_path: Path) -> None:
    strict = TWO_PARTS.replace("name: {column: NAME}", "name: {column: NAME, required: true}")
    mapper = mapper_of(source(strict, tmp_path))

    assert refused(mapper.map(branch("r1", CODES[0], name="-")))[:2] == ("required_missing", ("NAME",))


def test_a_record_id_of_several_columns_cannot_be_two_rows(tmp_path: Path) -> None:
    mapper = mapper_of(source(TWO_PARTS.replace("columns: [ID]", "columns: [ID, NAME]"), tmp_path))
    one, other = mapper.map(branch("a,1:b", CODES[0], name="c")), mapper.map(branch("a", CODES[0], name="1:b,c"))

    assert one.record_id != other.record_id


def test_a_mapping_that_was_corrected_tries_refused_rows_again(tmp_path: Path) -> None:
    row = branch("r1", "?")
    before = mapper_of(source(TWO_PARTS, tmp_path)).map(row)
    after = mapper_of(source(TWO_PARTS.replace('nulls: ["-"]', 'nulls: ["-", "?"]'), tmp_path)).map(row)
    noted = mapper_of(source(TWO_PARTS.replace('nulls: ["-"]', 'nulls: ["-", "无"]'), tmp_path)).map(row)

    assert before.refusal
    assert noted.refusal
    assert not after.refusal
    assert before.refusal.row_hash != noted.refusal.row_hash


# --- what must never come out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mapped",
    [
        tax_row(NSRSBH=RESIDENT + "00"),
        tax_row(NSRSBH="L" + RESIDENT),
        tax_row(NSRSBH=RESIDENT_15 + "01"),
        tax_row(NSRSBH=RESIDENT_15, ZZJG_DM=CODES[0][8:17]),
        tax_row(SHXYDM=RESIDENT, NSRSBH=RESIDENT + "00"),
        market_row(UNISCID=RESIDENT),
        market_row(UNISCID=None, REGNO=RESIDENT_15),
        market_row(UNISCID=None, REGNO=RESIDENT),
        market_row(REGNO=f"{RESIDENT[:6]} {RESIDENT[6:]}"),
    ],
)
def test_no_number_of_a_person_is_in_a_record(mapped: Mapped) -> None:
    told = repr(mapped.records) + mapped.record_id

    assert RESIDENT not in told
    assert RESIDENT_15 not in told


def test_a_person_who_trades_is_known_by_a_pseudonym_everywhere() -> None:
    number = RESIDENT + "00"
    mapped = tax_row(NSRSBH=number)
    pseudonym = KEY.pseudonym("tax_number", number)

    assert subject(mapped) == f"legal:tax:{pseudonym}"
    assert record(mapped)["taxpayer_number"] == pseudonym
    assert record(mapped)["meta"]["identifiers"] == [{"scheme": "tax_number", "value": pseudonym, "verdict": "OK"}]


def test_a_record_id_that_turns_out_to_be_a_persons_number_is_hashed_too() -> None:
    assert RESIDENT not in market_row(PRIPID=RESIDENT).record_id
    assert RESIDENT not in market_row(PRIPID=f"GR-{RESIDENT.lower()}-1").record_id


def test_a_personal_record_id_travels_as_a_pseudonym(tmp_path: Path) -> None:
    mapper = mapper_of(source(TWO_PARTS.replace("columns: [ID]", "columns: [ID], personal: true"), tmp_path))

    assert mapper.map(branch(RESIDENT, CODES[0])).record_id == KEY.pseudonym("market_supervision.branch", RESIDENT)


NUMBERS = ("PRIPID", "UNISCID", "REGNO", "NSRSBH", "SHXYDM", "ZZJG_DM")
anything = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.binary(max_size=4),
    st.sampled_from([*CODES, REGISTERED, "0" * 18, "2017-3-9", "9999-9-9", "长期", "500万人民币", "u", "d", "Y"]),
)
numbers = st.one_of(
    anything, st.sampled_from([RESIDENT, RESIDENT_15, RESIDENT.lower(), f"{RESIDENT}00", f" {RESIDENT}"])
)


@pytest.mark.parametrize("mapper", [market, tax], ids=["market", "tax"])
@given(data=st.data())
def test_whatever_stands_in_a_row_something_comes_out_that_fits_the_contract(
    mapper: Mapper, data: st.DataObject
) -> None:
    clean = MARKET_ROW if mapper is market else TAX_ROW
    row = {
        column: data.draw(st.one_of(st.just(value), numbers if column in NUMBERS else anything), column)
        for column, value in clean.items()
    }
    mapped = mapper.map(row)

    assert mapper.map(row) == mapped
    assert sum(map(bool, (mapped.gone, mapped.records, mapped.refusal))) == 1
    assert 0 < len(mapped.record_id) <= 128
    for each in mapped.records:
        content = contract().encode(each.target.type, each.value)
        assert RESIDENT.encode() not in content
        assert RESIDENT_15.encode() not in content


@given(st.permutations([branch("r1", CODES[0]), branch("r1", CODES[1]), branch("r1", CODES[1], name=UNMAPPED)]))
def test_the_order_of_rows_of_one_id_does_not_matter(rows: list[dict[str, object]]) -> None:
    mapper = mapper_of(shipped(BRANCH))

    assert mapper.map_all(rows) == mapper.map_all(sorted(rows, key=repr))
