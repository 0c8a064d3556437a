"""Every kind of dirt: whose rows, how often, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from deploy.district import dirty_companies, dirty_months, dirty_numbers, dirty_people, dirty_rows, dirty_values
from deploy.district.persons import LegalPerson
from deploy.district.rows import Row
from deploy.district.sources import (
    ABNORMAL_LISTING,
    CONTRIBUTION,
    CREDIT_RATING,
    ENTERPRISE,
    INSURED_UNIT,
    KEY_PERSON,
    LOCAL_ARREARS,
    LOCAL_TAXPAYER,
    PERMIT,
    RELATION,
    RESIDENCE,
    RESIDENT,
    STATE_ARREARS,
    STATE_TAXPAYER,
)

Soiled = Row | list[Row] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of dirt; `rate` is the share of the source's rows that carry it, where they can."""

    name: str
    source: str
    rate: float
    area: str
    soil: Callable[[Row, Mapping[int, LegalPerson], Random], Soiled]
    attribute: str | None = None


def _company(soil: Callable[[Row, LegalPerson, Random], Soiled]) -> Callable[..., Soiled]:
    """A kind that must know the company as it truly is."""
    return lambda row, persons, random: soil(row, persons[row.person], random)


def _drawn(soil: Callable[[Row, Random], Soiled]) -> Callable[..., Soiled]:
    return lambda row, _persons, random: soil(row, random)


def _plain(soil: Callable[[Row], Soiled]) -> Callable[..., Soiled]:
    return lambda row, _persons, _random: soil(row)


def _blank(attribute: str) -> Callable[..., Soiled]:
    return _drawn(dirty_values.blank(attribute))


_TWO_REGISTRATIONS = _company(dirty_rows.two_registrations)
_DELETED = _plain(dirty_rows.flagged)

