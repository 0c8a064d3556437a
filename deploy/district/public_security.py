"""What the police write down: the household register, residence registrations and permits, changed numbers.

Days stand as eight digits. The register tells a person's state by dates and flags, and once more by `zt`, as the
view that hands it over derives it.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from random import Random

from deploy.district import spellings, synthetic, vocabulary
from deploy.district.people import ADULT, HOME_DIVISION, NaturalPerson
from deploy.district.rows import RESIDENCE_PERMIT, Columns, Element, Row, Said, person_subject
from deploy.district.sources import IDENTITY_CHANGE, RESIDENCE, RESIDENT
from deploy.district.stays import Permit, Stay

REGISTRATION, PERMIT = "1", "2"
LONG_TERM_FROM = 46
_STRUCK_OFF = {"DECEASED": ("czrkswrq", "czrkswzxlb"), "MOVED_OUT": ("czrkqcrq", "czrkqczxlb")}


def resident_row(person: NaturalPerson, random: Random, today: date) -> Row:
    """The person in the household register."""
    zt = vocabulary.REGISTER_STATES[person.state]
    columns: Columns = {
        "czrkrkid": person.register_id,
        "czrkgmsfhm": person.document,
        "czrkxm": person.name,
        "czrkcym": None,
        "czrkxb": vocabulary.SEXES[person.sex],
        "czrkmz": person.ethnicity,
        "czrkcsrq": spellings.digits(person.born),
        "czrkswrq": None,
        "czrkswzxlb": None,
        "czrkqcrq": None,
        "czrkqczxlb": None,
        "czrkzxrq": None,
        "czrkzxbs": "0" if person.state == "ACTIVE" else "1",
        "czrkzz": person.household.address,
        "czrkssssxq": person.household.division,
        "czrkhh": person.household.number,
        "czrkyhzgx": person.relation,
        **_card(person, random, today),
        "zt": zt,
        "czrksjxgxsj": spellings.stamp(person.ended_on or today - timedelta(days=random.randrange(30, 3000)), random),
    }
    truth = person.truth()
    says = {
        "name": Said(truth["name"]),
        "sex": Said(person.sex, vocabulary.SEXES[person.sex]),
        "ethnicity": Said(person.ethnicity, person.ethnicity),
        "birth_date": Said(truth["birth_date"]),
        "register_status": Said(person.state, zt),
        "household_address": Said(person.household.address),
        "household_division": Said(person.household.division, person.household.division),
        "household_number": Said(person.household.number),
        "household_relation": Said(person.relation, person.relation),
    }
    if person.ended_on:
        day, kind = _STRUCK_OFF.get(person.state, ("czrkzxrq", "czrkzxbs"))
        columns.update(
            {kind: "1", "czrkzxrq": spellings.digits(person.ended_on), day: spellings.digits(person.ended_on)}
        )
    if "death_date" in truth:
        says["death_date"] = Said(truth["death_date"])
    if columns["jmsfzjcqyxbz"] == "1":
        says["card_valid_to"] = Said(spellings.NO_END)
    elif columns["jmsfzjyxqjzrq"]:
        says["card_valid_to"] = Said(date.fromisoformat(columns["jmsfzjyxqjzrq"]).isoformat())
    subject = person_subject(person.document)
    return Row(RESIDENT, person.register_id, person.number, subject, columns, says)


def residence_rows(
    person: NaturalPerson, lived: list[Stay], held: list[Permit], random: Random, today: date
) -> list[Row]:
    """A registration for every stay, and the permits."""
    stays = [registration_row(person, nth, stay, random, today) for nth, stay in enumerate(lived)]
    for nth, (before, stay) in enumerate(pairwise(lived), 1):
        if before.last is not None and stay.first <= before.last:
            stays[nth] = stays[nth].plant("overlapping_residences", "residences")
    return stays + [permit_row(person, nth, permit, random, today) for nth, permit in enumerate(held)]


def registration_row(person: NaturalPerson, nth: int, stay: Stay, random: Random, today: date) -> Row:
    columns, parts = _residence(person, REGISTRATION, nth, stay, random, today)
    return _row(person, columns, parts)


def permit_row(person: NaturalPerson, nth: int, permit: Permit, random: Random, today: date) -> Row:
    columns, parts = _residence(person, PERMIT, nth, permit, random, today)
    number = synthetic.residence_permit(permit.first.year, (person.number * 7 + nth) % 1_000_000)
    columns.update({"zzzh": number, "qzyxqz": spellings.digits(permit.endorsed_until)})
    parts.update(
        {"number": Said(number, scheme=RESIDENCE_PERMIT), "endorsed_until": Said(permit.endorsed_until.isoformat())}
    )
    return _row(person, columns, parts)


def change_row(person: NaturalPerson, old: str, new: str, reason: str, on: date) -> Row:
    """A certificate that the person's number was changed; it is filed under the new one."""
    record_id = f"BG{on.year}{person.number:010d}"
    columns: Columns = {
        "证明编号": record_id, "原号码": old, "新号码": new, "变更原因": vocabulary.CHANGE_REASONS[reason],
        "变更日期": on.isoformat(),
    }  # fmt: skip
    return Row(IDENTITY_CHANGE, record_id, person.number, person_subject(new), columns, {})


def _card(person: NaturalPerson, random: Random, today: date) -> Columns:
    """An identity card: for life from 46 on, for twenty years before, for ten in youth, none for small children."""
    if person.age(today) < ADULT - 2 or person.state != "ACTIVE":
        return {"jmsfzjyxqqsrq": None, "jmsfzjyxqjzrq": None, "jmsfzjcqyxbz": "0"}
    start = today - timedelta(days=random.randrange(30, 3500))
    if person.age(start) >= LONG_TERM_FROM:
        return {"jmsfzjyxqqsrq": spellings.digits(start), "jmsfzjyxqjzrq": None, "jmsfzjcqyxbz": "1"}
    years = 20 if person.age(start) >= 26 else 10
    end = start.replace(year=start.year + years, day=min(start.day, 28))
    return {"jmsfzjyxqqsrq": spellings.digits(start), "jmsfzjyxqjzrq": spellings.digits(end), "jmsfzjcqyxbz": "0"}


def _residence(
    person: NaturalPerson, kind: str, nth: int, stay: Stay | Permit, random: Random, today: date
) -> tuple[Columns, dict[str, Said]]:
    status = vocabulary.RESIDENCE_STATES[stay.status]
    columns: Columns = {
        "jzid": f"JZ{person.number:09d}{kind}{nth:02d}",
        "lb": kind,
        "zzzh": None,
        "sfzh": person.document,
        "xm": person.name,
        "zzdz": stay.address,
        "qxdm": HOME_DIVISION,
        "djrq": spellings.digits(stay.first),
        "zxrq": spellings.digits(stay.last) if stay.last else None,
        "djztdm": status,
        "qzyxqz": None,
        "gxsj": spellings.stamp(min(today, stay.last or stay.first), random),
    }
    parts = {
        "kind": Said("PERMIT" if kind == PERMIT else "REGISTRATION", kind),
        "address": Said(stay.address),
        "division": Said(HOME_DIVISION, HOME_DIVISION),
        "status": Said(stay.status, status),
        "from": Said(stay.first.isoformat()),
    }
    if stay.last:
        parts["to"] = Said(stay.last.isoformat())
    return columns, parts


def _row(person: NaturalPerson, columns: Columns, parts: dict[str, Said]) -> Row:
    record_id, subject = str(columns["jzid"]), person_subject(person.document)
    return Row(RESIDENCE, record_id, person.number, subject, columns, {}, element=Element("residences", parts))
