"""The legal persons of the sample district as they truly are, before any department writes them down.

Years decide the numbers: who was founded before October 2015 has a registration number, an organisation
code and a 15-digit tax number until papers are exchanged; some of spring 2015 hold a pilot code; sole traders
get a credit code from December 2016 on and are known to the tax office by a person's number before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from deploy.district import synthetic, vocabulary
from deploy.district.invention import human_name, place
from deploy.district.sources import LOCAL_TAX, MARKET
from deploy.district.vocabulary import Trade

CREDIT_CODES_SINCE = date(2015, 10, 1)
PILOT_CODES_SINCE = date(2015, 5, 4)
SOLE_TRADER_CODES_SINCE = date(2016, 12, 1)
IN_15_DIGITS_UNTIL = 1985
FIRST_DAY, LAST_DAY = date(1998, 1, 1), date(2021, 6, 30)

REGISTERED_AND_TAXED = frozenset({MARKET, LOCAL_TAX})


class Representative(NamedTuple):
    """Who stands for a legal person."""

    name: str
    document: str
    born: date


@dataclass(frozen=True, slots=True)
class LegalPerson:
    """What is true of one legal person, and in which departments' books it stands."""

    number: int
    kind: str
    name: str
    former_name: str
    trade: Trade
    status: str
    tax_status: str
    address: str
    business_address: str
    legal_representative: str
    representative_number: str
    established_on: date
    approved_on: date
    capital: int
    organisation: str | None
    credit_code: str | None
    registration_number: str | None
    taxpayer_number: str
    departments: tuple[str, ...]
    ceased_on: date | None = None
    """When it went over into its successor."""
    successor: int | None = None

    def truth(self) -> dict[str, str]:
        """Its true value of every attribute."""
        return {
            "name": self.name,
            "status": self.status,
            "address": self.address,
            "business_address": self.business_address,
            "legal_representative": self.legal_representative,
            "industry": self.trade.industry,
            "scope": self.trade.scope,
            "established_on": self.established_on.isoformat(),
            "tax_status": self.tax_status,
            "taxpayer_number": self.taxpayer_number,
        }

    @property
    def stands_alone(self) -> bool:
        """Whether its organisation code may be written without the code around it."""
        return self.organisation is not None and self.organisation.startswith("XX")


def persons(
    random: Random, count: int, first: int, represented_by: Callable[[Random], Representative] | None = None
) -> Iterator[LegalPerson]:
    """`count` legal persons, numbered from `first` on; no two share a number of any kind.

    Who represents them is asked of `represented_by`; without it they are people of whom nothing else is known.
    """
    for number in range(first, first + count):
        yield _person(random, number, (represented_by or _stranger)(random))


def _stranger(random: Random) -> Representative:
    born = date(1952, 1, 1) + timedelta(days=random.randrange(15_000))
    return Representative(human_name(random), synthetic.resident_number(born, random.randrange(1, 996)), born)


def _person(random: Random, number: int, representative: Representative) -> LegalPerson:
    kind = random.choices(("company", "sole_trader", "cooperative", "body"), (70, 24, 2, 4))[0]
    established = FIRST_DAY + timedelta(days=int((LAST_DAY - FIRST_DAY).days * random.betavariate(2.2, 1.2)))
    trade = random.choice(vocabulary.TRADES)
    name, former = _names(random, kind, trade)
    status = _status(random)
    address = place(random)
    organisation, credit, registered, taxpayer = _numbers(random, number, kind, established, representative)
    return LegalPerson(
        number, kind, name, former, trade, status, _tax_status(random, status), address,
        address if random.random() < 0.8 else place(random),
        representative.name, representative.document, established,
        established + timedelta(days=random.randrange(max(1, (LAST_DAY - established).days))),
        random.choice((0, 3, 10, 50, 100, 500, 1000, 5000)),
        organisation, credit, registered, taxpayer, _departments(random, kind),
    )  # fmt: skip


def _names(random: Random, kind: str, trade: Trade) -> tuple[str, str]:
    now, before = ("".join(random.sample(vocabulary.BRANDS, 2)) + random.choice(vocabulary.BRANDS) for _ in range(2))
    if kind == "company":
        place_word = random.choice(("", "", "（样本）"))
        ending = trade.word + random.choice(vocabulary.COMPANY_FORMS)
        return f"示例{place_word}{now}{ending}", f"示例{place_word}{before}旧{ending}"
    shop = trade.word + random.choice(vocabulary.SHOP_FORMS)
    ending = {"sole_trader": shop, "cooperative": "农民专业合作社"}.get(kind, "协会")
    return f"示例{now}{ending}", f"示例{before}旧{ending}"


