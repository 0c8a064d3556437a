"""Dirt in official numbers: whom a row is about afterwards is said by hand."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from deploy.district import spellings, synthetic
from deploy.district.persons import LegalPerson
from deploy.district.rows import TAX_NUMBER, Row, Said, Subject, row_subject


def wrong_check_digit(row: Row, person: LegalPerson, random: Random) -> Row | None:
    if person.credit_code is None:
        return None
    return _nameless(row.changed({"UNISCID": _mistyped(person.credit_code, random)}, {}), person)


def wrong_check_digit_at_tax(row: Row, person: LegalPerson, random: Random) -> Row | None:
    """Wrong in both columns; the organisation code, where it stands alone, still tells whose row it is."""
    if person.credit_code is None or person.taxpayer_number != person.credit_code:
        return None
    wrong = _mistyped(person.credit_code, random)
    dirty = row.changed({"SHXYDM": wrong, "NSRSBH": wrong}, {"taxpayer_number": Said(wrong)})
    return dirty if person.stands_alone else replace(dirty, subject=row_subject(row.source, row.record_id))


def wrong_embedded_check(row: Row, person: LegalPerson, random: Random) -> Row | None:
    """Right by GB 32100, but the organisation code inside is not one: no subject may be made of it."""
    if person.credit_code is None or person.organisation is None:
        return None
    wrong = random.choice([digit for digit in "0123456789X" if digit != person.organisation[8]])
    code = synthetic.credit_code(person.credit_code[:2], person.organisation[:8] + wrong)
    return _nameless(row.changed({"UNISCID": code}, {}), person)


def zeros(row: Row, person: LegalPerson, _random: Random) -> Row:
    """Eighteen zeros pass every check digit there is."""
    return _nameless(row.changed({"UNISCID": synthetic.ZEROS}, {}), person)


def like_registration_number(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    """A 15-digit tax number that is a valid registration number too: it names nobody for sure."""
    return _ambiguous(row, f"20{person.number % 87 + 13}", registration=True)


def like_resident_number(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    return _ambiguous(row, f"{person.number % 40 + 50}0{person.number % 9 + 1}", registration=False)


def lower_case(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    if person.credit_code is None:
        return None
    return row.changed({"UNISCID": person.credit_code.lower()}, {})


def lower_case_at_tax(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    if person.credit_code is None or person.taxpayer_number != person.credit_code:
        return None
    lower = person.credit_code.lower()
    return row.changed({"SHXYDM": lower, "NSRSBH": lower}, {})


def full_width(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    if person.credit_code is None:
        return None
    return row.changed({"UNISCID": spellings.full_width(person.credit_code)}, {})


def hyphenated(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    if person.organisation is None or not person.stands_alone:
        return None
    return row.changed({"ZZJG_DM": f"{person.organisation[:8]}-{person.organisation[8]}"}, {})


def credit_code_in_tax_number_only(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    if person.credit_code is None or person.taxpayer_number != person.credit_code:
        return None
    return row.changed({"SHXYDM": None}, {})


def organisation_in_tax_number_only(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    if person.organisation is None or len(person.taxpayer_number) != len("350299123456789"):
        return None
    return row.changed({"SHXYDM": None, "ZZJG_DM": None}, {})


def _mistyped(code: str, random: Random) -> str:
    """The code with a last character that no check allows."""
    right = {synthetic.credit_check(code[:17]), synthetic.pilot_check(code[:17])}
    return code[:17] + random.choice([letter for letter in synthetic.LETTERS_31 if letter not in right])


def _nameless(row: Row, person: LegalPerson) -> Row:
    """The row told by its registration number where it has one, else by nothing."""
    if person.registration_number:
        return replace(row, subject=Subject("registration_number", person.registration_number))
    return replace(row, subject=row_subject(row.source, row.record_id))


def _ambiguous(row: Row, beginning: str, *, registration: bool) -> Row | None:
    for end in range(10_000):
        organisation = synthetic.organisation_code(f"{beginning}{end:04d}")
        number = synthetic.organisation_tax_number(organisation)
        resident = synthetic.might_be_resident_number_15(number)
        if number.isdigit() and synthetic.is_registration_number(number) == registration and resident != registration:
            columns: dict[str, str | None] = {"NSRSBH": number, "SHXYDM": None, "ZZJG_DM": None}
            nobody = row_subject(row.source, row.record_id)
            return replace(
                row.changed(columns, {"taxpayer_number": Said(number, scheme=TAX_NUMBER if resident else None)}),
                subject=nobody,
            )
    return None
