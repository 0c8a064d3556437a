"""What happens to people afterwards: they move, die, pay back, have permits endorsed, get another number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from deploy.district import public_security, spellings, synthetic, vocabulary
from deploy.district.changes import Change, after, appeared, changed
from deploy.district.invention import place
from deploy.district.named_people import NAMED_PEOPLE
from deploy.district.rows import Element, Row, Said, person_subject
from deploy.district.sample import District
from deploy.district.social_security import VALID
from deploy.district.sources import CONTRIBUTION, RESIDENCE, RESIDENT
from deploy.district.stays import DAYS_OF_A_YEAR, ONE_DAY, Stay
from deploy.district.work import Paid, month_of, written

_MONTH, _RECEIVED = 3, 4
# Above the sequences that any block gives to its people.
_SPARE = {"MALE": 995, "FEMALE": 996}


def move(district: District, stay: Row, on: date, address: str) -> list[Change]:
    """Who was registered there is registered elsewhere in the district from this day on."""
    last, status = on - ONE_DAY, vocabulary.RESIDENCE_STATES["CANCELLED"]
    left = stay.changed(
        {"zxrq": spellings.digits(last), "djztdm": status, "gxsj": _stamp(on)},
        parts={"to": Said(last.isoformat()), "status": Said("CANCELLED", status)},
    )
    before = sum(row.person == stay.person for row in district.at(RESIDENCE))
    person, there = district.people[stay.person], Stay(address, on, None, "VALID")
    return [
        changed(stay, left),
        appeared(public_security.registration_row(person, before, there, Random(stay.person), on)),
    ]


def die(resident: Row, on: date) -> list[Change]:
    """Struck off the household register as deceased."""
    state, day = vocabulary.REGISTER_STATES["DECEASED"], spellings.digits(on)
    columns = {"czrkswrq": day, "czrkswzxlb": "1", "czrkzxrq": day, "czrkzxbs": "1", "zt": state}
    says = {"register_status": Said("DECEASED", state), "death_date": Said(on.isoformat())}
    return [changed(resident, resident.changed({**columns, "czrksjxgxsj": _stamp(on)}, says))]


def pay_back(year: Row, on: date) -> list[Change]:
    """The first month of the year that was not paid, received now."""
    element = year.element
    if element is None or not isinstance(months := element.parts["months"], Said):
        raise ValueError("the row states no months")
    place = months.value.index("M")
    month = int(str(year.lines[0][_MONTH])[:4]) * 12 + place
    letters = f"{months.value[:place]}{Paid(month, month_of(on)).letter}{months.value[place + 1 :]}"
    lines = tuple(_received(line, on) if line[_MONTH] == written(month) else line for line in year.lines)
    said = Element(element.attribute, {**element.parts, "months": Said(letters)})
    return [changed(year, replace(year, lines=lines, element=said))]


def endorse(permit: Row, on: date) -> list[Change]:
    """A residence permit endorsed for one more year."""
    until = date.fromisoformat(str(permit.columns["qzyxqz"])) + timedelta(days=DAYS_OF_A_YEAR)
    columns = {"qzyxqz": spellings.digits(until), "gxsj": _stamp(on)}
    return [changed(permit, permit.changed(columns, parts={"endorsed_until": Said(until.isoformat())}))]


def renumber(district: District, resident: Row, on: date) -> list[Change]:
    """Another number in the register, and the certificate of it; what others hold stays under the old one."""
    person = district.people[resident.person]
    new = synthetic.resident_number(person.born, _SPARE[person.sex])
    now = resident.changed({"czrkgmsfhm": new, "czrksjxgxsj": _stamp(on)})
    certificate = public_security.change_row(person, person.document, new, "WRONG", on)
    return [changed(resident, replace(now, subject=person_subject(new)).plant("renumbered")), appeared(certificate)]


def churn(district: District, seed: int, count: int, on: date) -> tuple[District, list[Change]]:
    """About `count` seeded changes of all five kinds, each to a row of its own, and the district they lead to."""
    random = Random(f"people's churn {seed}")
    each = Counter(random.choices(range(5), k=count))
    moving = _some(district, RESIDENCE, _is_open_stay, random, each[0])
    changes = [change for row in moving for change in move(district, row, on, place(random))]
    for row in _some(district, CONTRIBUTION, _misses_a_month, random, each[1]):
        changes += pay_back(row, on)
    for row in _some(district, RESIDENCE, _is_valid_permit, random, each[2]):
        changes += endorse(row, on)
    struck = _some(district, RESIDENT, _is_active, random, each[3] + each[4])
    for row in struck[: each[3]]:
        changes += die(row, on)
    for row in struck[each[3] :]:
        changes += renumber(district, row, on)
    return after(district, changes), changes


def _some(district: District, source: str, holds: Callable[[Row], bool], random: Random, count: int) -> list[Row]:
    """Rows a change may touch: live, without anything odd about them, and nobody named."""
    free = (row for row in district.at(source) if row.outcome == "live" and not row.planted)
    rows = [row for row in free if row.person > NAMED_PEOPLE and holds(row)]
    return random.sample(rows, min(count, len(rows)))


def _is_open_stay(row: Row) -> bool:
    return row.columns["lb"] == public_security.REGISTRATION and row.columns["zxrq"] is None


def _is_valid_permit(row: Row) -> bool:
    return row.columns["lb"] == public_security.PERMIT and row.columns["djztdm"] == "1"


def _is_active(row: Row) -> bool:
    return row.says["register_status"].value == "ACTIVE"


def _misses_a_month(row: Row) -> bool:
    months = row.element.parts["months"] if row.element else None
    return isinstance(months, Said) and "M" in months.value


def _received(line: tuple[str | None, ...], on: date) -> tuple[str | None, ...]:
    return *line[:_RECEIVED], "1", written(month_of(on)), VALID


def _stamp(on: date) -> str:
    return f"{on:%Y-%m-%d} 09:00:00"
