"""What the two tax offices write down: taxpayers, whether they owe anything, how they are rated each year.

The local office writes Golden Tax III codes in capital columns, the state office an older list in small ones, and
each registers a taxpayer under a key of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from deploy.district import spellings, vocabulary
from deploy.district.persons import LegalPerson
from deploy.district.rows import TAX_NUMBER, Columns, Element, Row, Said, Subject, company_subject
from deploy.district.sources import (
    CREDIT_RATING,
    LOCAL_ARREARS,
    LOCAL_TAXPAYER,
    SOURCES,
    STATE_ARREARS,
    STATE_TAXPAYER,
)

_TAX_TYPES = {"sole_trader": "410", "body": "193"}
RATED_SINCE = 2019


def subject_of(person: LegalPerson) -> Subject:
    return company_subject(person.organisation, None, person.taxpayer_number)


def local_row(person: LegalPerson, random: Random) -> Row:
    """The person as the local tax office has it."""
    opened, registered = person.established_on, person.established_on + timedelta(days=random.randrange(1, 30))
    state = random.choice(vocabulary.TAX_STATES[person.tax_status])
    columns: Columns = {
        "DJXH": local_key(person),
        "NSRSBH": person.taxpayer_number,
        "SHXYDM": person.credit_code,
        "ZZJG_DM": person.organisation if person.stands_alone else None,
        "NSRMC": person.name,
        "NSRZT_DM": state,
        "DJZCLX_DM": _TAX_TYPES.get(person.kind, random.choice(("150", "160", "170"))),
        "FDDBRXM": person.legal_representative,
        "FDDBRSFZJHM": person.representative_number,
        "ZCDZ": person.address,
        "SCJYDZ": person.business_address,
        "HY_DM": person.trade.industry,
        "DJRQ": spellings.day_and_midnight(registered),
        "KYSLRQ": spellings.day_and_midnight(opened),
        "YXBZ": "Y",
        "LRRQ": spellings.moment(registered, random),
        "XGRQ": spellings.moment(registered + timedelta(days=random.randrange(300)), random),
    }
    says = _says(person, LOCAL_TAXPAYER, Said(person.tax_status, state))
    return Row(
        LOCAL_TAXPAYER, local_key(person), person.number, subject_of(person), columns, says, registered.isoformat()
    )  # fmt: skip


def state_row(person: LegalPerson, random: Random) -> Row:
    """The person as the state tax office has it; its list of states knows fewer of them."""
    registered = person.established_on + timedelta(days=random.randrange(1, 60))
    raw, state = vocabulary.STATE_TAX_STATES[person.tax_status]
    columns: Columns = {
        "djxh": state_key(person),
        "nsrsbh": person.taxpayer_number,
        "shxydm": person.credit_code,
        "zzjg_dm": person.organisation if person.stands_alone else None,
        "nsrmc": person.name,
        "nsrzt_dm": raw,
        "djzclx_dm": _TAX_TYPES.get(person.kind, random.choice(("150", "160", "170"))),
        "fddbrxm": person.legal_representative,
        "zcdz": person.address,
        "scjydz": person.business_address,
        "hy_dm": person.trade.industry,
        "djrq": registered.isoformat(),
        "kyslrq": person.established_on.isoformat(),
        "is_deleted": "0",
        "gxsj": spellings.stamp(registered + timedelta(days=random.randrange(300)), random),
    }
    says = _says(person, STATE_TAXPAYER, Said(state, raw))
    return Row(
        STATE_TAXPAYER, state_key(person), person.number, subject_of(person), columns, says, registered.isoformat()
    )  # fmt: skip


def local_arrears_row(person: LegalPerson, random: Random, today: date, *, owes: bool) -> Row:
    as_of = _quarter_before(today)
    record_id = f"QS350299{person.number:010d}"
    columns: Columns = {
        "QSXH": record_id, "DJXH": local_key(person), "NSRSBH": person.taxpayer_number, "SHXYDM": person.credit_code,
        "SFQS": "Y" if owes else "N", "JZRQ": spellings.day_and_midnight(as_of), "YXBZ": "Y",
        "XGRQ": spellings.moment(as_of + timedelta(days=random.randrange(1, 20)), random),
    }  # fmt: skip
    parts = {"in_arrears": Said("YES" if owes else "NO", "Y" if owes else "N"), "as_of": Said(as_of.isoformat())}
    element = Element("arrears", parts)
    return Row(LOCAL_ARREARS, record_id, person.number, subject_of(person), columns, {}, element=element)


def state_arrears_row(person: LegalPerson, random: Random, today: date, *, owes: bool) -> Row:
    as_of = _quarter_before(today)
    record_id = f"GQS350299{person.number:010d}"
    columns: Columns = {
        "qsxh": record_id, "djxh": state_key(person), "nsrsbh": person.taxpayer_number, "shxydm": person.credit_code,
        "sfqs": "1" if owes else "0", "jzrq": as_of.isoformat(), "is_deleted": "0",
        "gxsj": spellings.stamp(as_of + timedelta(days=random.randrange(1, 20)), random),
    }  # fmt: skip
    parts = {"in_arrears": Said("YES" if owes else "NO", "1" if owes else "0"), "as_of": Said(as_of.isoformat())}
    element = Element("arrears", parts)
    return Row(STATE_ARREARS, record_id, person.number, subject_of(person), columns, {}, element=element)


def rating_rows(person: LegalPerson, random: Random, today: date) -> Iterator[Row]:
    """A rating for each full year since the company began, of the last years."""
    if person.kind not in {"company", "cooperative"} or person.tax_status not in {"NORMAL", "ABNORMAL", "SUSPENDED"}:
        return
    for year in range(max(RATED_SINCE, person.established_on.year + 1), today.year):
        level = random.choices("ABMCD", (25, 48, 12, 10, 5))[0]
        yield rating_row(person, year, level, random)


def rating_row(person: LegalPerson, year: int, level: str, random: Random) -> Row:
    record_id = f"PJ{year}{person.number:010d}"
    columns: Columns = {
        "pjxh": record_id, "djxh": state_key(person), "nsrsbh": person.taxpayer_number, "shxydm": person.credit_code,
        "pjnd": str(year), "pjjg": level, "is_deleted": "0",
        "gxsj": spellings.stamp(date(year + 1, 4, random.randrange(1, 30)), random),
    }  # fmt: skip
    element = Element("tax_credit_ratings", {"year": Said(str(year)), "level": Said(level, level)})
    return Row(CREDIT_RATING, record_id, person.number, subject_of(person), columns, {}, element=element)


def local_key(person: LegalPerson) -> str:
    return f"1011350299{500_000_000 + person.number:010d}"


def state_key(person: LegalPerson) -> str:
    return f"2011350299{700_000_000 + person.number:010d}"


def _says(person: LegalPerson, source: str, tax_status: Said) -> dict[str, Said]:
    truth = person.truth()
    says = {name: Said(truth[name]) for name in SOURCES[source].states}
    says["tax_status"] = tax_status
    says["industry"] = Said(person.trade.industry, person.trade.industry)
    scheme = TAX_NUMBER if subject_of(person).scheme == TAX_NUMBER else None
    says["taxpayer_number"] = Said(person.taxpayer_number, scheme=scheme)
    return says


def _quarter_before(today: date) -> date:
    return date(today.year, (today.month - 1) // 3 * 3 + 1, 1) - timedelta(days=1)
