"""Ten people who are the same in every whole district, for demonstrations and tests to call by number.

Their numbers, names and households never change; what is counted from today (a gap in the last half year, a permit
about to lapse) moves with the district's day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Final

from deploy.district import named, public_security, social_security, synthetic, vocabulary
from deploy.district.named import FOUNDER, NAMED_MAN, NAMED_WOMAN
from deploy.district.people import HOME_DIVISION, OTHER_DIVISION, Household, NaturalPerson, Standing
from deploy.district.persons import LegalPerson
from deploy.district.rows import Row, Said
from deploy.district.stays import Stay, permit
from deploy.district.work import Job, Paid, month_of

NAMED_PEOPLE = 10
_HERE = Household("", "示例市样本区海明路18号301室", f"{HOME_DIVISION}001")
_ELSEWHERE = Household("", "示例邻市样本县东孚路7号2组", OTHER_DIVISION)
_ALL_KINDS = tuple(vocabulary.INSURANCES)
_PENSION = ("PENSION", "INJURY")


def _person(number: int, name: str, born: date, sex: str, standing: Standing) -> NaturalPerson:
    """Someone who is head of an own household."""
    document = synthetic.resident_number(born, NAMED_MAN if sex == "MALE" else NAMED_WOMAN)
    place = _HERE if standing == "resident" else _ELSEWHERE
    household = place._replace(number=f"HHDEM{number:07d}")
    return NaturalPerson(number, name, sex, born, document, "01", standing, household, "01", number)


OWNER: Final = _person(1, FOUNDER.name, FOUNDER.born, "FEMALE", "resident")
PARENT: Final = _person(2, "示例林晓雯", date(1986, 11, 3), "FEMALE", "province")
CHILD: Final = replace(
    _person(3, "示例林小舟", date(2017, 9, 10), "MALE", "province"),
    household=PARENT.household, relation="20", family=PARENT.family,
)  # fmt: skip
ENDORSED: Final = _person(4, "示例郑海涛", date(1990, 2, 20), "MALE", "distant")
ONE_DAY_AWAY: Final = _person(5, "示例吴静", date(1988, 7, 7), "FEMALE", "province")
PAID_BACK: Final = _person(6, "示例蔡国平", date(1984, 4, 4), "MALE", "province")
TWO_NUMBERS: Final = _person(7, "示例谢桂兰", date(1970, 3, 12), "FEMALE", "resident")
CERTIFIED: Final = _person(8, "示例洪建军", date(1968, 8, 8), "MALE", "resident")
DECEASED: Final = replace(
    _person(9, "示例赖志国", date(1950, 1, 30), "MALE", "resident"), state="DECEASED", ended_on=date(2023, 2, 14)
)  # fmt: skip
TWO_NAMES: Final = _person(10, "示例周艳", date(1992, 12, 1), "FEMALE", "distant")
_OTHER_NAME = "示例周燕"


@cache
def _employer() -> LegalPerson:
    return named.named_persons()[0]


def named_people() -> list[NaturalPerson]:
    return [OWNER, PARENT, CHILD, ENDORSED, ONE_DAY_AWAY, PAID_BACK, TWO_NUMBERS, CERTIFIED, DECEASED, TWO_NAMES]


def named_rows(today: date) -> list[Row]:
    """Every row about them, but for the offices they hold."""
    random = Random(2)
    registered = [public_security.resident_row(p, random, today) for p in named_people() if p.is_registered]
    return [
        *registered,
        *_parent_and_child(random, today),
        *_endorsed(random, today),
        *_one_day_away(random, today),
        *_paid_back(random, today),
        *_two_numbers(TWO_NUMBERS, today),
        *_two_numbers(CERTIFIED, today),
        public_security.change_row(CERTIFIED, _short(CERTIFIED), CERTIFIED.document, "UPGRADED", date(2015, 6, 1)),
        _pension_of_the_dead(),
        *_two_names(random, today),
    ]


def _parent_and_child(random: Random, today: date) -> list[Row]:
    """In the district since 2019, moved once without a day between; insured in every kind, three months paid back."""
    lived = [
        Stay("示例市样本区新阳街66号502室", date(2019, 3, 1), date(2022, 8, 31), "CANCELLED"),
        Stay("示例市样本区海明路30号801室", date(2022, 9, 1), None, "VALID"),
    ]
    held = [permit(lived[0], date(2019, 10, 1), today), permit(lived[1], date(2022, 9, 1), today)]
    late = {month_of(date(2021, month, 1)): month_of(date(2021, 9, 1)) for month in (3, 4, 5)}
    return [
        *public_security.residence_rows(PARENT, lived, held, random, today),
        *public_security.residence_rows(CHILD, lived, [], random, today),
        *_insured(PARENT, [_job(date(2019, 4, 1))], _ALL_KINDS, today, late),
    ]


def _endorsed(random: Random, today: date) -> list[Row]:
    """Here since 2018 without a gap; the permit's endorsement ends within the month."""
    stay = Stay("示例市样本区滨湖北路9号1203室", date(2018, 6, 1), None, "VALID")
    held = [permit(stay, today - timedelta(days=3 * 365 - 20), today)]
    return [
        *public_security.residence_rows(ENDORSED, [stay], held, random, today),
        *_insured(ENDORSED, [_job(date(2018, 9, 1))], _PENSION, today),
    ]


