"""The legal persons of a block, as they came to be: founded by its people, merged, turned from trader into company."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from deploy.district import market_supervision, social_security, spellings, synthetic, tax_offices
from deploy.district.market_supervision import FOREIGNERS_CARD, PASSPORT, RESIDENT_CARD, Office
from deploy.district.people import NaturalPerson
from deploy.district.persons import REGISTERED_AND_TAXED, LegalPerson, Representative, persons
from deploy.district.rows import Row
from deploy.district.sources import LOCAL_TAX, MARKET, SOCIAL, STATE_TAX

_FOREIGN_NAMES = ("示例史密斯", "示例·安德烈", "示例穆罕默德", "示例田中")
_TRADERS_CODES_BEGIN = date(2016, 12, 1)


def founded(random: Random, first: int, count: int, people: Sequence[NaturalPerson], today: date) -> list[LegalPerson]:
    """`count` legal persons represented by these people, each known to some of the departments."""
    representative = _representatives(people, today)
    drawn = [with_rare_name(person) for person in persons(random, count, first, representative)]
    known = [replace(person, departments=_departments(random, person)) for person in drawn]
    return _merged(random, _turned_into_companies(_led_from_abroad(random, known)))


def rows_of(person: LegalPerson, random: Random) -> list[Row]:
    """Its clean rows in the two registers, with what is odd about the person itself noted."""
    write = {MARKET: market_supervision.enterprise_row, LOCAL_TAX: tax_offices.local_row}
    rows = [write[department](person, random) for department in person.departments if department in write]
    return [_noted(row, person, rows) for row in rows]


def further_rows(person: LegalPerson, people: Sequence[NaturalPerson], random: Random, today: date) -> Iterator[Row]:
    """What else the departments hold of it."""
    if MARKET in person.departments:
        for nth, office in enumerate(_offices(person, people, random)):
            yield market_supervision.key_person_row(person, nth, office, random)
        yield from market_supervision.listing_rows(person, random, today)
        yield from market_supervision.permit_rows(person, random, today)
    if STATE_TAX in person.departments:
        row = tax_offices.state_row(person, random)
        coarse = row.says["tax_status"].value != person.tax_status
        yield row.plant("coarser_tax_status", "tax_status") if coarse else row
        yield tax_offices.state_arrears_row(person, random, today, owes=random.random() < 0.03)
        yield from tax_offices.rating_rows(person, random, today)
    if LOCAL_TAX in person.departments:
        yield tax_offices.local_arrears_row(person, random, today, owes=random.random() < 0.04)
    if SOCIAL in person.departments:
        takes_part = random.choices(("INSURED", "SUSPENDED"), (97, 3))[0]
        yield social_security.unit_row(person, takes_part if person.status == "ACTIVE" else "ENDED")


def employers(legal: Sequence[LegalPerson]) -> list[LegalPerson]:
    """Who may insure people: units that are at work, or went over into another."""
    insured = [person for person in legal if SOCIAL in person.departments]
    return [unit for unit in insured if unit.status == "ACTIVE" or unit.successor is not None]


def with_rare_name(person: LegalPerson) -> LegalPerson:
    """Some names hold a character few systems could write, or one that had a private-use point only."""
    if person.number % 97 == 13:
        return replace(person, name=person.name.replace("示例", "示例" + spellings.RARE, 1))
    if person.number % 211 == 17:
        once_private = list(spellings.PRIVATE_USE.values())[person.number % len(spellings.PRIVATE_USE)]
        return replace(person, name=person.name.replace("示例", "示例" + once_private, 1))
    return person


def office_of(person: LegalPerson) -> Office:
    """The office of who represents it."""
    number = person.representative_number
    kind = RESIDENT_CARD
    if number.startswith(synthetic.NOWHERE):
        kind = FOREIGNERS_CARD if len(number) == len("UTO350280010111") else PASSPORT
    return Office("4" if person.kind == "sole_trader" else "1", person.legal_representative, number, kind)


def _noted(row: Row, person: LegalPerson, rows: list[Row]) -> Row:
    if len(rows) < len(REGISTERED_AND_TAXED):
        return row.plant("unknown_to_registry" if row.department == LOCAL_TAX else "unknown_to_tax")
    if rows[0].subject != rows[1].subject:
        row = row.plant("known_under_two_numbers")
    if row.department == LOCAL_TAX and person.status == "REVOKED" and person.tax_status == "NORMAL":
        row = row.plant("revoked_but_normal_at_tax", "tax_status")
    if row.department == MARKET and (person.organisation or "").startswith("M0"):
        row = row.plant("pilot_code")
    if row.department == MARKET and person.successor is not None:
        row = row.plant("merged" if person.kind == "company" else "turned_into_company", "status")
    return row


def _representatives(people: Sequence[NaturalPerson], today: date) -> Callable[[Random], Representative]:
    """Those who live elsewhere first, since nothing but an office brings them here; then anyone of age."""
    outside = [person for person in people if person.standing == "outside"]
    adults = _adults(people, today)

    def representative(random: Random) -> Representative:
        person = outside.pop() if outside else random.choice(adults)
        return Representative(person.name, person.document, person.born)

    return representative


def _adults(people: Sequence[NaturalPerson], today: date) -> list[NaturalPerson]:
    return [person for person in people if person.state == "ACTIVE" and 21 <= person.age(today) <= 75]


def _departments(random: Random, person: LegalPerson) -> tuple[str, ...]:
    """The two registers as drawn, and beside them the state tax office and social security."""
    known = set(person.departments)
    if random.random() < (0.75 if LOCAL_TAX in known else 0.3):
        known.add(STATE_TAX)
    if social_security.can_insure(person) and random.random() < (0.25 if person.kind == "sole_trader" else 0.85):
        known.add(SOCIAL)
    return tuple(sorted(known, key=[MARKET, STATE_TAX, LOCAL_TAX, SOCIAL].index))


def _led_from_abroad(random: Random, known: list[LegalPerson]) -> list[LegalPerson]:
    return [_with_foreigner(random, p) if p.kind == "company" and random.random() < 0.02 else p for p in known]


def _with_foreigner(random: Random, person: LegalPerson) -> LegalPerson:
    card = synthetic.foreigner_card_15(
        date(1960, 1, 1) + timedelta(days=person.number % 12_000), person.number // 12_000
    )
    number = card if random.random() < 0.7 else synthetic.foreign_passport(person.number % 1_000)
    return replace(person, legal_representative=random.choice(_FOREIGN_NAMES), representative_number=number)


def _turned_into_companies(known: list[LegalPerson]) -> list[LegalPerson]:
    """个转企: of every hundred one sole trader ended when its owner founded a company in its place."""
    found = {person.number: person for person in known}
    traders = [person for person in known if person.kind == "sole_trader" and MARKET in person.departments]
    companies = [p for p in known if p.kind == "company" and p.established_on > _TRADERS_CODES_BEGIN]
    pairs = ((t, c) for t in traders for c in companies if t.established_on < c.established_on)
    for trader, company in list(pairs)[: 1 + len(known) // 150]:
        if found[trader.number].successor or found[company.number] != company:
            continue
        found[trader.number] = _ceased(trader, company, company.established_on)
        found[company.number] = replace(
            company, name=f"{trader.name}有限公司", legal_representative=trader.legal_representative,
            representative_number=trader.representative_number, status="ACTIVE", tax_status="NORMAL",
        )  # fmt: skip
    return list(found.values())


def _merged(random: Random, known: list[LegalPerson]) -> list[LegalPerson]:
    """Of every hundred one company was taken over by another."""
    active = [
        p for p in known if p.kind == "company" and p.status == "ACTIVE" and {MARKET, SOCIAL} <= set(p.departments)
    ]
    found = {person.number: person for person in known}
    for taken, taking in list(zip(active[::2], active[1::2], strict=False))[: 1 + len(known) // 150]:
        begun = max(taken.established_on, taking.established_on, date(2015, 1, 1))
        found[taken.number] = _ceased(taken, taking, begun + timedelta(days=random.randrange(200, 900)))
    return list(found.values())


def _ceased(person: LegalPerson, successor: LegalPerson, on: date) -> LegalPerson:
    return replace(
        person, status="CANCELLED", tax_status="CANCELLED", approved_on=on, ceased_on=on, successor=successor.number
    )  # fmt: skip


def _offices(person: LegalPerson, people: Sequence[NaturalPerson], random: Random) -> Iterator[Office]:
    yield office_of(person)
    if person.kind == "company":
        for sign in random.choices(("2", "2", "3"), k=random.choice((0, 0, 1, 1, 2))):
            other = random.choice(people)
            yield Office(sign, other.name, other.document)
