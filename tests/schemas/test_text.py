"""Names arrive as they were written, and two spellings of one name compare equal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text import UnmappedCharacterError, alike, clean, code_form

# The two-byte codes that stood for private-use points in GB18030-2000, and the characters they have got since.
CHARACTERS = {
    "A6D9": "\ufe10", "A6DA": "\ufe12", "A6DB": "\ufe11", "A6DC": "\ufe13", "A6DD": "\ufe14", "A6DE": "\ufe15",
    "A6DF": "\ufe16", "A6EC": "\ufe17", "A6ED": "\ufe18", "A6F3": "\ufe19", "A8BC": "\u1e3f",
    "FE51": "\U00020087", "FE52": "\U00020089", "FE53": "\U000200cc", "FE59": "\u9fb4", "FE61": "\u9fb5",
    "FE66": "\u9fb6", "FE67": "\u9fb7", "FE6C": "\U000215d7", "FE6D": "\u9fb8", "FE76": "\U0002298f",
    "FE7E": "\u9fb9", "FE90": "\u9fba", "FE91": "\U000241fe", "FEA0": "\u9fbb",
}  # fmt: skip
ROW_FE = [bytes([0xFE, low]) for low in range(0x50, 0xA1) if low != 0x7F]
PRINTED = st.text(st.characters(exclude_categories=["Cs", "Co", "Cn"]), max_size=20)


def is_private(character: str) -> bool:
    return unicodedata.category(character) == "Co"


@pytest.mark.parametrize(("code", "character"), CHARACTERS.items())
def test_a_code_of_2000_arrives_as_its_character_of_today(code: str, character: str) -> None:
    decoded = bytes.fromhex(code).decode("gb18030")

    assert is_private(decoded)
    assert clean(f"厦门{decoded}行") == f"厦门{character}行"


def test_every_private_use_point_of_row_fe_is_known() -> None:
    private = {code.hex().upper() for code in ROW_FE if is_private(code.decode("gb18030"))}

    assert private == {code for code in CHARACTERS if code.startswith("FE")}
    assert len(private) == 14
    assert [c for code in ROW_FE for c in clean(code.decode("gb18030")) if is_private(c)] == []


def test_the_space_of_the_user_area_is_a_space() -> None:
    assert clean("厦门" + b"\xa3\xa0".decode("gb18030") + "行") == "厦门\u3000行"
    assert clean(b"\xa3\xa0".decode("gb18030") + "行") == "行"


def test_a_rare_character_survives() -> None:
    assert b"\xfe\x9f".decode("gb18030") == "䶮"
    assert clean("厦门䶮记食品店") == "厦门䶮记食品店"


@pytest.mark.parametrize("character", ["\U0002a6d6", "\U00030000", "〓", "^", "？", "\ufe10", "é"])
def test_odd_characters_that_exist_are_kept(character: str) -> None:
    assert clean(character) == character


@pytest.mark.parametrize("code", ["AAA1", "AFFE", "F8A1", "A140", "A2AB", "A6B9", "A6FE", "A8C1"])
def test_a_point_of_the_user_areas_is_refused(code: str) -> None:
    decoded = bytes.fromhex(code).decode("gb18030")

    assert is_private(decoded)
    with pytest.raises(UnmappedCharacterError):
        clean(f"厦门{decoded}行")


@pytest.mark.parametrize(
    "character",
    ["\ue000", "\uf8ff", "\U000f0000", "\U0010fffd", "\ufffe", "\uffff", "\ufdd0", "\ufdef", "\U0001fffe", "\ud800"],
)
def test_what_stands_for_no_known_character_is_refused(character: str) -> None:
    with pytest.raises(UnmappedCharacterError) as refusal:
        clean(f"厦门{character}")

    assert "厦门" not in str(refusal.value)


@pytest.mark.parametrize("padding", [" ", "\u3000", "\u00a0", "\ufeff", "\u200b", "\t", "\r\n", "\u2060"])
def test_padding_goes_and_what_stands_inside_stays(padding: str) -> None:
    assert clean(f"{padding}示例（厦门） 有限公司{padding}") == "示例（厦门） 有限公司"


@given(PRINTED)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text("Aa１1（） 　·•", max_size=12))
def test_cleaning_changes_nothing_but_the_ends(text: str) -> None:
    assert clean(text) == text.strip(" 　")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("示例（厦门）有限公司", "示例(厦门)有限公司"),
        ("海沧区１２号", "海沧区12号"),
        ("ABC商行", "ａｂｃ商行"),
        ("示例 有限　公司", "示例有限公司"),
        ("阿里木·买买提", "阿里木•买买提"),
        ("阿里木·买买提", "阿里木‧买买提"),
        ("阿里木·买买提", "阿里木・买买提"),
        ("阿里木·买买提", "阿里木･买买提"),
        ("é店", "e\u0301店"),
    ],
)
def test_what_people_vary_is_alike(one: str, other: str) -> None:
    assert alike(one) == alike(other)


@pytest.mark.parametrize(
    ("one", "other"), [("示例一厂", "示例二厂"), ("䶮记", "龑记"), ("12号", "1-2号"), ("示例公司", "示例"), ("", "·")]
)
def test_what_people_mean_by_other_signs_is_not_alike(one: str, other: str) -> None:
    assert alike(one) != alike(other)


@given(st.text(max_size=20))
def test_the_comparison_form_is_alike_to_its_text(text: str) -> None:
    assert alike(alike(text)) == alike(text)


@given(st.text("示例厦门有限公司䶮ABcd12（）·", max_size=12), st.sampled_from([" ", "\u3000", "\t", "\n"]), st.data())
def test_a_space_more_makes_no_difference(name: str, space: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))

    assert alike(name[:at] + space + name[at:]) == alike(name)


@given(st.text("0123456789ABCXabcx－-　 ＡｘＸ１\u200b\ufeff", max_size=24))
def test_the_form_of_a_code_is_its_own_form(text: str) -> None:
    form = code_form(text)

    assert code_form(form) == form
    assert set(form) <= set("0123456789ABCX")
