"""Items as data: what ships can be read, and what could never be decided is refused with its place."""

from pathlib import Path

import pytest

from approval.items import SHIPPED, find, read
from process.errors import SettingsError

GOOD = (SHIPPED / "food_business_licence.yaml").read_text("utf-8")


def test_every_shipped_item_is_named_like_its_file() -> None:
    items = {file.stem: read(file).id for file in SHIPPED.glob("*.yaml")}

    assert items
    assert all(stem == item for stem, item in items.items())


def test_every_material_says_what_it_rests_on_or_that_nobody_has_confirmed_it() -> None:
    materials = [material for file in SHIPPED.glob("*.yaml") for material in read(file).materials]

    assert all(material.legal_basis.source or material.legal_basis.unconfirmed for material in materials)


def test_an_unknown_item_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="food_business_licence"):
        find("food_licence")


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("attribute: status,", "attribute: state,", "no attribute state"),
        ("in: [ACTIVE]", "on_or_after: 2020-01-01", "on_or_after does not fit status"),
        ("in: [ACTIVE]", "in: [ACTIVE], present: true", "exactly one of"),
        ("authorities: [market_supervision]", "authorities: [local_tax]", "none of its authorities"),
        ("discloses: [name,", "discloses: [owner,", "no attribute owner"),
        ("    max_age: P1D\n", "", "needs authorities and max_age"),
        ("max_age: P1D", "max_age: P0D", "max_age must be > 0"),
        ("max_age: P1D", "max_ages: P1D", "Was max_age meant"),
        ("unconfirmed: true}", "}", "mark it unconfirmed"),
        ("applicant: legal_person", "applicants: legal_person", "names no role applicant"),
    ],
)
def test_an_item_that_could_not_be_decided_is_refused_with_its_place(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    file = tmp_path / "item.yaml"
    file.write_text(GOOD.replace(written, instead, 1), "utf-8")

    with pytest.raises(SettingsError, match=rf"item\.yaml:\d+: (.|\n)*{told}"):
        read(file)