_REGISTER: tuple[Kind, ...] = (
    Kind("duplicate_record_id", ENTERPRISE, 0.002, "row", _company(dirty_rows.twice)),
    Kind("duplicate_record_id", LOCAL_TAXPAYER, 0.001, "row", _company(dirty_rows.twice)),
    Kind("unmapped_private_use", ENTERPRISE, 0.001, "row", _company(dirty_rows.unmapped_private_use), "name"),
    Kind("operation_delete", ENTERPRISE, 0.01, "row", _DELETED),
    Kind("valid_flag_no", LOCAL_TAXPAYER, 0.01, "row", _DELETED),
    Kind("contradicting_numbers", LOCAL_TAXPAYER, 0.001, "row", _company(dirty_rows.contradicting_numbers)),
    Kind("two_tax_registrations", LOCAL_TAXPAYER, 0.01, "row", _TWO_REGISTRATIONS),
    Kind("wrong_check_digit", ENTERPRISE, 0.006, "number", _company(dirty_numbers.wrong_check_digit)),
    Kind("wrong_check_digit", LOCAL_TAXPAYER, 0.006, "number", _company(dirty_numbers.wrong_check_digit_at_tax)),
    Kind("wrong_embedded_check", ENTERPRISE, 0.002, "number", _company(dirty_numbers.wrong_embedded_check)),
    Kind("eighteen_zeros", ENTERPRISE, 0.003, "number", _company(dirty_numbers.zeros)),
    Kind(
        "tax_number_like_registration_number",
        LOCAL_TAXPAYER,
        0.001,
        "number",
        _company(dirty_numbers.like_registration_number),
    ),
    Kind(
        "tax_number_like_resident_number", LOCAL_TAXPAYER, 0.001, "number", _company(dirty_numbers.like_resident_number)
    ),
    Kind("lower_case_credit_code", ENTERPRISE, 0.03, "number", _company(dirty_numbers.lower_case)),
    Kind("lower_case_credit_code", LOCAL_TAXPAYER, 0.03, "number", _company(dirty_numbers.lower_case_at_tax)),
    Kind("full_width_credit_code", ENTERPRISE, 0.01, "number", _company(dirty_numbers.full_width)),
    Kind("hyphenated_organisation_code", LOCAL_TAXPAYER, 0.05, "number", _company(dirty_numbers.hyphenated)),
    Kind(
        "credit_code_in_tax_number_only",
        LOCAL_TAXPAYER,
        0.03,
        "number",
        _company(dirty_numbers.credit_code_in_tax_number_only),
    ),
    Kind(
        "organisation_code_in_tax_number_only",
        LOCAL_TAXPAYER,
        0.02,
        "number",
        _company(dirty_numbers.organisation_in_tax_number_only),
    ),
    Kind("mapped_private_use", ENTERPRISE, 1.0, "name", _company(dirty_values.mapped_private_use), "name"),
    Kind("name_changed_at_registry", LOCAL_TAXPAYER, 0.02, "name", _company(dirty_values.former_name), "name"),
    Kind("padded_name", ENTERPRISE, 0.03, "name", _company(dirty_values.padded_name), "name"),
    Kind("padded_name", LOCAL_TAXPAYER, 0.03, "name", _company(dirty_values.padded_name), "name"),
    Kind("other_brackets", LOCAL_TAXPAYER, 0.05, "name", _company(dirty_values.other_brackets), "name"),
    Kind("inner_space", LOCAL_TAXPAYER, 0.005, "name", _company(dirty_values.inner_space), "name"),
    Kind("address_differs", LOCAL_TAXPAYER, 0.02, "address", _company(dirty_values.other_address), "address"),
    Kind("full_width_address", ENTERPRISE, 0.02, "address", _company(dirty_values.full_width_address), "address"),
    Kind("full_width_address", LOCAL_TAXPAYER, 0.02, "address", _company(dirty_values.full_width_address), "address"),
    Kind("blank_address", ENTERPRISE, 0.005, "address", _blank("address"), "address"),
    Kind("business_address_differs", ENTERPRISE, 0.02, "place", _company(dirty_values.other_place), "business_address"),
    Kind("blank_business_address", LOCAL_TAXPAYER, 0.01, "place", _blank("business_address"), "business_address"),
    Kind(
        "representative_differs",
        LOCAL_TAXPAYER,
        0.015,
        "representative",
        _company(dirty_values.other_person),
        "legal_representative",
    ),
    Kind(
        "blank_representative",
        ENTERPRISE,
        0.005,
        "representative",
        _blank("legal_representative"),
        "legal_representative",
    ),
    Kind("industry_differs", LOCAL_TAXPAYER, 0.03, "industry", _company(dirty_values.other_industry), "industry"),
    Kind("industry_as_float", LOCAL_TAXPAYER, 0.005, "industry", _company(dirty_values.industry_as_float), "industry"),
    Kind("blank_industry", ENTERPRISE, 0.01, "industry", _blank("industry"), "industry"),
    Kind("blank_scope", ENTERPRISE, 0.02, "scope", _blank("scope"), "scope"),
    Kind("line_break_in_scope", ENTERPRISE, 0.005, "scope", _company(dirty_values.line_break), "scope"),
    Kind(
        "establishment_differs", LOCAL_TAXPAYER, 0.01, "established", _company(dirty_values.other_day), "established_on"
    ),
    Kind("impossible_date", ENTERPRISE, 0.003, "established", _company(dirty_values.impossible_day), "established_on"),
    Kind(
        "placeholder_date", ENTERPRISE, 0.003, "established", _company(dirty_values.placeholder_day), "established_on"
    ),
    Kind("date_spelling", ENTERPRISE, 0.1, "established", _company(dirty_values.day_spelling), "established_on"),
    Kind("date_spelling", LOCAL_TAXPAYER, 0.1, "established", _company(dirty_values.day_spelling), "established_on"),
    Kind("unknown_status", ENTERPRISE, 0.003, "status", _company(dirty_values.unknown_status), "status"),
    Kind(
        "unknown_tax_status", LOCAL_TAXPAYER, 0.003, "status", _company(dirty_values.unknown_tax_status), "tax_status"
    ),
    Kind("open_end", ENTERPRISE, 0.2, "term", _company(dirty_values.open_end)),
    Kind("capital_spelling", ENTERPRISE, 0.1, "capital", _company(dirty_values.capital_spelling)),
)

