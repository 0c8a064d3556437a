"""Dirt in rows about people: numbers that name somebody else or nobody, words that differ from the police's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from deploy.district import spellings, synthetic, vocabulary
from deploy.district.invention import another, human_name, place
from deploy.district.persons import IN_15_DIGITS_UNTIL
from deploy.district.rows import Row, Said, Subject, nobody, person_subject
from deploy.district.social_security import OPEN_MONTH

_OTHER_SEX = {"MALE": "FEMALE", "FEMALE": "MALE"}
_TYPED_FOR_X = "\N{MULTIPLICATION SIGN}"


def lower_case_x(column: str) -> Callable[[Row], Row | None]:
    def soil(row: Row) -> Row | None:
        number = str(row.columns[column])
        return row.changed({column: number.lower()}) if number.endswith("X") else None

    return soil


def sign_for_x(column: str) -> Callable[[Row], Row | None]:
    def soil(row: Row) -> Row | None:
        number = str(row.columns[column])
        return row.changed({column: number[:-1] + _TYPED_FOR_X}) if number.endswith("X") else None

    return soil


def full_width(column: str) -> Callable[[Row], Row | None]:
    def soil(row: Row) -> Row | None:
        number = row.columns[column]
        return row.changed({column: spellings.full_width(number)}) if number else None

    return soil


def mistyped(column: str) -> Callable[[Row], Row | None]:
    """A check digit that is wrong: whose row it is cannot be told, and it is told by itself."""

    def soil(row: Row) -> Row | None:
        number = str(row.columns[column])
        if len(number) != 18:
            return None
        wrong = "1" if number[17] != "1" else "2"
        return _nobody(row.changed({column: number[:17] + wrong}))

    return soil


def blank(column: str) -> Callable[[Row], Row]:
    def soil(row: Row) -> Row:
        return _nobody(row.changed({column: None}))

    return soil


def cut_short(column: str) -> Callable[[Row], Row]:
    """A number of no known form: the row is refused."""

    def soil(row: Row) -> Row:
        number = str(row.columns[column])
        return replace(row.changed({column: number[:13]}), outcome="refused", reason="subject_unreadable")

    return soil


def fifteen_digits(column: str) -> Callable[[Row], Row | None]:
    """The number as it stood on the first cards: another subject, until the police say that both are one's."""

    def soil(row: Row) -> Row | None:
        number = str(row.columns[column])
        if len(number) != 18 or int(number[6:10]) >= IN_15_DIGITS_UNTIL:
            return None
        short = synthetic.shortened(number)
        return _about(row.changed({column: short}), person_subject(short))

    return soil


def other_name(row: Row, random: Random) -> Row:
    name = another(row.says["name"].value, human_name, random)
    return row.changed({"AAC003": name}, {"name": Said(name)})


def other_sex(row: Row) -> Row:
    sex = _OTHER_SEX[row.says["sex"].value]
    raw = vocabulary.SEXES[sex]
    return row.changed({"AAC004": raw}, {"sex": Said(sex, raw)})


def other_birth(row: Row, random: Random) -> Row:
    born = date.fromisoformat(row.says["birth_date"].value) + timedelta(days=random.randrange(1, 300))
    return row.changed({"AAC006": spellings.digits(born)}, {"birth_date": Said(born.isoformat())})


def former_unit_name(row: Row) -> Row:
    name = f"{row.columns['AAB004']}（原）"
    return row.changed({"AAB004": name}, parts={"unit_name": Said(name)})


def open_month_blank(row: Row) -> Row | None:
    """No last month instead of the last of all months."""
    return row.changed({"AAE031": None}) if row.columns["AAE031"] == OPEN_MONTH else None


def registered_twice(row: Row, random: Random) -> list[Row] | None:
    """In the register of two households: nobody decides which one holds."""
    if row.says["register_status"].value != "ACTIVE":
        return None
    address, number = place(random), f"HZ{row.columns['czrkhh']}"
    columns = {"czrkrkid": f"RZ{row.record_id[2:]}", "czrkzz": address, "czrkhh": number}
    second = row.changed(columns, {"household_address": Said(address), "household_number": Said(number)})
    second = replace(second, record_id=f"RZ{row.record_id[2:]}")
    for attribute in ("household_address", "household_number"):
        second = second.plant("registered_twice", attribute)
    return [row, second]


def _nobody(row: Row) -> Row:
    return _about(row, nobody(row.source, row.record_id, row.other.part if row.other else ""))


def _about(row: Row, subject: Subject) -> Row:
    """The row about another person; where the person stands beside a company, the company's part follows."""
    if row.other is None:
        return replace(row, subject=subject)
    moved = replace(row, other=row.other._replace(subject=subject))
    if subject.is_row:
        return moved.without("CERNO", row.columns["CERNO"], "person")
    return moved.changed({}, parts={"person": subject})