def _status(random: Random) -> str:
    states = tuple(vocabulary.REGISTRATION_STATES)
    return random.choices(states, (80, 5, 2, 8, 1, 3, 1))[0]


def _tax_status(random: Random, status: str) -> str:
    if status == "ACTIVE":
        states = ("NORMAL", "PREPARING", "PENDING", "SUSPENDED", "ABNORMAL", "OTHER")
        return random.choices(states, (88, 2, 1, 3, 4, 2))[0]
    if status == "REVOKED":
        return random.choice(("NORMAL", "ABNORMAL", "ABNORMAL", "ABNORMAL_CANCELLED"))
    return random.choices(("CANCELLED", "LIQUIDATING"), (9, 1))[0]


def _departments(random: Random, kind: str) -> tuple[str, ...]:
    if kind == "body":
        return (LOCAL_TAX,)
    return random.choices(((MARKET, LOCAL_TAX), (MARKET,), (LOCAL_TAX,)), (92, 5, 3))[0]


def _numbers(
    random: Random, number: int, kind: str, established: date, representative: Representative
) -> tuple[str | None, str | None, str | None, str]:
    """Organisation code, credit code, registration number and tax number, as the years and the kind gave them."""
    if kind == "sole_trader":
        return _sole_trader_numbers(random, number, established, representative)
    if kind in {"cooperative", "body"}:
        organisation = synthetic.organisation_code(_body(random, number))
        prefix = "93" if kind == "cooperative" else random.choice(("51", "52", "12", "J1", "N2"))
        code = synthetic.credit_code(prefix, organisation)
        return organisation, code, None, code
    return _company_numbers(random, number, established)


def _sole_trader_numbers(
    random: Random, number: int, established: date, representative: Representative
) -> tuple[str | None, str | None, str | None, str]:
    old = established < SOLE_TRADER_CODES_SINCE
    registered = synthetic.registration_number(60_000_000 + number) if old else None
    if not old or random.random() < 0.25:
        organisation = synthetic.organisation_code(_body(random, number))
        code = synthetic.credit_code("92", organisation)
        return organisation, code, registered, code
    short = random.random() < 0.3 and representative.born.year < IN_15_DIGITS_UNTIL
    document = synthetic.shortened(representative.document) if short else representative.document
    return None, None, registered, synthetic.person_tax_number(document, number % 100)


def _company_numbers(random: Random, number: int, established: date) -> tuple[str | None, str | None, str | None, str]:
    if PILOT_CODES_SINCE <= established < CREDIT_CODES_SINCE and random.random() < 0.7:
        organisation, code = _pilot(number)
        return organisation, code, None, code
    organisation = synthetic.organisation_code(_body(random, number))
    code = synthetic.credit_code("91", organisation)
    if established >= CREDIT_CODES_SINCE:
        return organisation, code, None, code
    registered = synthetic.registration_number(20_000_000 + number)
    old_tax_number = synthetic.organisation_tax_number(organisation)
    exchanged = random.random() < 0.8
    keeps_tax_number = not exchanged or random.random() < 0.25
    return organisation, code if exchanged else None, registered, old_tax_number if keeps_tax_number else code


def _body(random: Random, number: int) -> str:
    """Eight characters of an organisation code; in one of ten, digits alone, of the older ranges.

    Digits 3 and 4 stay above 12, so that a 15-digit tax number never looks like a resident number by accident.
    """
    if random.random() < 0.1:
        spread = number * 7919 % 78_300_000
        digits = f"{10 + spread // 870_000}{13 + spread // 10_000 % 87}{spread % 10_000:04d}"
        whole = synthetic.organisation_tax_number(synthetic.organisation_code(digits))
        if not synthetic.is_registration_number(whole):
            return digits
    return "XX" + _in_letters(number * 31 + random.randrange(31), 6)


def _pilot(number: int) -> tuple[str, str]:
    for step in range(10):
        organisation = synthetic.organisation_code("M0" + _in_letters(number * 10 + step, 6))
        if code := synthetic.pilot_code("91", organisation):
            return organisation, code
    raise AssertionError("ten pilot codes in a row without a check sign")


def _in_letters(value: int, width: int) -> str:
    letters = ""
    for _ in range(width):
        value, rest = divmod(value, 31)
        letters = synthetic.LETTERS_31[rest] + letters
    return letters
