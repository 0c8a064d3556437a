"""What is wrong with the departments' rows, each kind at its own small rate, and every case written down.

A kind rewrites one row, or gives None where that row cannot carry it. It says in the row what a correct
reader must take from it afterwards; `planted` keeps the kind and the attribute it touches. A row carries at
most one kind of each area, so that kinds never undo each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from deploy.district import dirty_numbers, dirty_rows, dirty_values
from deploy.district.persons import MARKET, TAX, LegalPerson
from deploy.district.rows import Row

Soil = Callable[[Row, LegalPerson, Random], "Row | list[Row] | None"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of dirt: whose rows, how often, and how."""

    name: str
    department: str
    rate: float
    area: str
    soil: Soil
    attribute: str | None = None


_NO_REPRESENTATIVE = dirty_values.blank("legal_representative")

KINDS: tuple[Kind, ...] = (
    Kind("duplicate_record_id", MARKET, 0.002, "row", dirty_rows.twice),
    Kind("duplicate_record_id", TAX, 0.001, "row", dirty_rows.twice),
    Kind("unmapped_private_use", MARKET, 0.001, "row", dirty_rows.unmapped_private_use, "name"),
    Kind("operation_delete", MARKET, 0.01, "row", dirty_rows.operation_delete),
    Kind("valid_flag_no", TAX, 0.01, "row", dirty_rows.valid_flag_no),
    Kind("contradicting_numbers", TAX, 0.001, "row", dirty_rows.contradicting_numbers),
    Kind("two_tax_registrations", TAX, 0.01, "row", dirty_rows.two_registrations),
    Kind("wrong_check_digit", MARKET, 0.006, "number", dirty_numbers.wrong_check_digit),
    Kind("wrong_check_digit", TAX, 0.006, "number", dirty_numbers.wrong_check_digit_at_tax),
    Kind("wrong_embedded_check", MARKET, 0.002, "number", dirty_numbers.wrong_embedded_check),
    Kind("eighteen_zeros", MARKET, 0.003, "number", dirty_numbers.zeros),
    Kind("tax_number_like_registration_number", TAX, 0.001, "number", dirty_numbers.like_registration_number),
    Kind("tax_number_like_resident_number", TAX, 0.001, "number", dirty_numbers.like_resident_number),
    Kind("lower_case_credit_code", MARKET, 0.03, "number", dirty_numbers.lower_case),
    Kind("lower_case_credit_code", TAX, 0.03, "number", dirty_numbers.lower_case_at_tax),
    Kind("full_width_credit_code", MARKET, 0.01, "number", dirty_numbers.full_width),
    Kind("hyphenated_organisation_code", TAX, 0.05, "number", dirty_numbers.hyphenated),
    Kind("credit_code_in_tax_number_only", TAX, 0.03, "number", dirty_numbers.credit_code_in_tax_number_only),
    Kind("organisation_code_in_tax_number_only", TAX, 0.02, "number", dirty_numbers.organisation_in_tax_number_only),
    Kind("mapped_private_use", MARKET, 1.0, "name", dirty_values.mapped_private_use, "name"),
    Kind("name_changed_at_registry", TAX, 0.02, "name", dirty_values.former_name, "name"),
    Kind("padded_name", MARKET, 0.03, "name", dirty_values.padded_name, "name"),
    Kind("padded_name", TAX, 0.03, "name", dirty_values.padded_name, "name"),
    Kind("other_brackets", TAX, 0.05, "name", dirty_values.other_brackets, "name"),
    Kind("inner_space", TAX, 0.005, "name", dirty_values.inner_space, "name"),
    Kind("address_differs", TAX, 0.02, "address", dirty_values.other_address, "address"),
    Kind("full_width_address", MARKET, 0.02, "address", dirty_values.full_width_address, "address"),
    Kind("full_width_address", TAX, 0.02, "address", dirty_values.full_width_address, "address"),
    Kind("blank_address", MARKET, 0.005, "address", dirty_values.blank("address"), "address"),
    Kind("business_address_differs", MARKET, 0.02, "place", dirty_values.other_place, "business_address"),
    Kind("blank_business_address", TAX, 0.01, "place", dirty_values.blank("business_address"), "business_address"),
    Kind("representative_differs", TAX, 0.015, "representative", dirty_values.other_person, "legal_representative"),
    Kind("blank_representative", MARKET, 0.005, "representative", _NO_REPRESENTATIVE, "legal_representative"),
    Kind("industry_differs", TAX, 0.03, "industry", dirty_values.other_industry, "industry"),
    Kind("industry_as_float", TAX, 0.005, "industry", dirty_values.industry_as_float, "industry"),
    Kind("blank_industry", MARKET, 0.01, "industry", dirty_values.blank("industry"), "industry"),
    Kind("blank_scope", MARKET, 0.02, "scope", dirty_values.blank("scope"), "scope"),
    Kind("line_break_in_scope", MARKET, 0.005, "scope", dirty_values.line_break, "scope"),
    Kind("establishment_differs", TAX, 0.01, "established", dirty_values.other_day, "established_on"),
    Kind("impossible_date", MARKET, 0.003, "established", dirty_values.impossible_day, "established_on"),
    Kind("placeholder_date", MARKET, 0.003, "established", dirty_values.placeholder_day, "established_on"),
    Kind("date_spelling", MARKET, 0.1, "established", dirty_values.day_spelling, "established_on"),
    Kind("date_spelling", TAX, 0.1, "established", dirty_values.day_spelling, "established_on"),
    Kind("unknown_status", MARKET, 0.003, "status", dirty_values.unknown_status, "status"),
    Kind("unknown_tax_status", TAX, 0.003, "status", dirty_values.unknown_tax_status, "tax_status"),
    Kind("open_end", MARKET, 0.2, "term", dirty_values.open_end),
    Kind("capital_spelling", MARKET, 0.1, "capital", dirty_values.capital_spelling),
)
AREAS = {kind.name: kind.area for kind in KINDS}


def sow(rows: Sequence[Row], persons: dict[int, LegalPerson], random: Random) -> list[Row]:
    """The rows with every kind planted at its rate, at least once where any row can carry it."""
    sown: list[list[Row]] = [[row] for row in rows]
    for kind in KINDS:
        places = [place for place in range(len(sown)) if _takes(sown[place], kind)]
        wanted = max(1, round(len(places) * kind.rate))
        for place in random.sample(places, len(places)):
            if wanted == 0:
                break
            dirty = _soiled(kind, sown[place][0], persons, random)
            if dirty:
                sown[place] = dirty
                wanted -= 1
    return [row for place in sown for row in place]


def _takes(place: Sequence[Row], kind: Kind) -> bool:
    areas = {AREAS.get(planted) for planted, _ in place[0].planted}
    return place[0].department == kind.department and "row" not in areas and kind.area not in areas


def _soiled(kind: Kind, row: Row, persons: dict[int, LegalPerson], random: Random) -> list[Row]:
    dirty = kind.soil(row, persons[row.person], random)
    if dirty is None:
        return []
    rows = dirty if isinstance(dirty, list) else [dirty]
    return [each.plant(kind.name, kind.attribute) for each in rows]