def _one_day_away(random: Random, today: date) -> list[Row]:
    """Moved in the last half year, and was registered nowhere for one day."""
    lived = [
        Stay("示例市样本区兴港路5号101室", date(2020, 5, 6), today - timedelta(days=100), "CANCELLED"),
        Stay("示例市样本区沧林路88号604室", today - timedelta(days=98), None, "VALID"),
    ]
    held = [permit(lived[1], today - timedelta(days=98), today)]
    return [
        *public_security.residence_rows(ONE_DAY_AWAY, lived, held, random, today),
        *_insured(ONE_DAY_AWAY, [_job(date(2020, 6, 1))], _PENSION, today),
    ]


def _paid_back(random: Random, today: date) -> list[Row]:
    """The whole last year but this was paid back in one go."""
    stay = Stay("示例市样本区霞飞街21号302室", date(2017, 8, 1), None, "VALID")
    year = today.year - 1
    received = month_of(date(year, 12, 1)) + 2
    late = {month: received for month in range(year * 12, year * 12 + 12) if received <= month_of(today)}
    return [
        *public_security.residence_rows(PAID_BACK, [stay], [permit(stay, date(2018, 3, 1), today)], random, today),
        *_insured(PAID_BACK, [_job(date(2018, 1, 1))], ("PENSION",), today, late),
    ]


def _two_numbers(person: NaturalPerson, today: date) -> list[Row]:
    """First insured under 15 digits, later under 18."""
    first = Job(_employer(), month_of(date(2017, 4, 1)), month_of(date(2018, 12, 1)))
    before = _insured(person, [first], ("PENSION",), today, document=_short(person))
    after = _insured(person, [_job(date(2019, 1, 1))], ("PENSION",), today, nth=1)
    return [*(row.plant("fifteen_digits_before") for row in before), *after]


def _pension_of_the_dead() -> Row:
    job = _job(date(2017, 4, 1))
    row = social_security.relation_row(DECEASED, 0, job, "PENSION", DECEASED.document, retired=True)
    return row.plant("deceased_but_insured", "insurances")


def _two_names(random: Random, today: date) -> list[Row]:
    """Only social security knows her, under two names."""
    stay = Stay("示例市样本区角嵩路15号209室", date(2021, 2, 1), None, "VALID")
    former = Job(_employer(), month_of(date(2021, 3, 1)), month_of(date(2022, 6, 1)))
    first, *others = _insured(TWO_NAMES, [former, _job(date(2022, 7, 1))], ("PENSION",), today)
    misspelt = first.changed({"AAC003": _OTHER_NAME}, {"name": Said(_OTHER_NAME)}).plant("two_names", "name")
    return [*public_security.residence_rows(TWO_NAMES, [stay], [], random, today), misspelt, *others]


def _job(since: date) -> Job:
    return Job(_employer(), month_of(since), None)


def _insured(
    person: NaturalPerson, held: Sequence[Job], kinds: Sequence[str], today: date,
    late: Mapping[int, int] = MappingProxyType({}), document: str | None = None, nth: int = 0,
) -> list[Row]:  # fmt: skip
    """Relations and contributions; what is not late was received the month after."""
    due = [month for job in held for month in range(job.first, (job.last or month_of(today) - 1) + 1)]
    paid = [Paid(month, late.get(month, month + 1)) for month in due]
    return list(social_security.insured_rows(person, document or person.document, kinds, held, paid, nth))


def _short(person: NaturalPerson) -> str:
    return synthetic.shortened(person.document)