_COMPANIES: tuple[Kind, ...] = (
    Kind("duplicate_record_id", KEY_PERSON, 0.001, "row", _plain(dirty_rows.twice_with("POSITION", "董事长"))),
    Kind("operation_delete", KEY_PERSON, 0.01, "row", _DELETED),
    Kind("unreadable_number", KEY_PERSON, 0.002, "row", _plain(dirty_people.cut_short("CERNO"))),
    Kind("mistyped_number", KEY_PERSON, 0.004, "number", _plain(dirty_people.mistyped("CERNO")), "roles"),
    Kind("fifteen_digit_number", KEY_PERSON, 0.03, "number", _plain(dirty_people.fifteen_digits("CERNO")), "roles"),
    Kind("lower_case_x", KEY_PERSON, 0.02, "number", _plain(dirty_people.lower_case_x("CERNO")), "roles"),
    Kind("full_width_number", KEY_PERSON, 0.01, "number", _plain(dirty_people.full_width("CERNO")), "roles"),
    Kind("lower_case_credit_code", KEY_PERSON, 0.02, "code", _plain(dirty_companies.small_letters("UNISCID"))),
    Kind("duplicate_record_id", ABNORMAL_LISTING, 0.003, "row", _plain(dirty_rows.twice_with("DECORG", "样本分局"))),
    Kind("operation_delete", ABNORMAL_LISTING, 0.01, "row", _DELETED),
    Kind("date_spelling", ABNORMAL_LISTING, 0.1, "day", _drawn(dirty_companies.other_days("ABNTIME"))),
    Kind(
        "impossible_date",
        ABNORMAL_LISTING,
        0.01,
        "day",
        _plain(dirty_companies.impossible_day("ABNTIME", "listed_on")),
        "abnormal_listings",
    ),
    Kind("duplicate_record_id", PERMIT, 0.002, "row", _plain(dirty_rows.twice_with("XK_NR", "样本经营许可"))),
    Kind("operation_delete", PERMIT, 0.01, "row", _DELETED),
    Kind("lower_case_credit_code", PERMIT, 0.03, "number", _plain(dirty_companies.small_letters("XK_XDR_SHXYM"))),
    Kind("unlimited_permit", PERMIT, 0.03, "day", _drawn(dirty_companies.unlimited), "permits"),
    Kind("date_spelling", PERMIT, 0.1, "day", _drawn(dirty_companies.other_days("XK_YXQZ"))),
    Kind(
        "duplicate_record_id", STATE_TAXPAYER, 0.001, "row", _plain(dirty_rows.twice_with("zcdz", "示例市样本区另址"))
    ),
    Kind("flagged_deleted", STATE_TAXPAYER, 0.01, "row", _DELETED),
    Kind(
        "lower_case_credit_code",
        STATE_TAXPAYER,
        0.03,
        "number",
        _plain(dirty_companies.small_letters("nsrsbh", "shxydm")),
    ),
    Kind(
        "name_changed_at_registry", STATE_TAXPAYER, 0.02, "name", _company(dirty_companies.former_name("nsrmc")), "name"
    ),
    Kind("padded_name", STATE_TAXPAYER, 0.03, "name", _company(dirty_values.padded_name), "name"),
    Kind("address_differs", STATE_TAXPAYER, 0.02, "address", _company(dirty_values.other_address), "address"),
    Kind("blank_business_address", STATE_TAXPAYER, 0.02, "place", _blank("business_address"), "business_address"),
    Kind(
        "representative_differs",
        STATE_TAXPAYER,
        0.01,
        "representative",
        _company(dirty_values.other_person),
        "legal_representative",
    ),
    Kind("industry_differs", STATE_TAXPAYER, 0.02, "industry", _company(dirty_values.other_industry), "industry"),
    Kind("date_spelling", STATE_TAXPAYER, 0.05, "established", _company(dirty_values.day_spelling), "established_on"),
    Kind("flagged_deleted", STATE_ARREARS, 0.01, "row", _DELETED),
    Kind("duplicate_record_id", STATE_ARREARS, 0.001, "row", _plain(dirty_rows.twice_with("jzrq", "1999-12-31"))),
    Kind("date_spelling", STATE_ARREARS, 0.05, "day", _drawn(dirty_companies.other_days("jzrq"))),
    Kind("flagged_deleted", CREDIT_RATING, 0.01, "row", _DELETED),
    Kind("rated_twice", CREDIT_RATING, 0.005, "row", _plain(dirty_companies.rated_twice), "tax_credit_ratings"),
    Kind("small_level", CREDIT_RATING, 0.01, "level", _plain(dirty_companies.small_level), "tax_credit_ratings"),
    Kind("valid_flag_no", LOCAL_ARREARS, 0.01, "row", _DELETED),
    Kind(
        "duplicate_record_id", LOCAL_ARREARS, 0.001, "row", _plain(dirty_rows.twice_with("JZRQ", "1999-12-31 00:00:00"))
    ),
    Kind(
        "impossible_date",
        LOCAL_ARREARS,
        0.005,
        "day",
        _plain(dirty_companies.impossible_day("JZRQ", "as_of")),
        "arrears",
    ),
    Kind("flagged_deleted", INSURED_UNIT, 0.01, "row", _DELETED),
    Kind(
        "duplicate_record_id", INSURED_UNIT, 0.002, "row", _plain(dirty_rows.twice_with("AAB004", "示例另名有限公司"))
    ),
    Kind("lower_case_credit_code", INSURED_UNIT, 0.03, "number", _plain(dirty_companies.small_letters("SHXYDM"))),
    Kind("credit_code_only", INSURED_UNIT, 0.1, "number", _plain(dirty_companies.number_only("AAB003", "ZCH"))),
    Kind(
        "name_changed_at_registry", INSURED_UNIT, 0.03, "name", _company(dirty_companies.former_name("AAB004")), "name"
    ),
    Kind("other_brackets", INSURED_UNIT, 0.05, "name", _company(dirty_values.other_brackets), "name"),
    Kind("date_spelling", INSURED_UNIT, 0.1, "day", _drawn(dirty_companies.other_days("AAB050")), "insured_from"),
)

