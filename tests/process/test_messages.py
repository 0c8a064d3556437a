"""What is said, in both languages."""

import pytest

from process.messages import catalogue, say


def test_the_english_line_stands_above_the_chinese_one() -> None:
    said = say("settings.missing", place="a.yaml:3", field="kafka")

    assert said.splitlines() == [
        "a.yaml:3: kafka is missing. Add it here, or remove what makes it necessary.",
        "a.yaml:3：缺少 kafka。请在此处补上，或删除需要它的内容。",
    ]


def test_braces_in_what_is_told_are_told_as_they_are() -> None:
    assert "{field}" in say("settings.missing", place="{field}", field="kafka")


def test_a_code_that_no_catalogue_has_is_a_defect() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        say("nowhere.said")


def test_a_package_without_a_catalogue_says_nothing_of_its_own() -> None:
    assert catalogue("json") == {}
