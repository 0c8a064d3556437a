"""Five legal persons who are the same in every district, for demonstrations to call by name.

Their organisation codes are printed here, so a reader can be asked for them without the generator.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any, Final

from deploy.district import dirty_values, spellings, synthetic, vocabulary
from deploy.district.companies import office_of
from deploy.district.market_supervision import enterprise_row, key_person_row
from deploy.district.persons import LegalPerson, Representative
from deploy.district.rows import Row, Said
from deploy.district.social_security import unit_row
from deploy.district.sources import ENTERPRISE, LOCAL_TAX, LOCAL_TAXPAYER, MARKET, SOCIAL, STATE_TAX
from deploy.district.tax_offices import local_arrears_row, local_row, rating_row, state_arrears_row, state_row

CLEAN_FOOD_COMPANY: Final = synthetic.credit_code("91", synthetic.organisation_code("XXDEM001"))
DISPUTED_CATERER: Final = synthetic.credit_code("91", synthetic.organisation_code("XXDEM002"))
REVOKED_TRADER: Final = synthetic.credit_code("91", synthetic.organisation_code("XXDEM003"))
RARE_NAME_SHOP: Final = synthetic.credit_code("92", synthetic.organisation_code("XXDEM004"))
PRIVATE_USE_SHOP: Final = synthetic.credit_code("92", synthetic.organisation_code("XXDEM005"))

# The last places of a resident's number that only the named have.
NAMED_MAN, NAMED_WOMAN = 993, 994
_BORN: Final = date(1980, 5, 17)
FOUNDER: Final = Representative("示例陈明芳", synthetic.resident_number(_BORN, NAMED_WOMAN), _BORN)

# The character beside it is one that GB18030-2000 could only write at a private-use point.
_ONCE_PRIVATE = spellings.PRIVATE_USE["\ue81e"]


def named_persons() -> list[LegalPerson]:
    clean = LegalPerson(
        1, "company", "示例鲜达食品有限公司", "示例鲜达旧食品有限公司", vocabulary.FOOD, "ACTIVE", "NORMAL",
        "示例市样本区海明路12号101室", "示例市样本区海明路12号101室", FOUNDER.name,
        FOUNDER.document, date(2017, 3, 9), date(2019, 6, 3), 500,
        *_numbers(CLEAN_FOOD_COMPANY), (MARKET, STATE_TAX, LOCAL_TAX, SOCIAL),
    )  # fmt: skip
    return [
        clean,
        _like(clean, 2, DISPUTED_CATERER, "示例双禾餐饮管理有限公司", "示例林建华", trade=vocabulary.CATERING),
        _like(
            clean, 3, REVOKED_TRADER, "示例茂源百货有限公司", "示例黄志刚", status="REVOKED", trade=vocabulary.TRADES[5]
        ),
        _like(clean, 4, RARE_NAME_SHOP, f"示例{spellings.RARE}记小吃店", "示例王桂英", kind="sole_trader"),
        _like(clean, 5, PRIVATE_USE_SHOP, f"示例{_ONCE_PRIVATE}和商行", "示例张丽英", kind="sole_trader"),
    ]


def named_rows() -> list[Row]:
    """Their rows: all clean, but for the caterer's old name and address at the tax office, and one spelling."""
    random = Random(0)
    people = named_persons()
    return [_with_plants(write(person, random), person) for person in people for write in (enterprise_row, local_row)]


def further_rows(today: date) -> list[Row]:
    """What market supervision, the tax offices and social security hold of them besides: nothing is wrong with it."""
    random, rows = Random(1), []
    for person in named_persons():
        rows += [
            key_person_row(person, 0, office_of(person), random),
            state_row(person, random),
            state_arrears_row(person, random, today, owes=False),
            local_arrears_row(person, random, today, owes=False),
            unit_row(person, "INSURED" if person.status == "ACTIVE" else "ENDED"),
        ]
        rows += [rating_row(person, year, "A", random) for year in range(today.year - 3, today.year)]
    return rows


def _with_plants(row: Row, person: LegalPerson) -> Row:
    if row.person == 2 and row.source == LOCAL_TAXPAYER:
        old = "示例市样本区鹭江道7号203室"
        says = {"name": Said("示例双禾小吃有限公司"), "address": Said(old)}
        row = row.changed({"NSRMC": says["name"].value, "ZCDZ": old}, says)
        return row.plant("name_changed_at_registry", "name").plant("address_differs", "address")
    soiled = dirty_values.mapped_private_use(row, person, Random(0)) if row.source == ENTERPRISE else None
    return soiled.plant("mapped_private_use", "name") if soiled else row


def _like(clean: LegalPerson, number: int, code: str, name: str, representative: str, **other: Any) -> LegalPerson:
    organisation, credit, registered, taxpayer = _numbers(code)
    address = f"示例市样本区新阳街{number}0号"
    return replace(
        clean, number=number, name=name, former_name=name.replace("示例", "示例旧"),
        address=address, business_address=address, legal_representative=representative,
        representative_number=synthetic.resident_number(date(1979, 1, number), NAMED_MAN), organisation=organisation,
        credit_code=credit, registration_number=registered, taxpayer_number=taxpayer, **other,
    )  # fmt: skip


def _numbers(code: str) -> tuple[str, str, None, str]:
    return code[8:17], code, None, code