_PEOPLE: tuple[Kind, ...] = (
    Kind("duplicate_record_id", RESIDENT, 0.0005, "row", _plain(dirty_rows.twice_with("czrkzz", "示例市样本区另址"))),
    Kind("unmapped_private_use", RESIDENT, 0.0005, "row", _plain(dirty_rows.unmapped_in("czrkxm"))),
    Kind("unreadable_number", RESIDENT, 0.0005, "row", _plain(dirty_people.cut_short("czrkgmsfhm"))),
    Kind("registered_twice", RESIDENT, 0.001, "row", _drawn(dirty_people.registered_twice)),
    Kind("mistyped_number", RESIDENT, 0.001, "number", _plain(dirty_people.mistyped("czrkgmsfhm"))),
    Kind("blank_number", RESIDENT, 0.0005, "number", _plain(dirty_people.blank("czrkgmsfhm"))),
    Kind("lower_case_x", RESIDENT, 0.005, "number", _plain(dirty_people.lower_case_x("czrkgmsfhm"))),
    Kind("sign_for_x", RESIDENT, 0.001, "number", _plain(dirty_people.sign_for_x("czrkgmsfhm"))),
    Kind("full_width_number", RESIDENT, 0.002, "number", _plain(dirty_people.full_width("czrkgmsfhm"))),
    Kind("padded_name", RESIDENT, 0.01, "name", _drawn(dirty_values.padded("czrkxm")), "name"),
    Kind("impossible_date", RESIDENT, 0.001, "born", _plain(dirty_values.no_day("birth_date")), "birth_date"),
    Kind("date_spelling", RESIDENT, 0.05, "born", _drawn(dirty_companies.other_days("czrkcsrq")), "birth_date"),
    Kind("blank_address", RESIDENT, 0.003, "address", _blank("household_address"), "household_address"),
    Kind("full_width_address", RESIDENT, 0.01, "address", _plain(dirty_values.wide("household_address")),
         "household_address"),
    Kind("duplicate_record_id", RESIDENCE, 0.001, "row", _plain(dirty_rows.twice_with("zzdz", "示例市样本区另址"))),
    Kind("unreadable_number", RESIDENCE, 0.001, "row", _plain(dirty_people.cut_short("sfzh"))),
    Kind("mistyped_number", RESIDENCE, 0.002, "number", _plain(dirty_people.mistyped("sfzh"))),
    Kind("lower_case_x", RESIDENCE, 0.01, "number", _plain(dirty_people.lower_case_x("sfzh"))),
    Kind("full_width_number", RESIDENCE, 0.002, "number", _plain(dirty_people.full_width("sfzh"))),
    Kind("impossible_date", RESIDENCE, 0.001, "day", _plain(dirty_companies.impossible_day("djrq", "from")),
         "residences"),
    Kind("date_spelling", RESIDENCE, 0.05, "day", _drawn(dirty_companies.other_days("djrq")), "residences"),
    Kind("duplicate_record_id", RELATION, 0.001, "row", _plain(dirty_rows.twice_with("AAE030", "199001"))),
    Kind("flagged_deleted", RELATION, 0.005, "row", _DELETED),
    Kind("unreadable_number", RELATION, 0.001, "row", _plain(dirty_people.cut_short("AAC002"))),
    Kind("mistyped_number", RELATION, 0.001, "number", _plain(dirty_people.mistyped("AAC002"))),
    Kind("lower_case_x", RELATION, 0.01, "number", _plain(dirty_people.lower_case_x("AAC002"))),
    Kind("name_differs_from_police", RELATION, 0.01, "name", _drawn(dirty_people.other_name), "name"),
    Kind("sex_differs_from_police", RELATION, 0.002, "sex", _plain(dirty_people.other_sex), "sex"),
    Kind("birth_differs_from_police", RELATION, 0.004, "born", _drawn(dirty_people.other_birth), "birth_date"),
    Kind("former_unit_name", RELATION, 0.01, "unit", _plain(dirty_people.former_unit_name), "insurances"),
    Kind("open_month_blank", RELATION, 0.05, "end", _plain(dirty_people.open_month_blank), "insurances"),
    Kind("month_twice", CONTRIBUTION, 0.002, "row", _drawn(dirty_months.month_twice), "contributions"),
    Kind("month_contradicts", CONTRIBUTION, 0.001, "row", _drawn(dirty_months.month_contradicts)),
    Kind("flagged_month", CONTRIBUTION, 0.001, "row", _drawn(dirty_months.flagged_month), "contributions"),
    Kind("received_without_month", CONTRIBUTION, 0.005, "row", _drawn(dirty_months.received_without_month)),
    Kind("lower_case_x", CONTRIBUTION, 0.005, "row", _plain(dirty_months.other_x)),
)  # fmt: skip
KINDS = (*_REGISTER, *_COMPANIES, *_PEOPLE)
