"""What the two departments write down of a legal person, in their own columns, codes and spellings.

A row carries beside its columns what it *says*: the value of each attribute a correct reader takes from it.
Both are written by the hand that knows; nothing here is found by reading a column back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Literal, NamedTuple

from deploy.district import spellings, vocabulary
from deploy.district.persons import MARKET, TAX, LegalPerson

MARKET_COLUMNS = (
    "PRIPID", "UNISCID", "REGNO", "ENTNAME", "ENTTYPE", "REGSTATE", "NAME", "CERNO", "DOM", "DOMDISTRICT", "PROLOC",
    "REGCAP", "REGCAPCUR", "INDUSTRYCO", "INDUSTRYPHY", "OPSCOPE", "ESTDATE", "APPRDATE", "OPFROM", "OPTO", "REGORG",
    "CD_OPERATION", "CD_TIMESCN", "S_EXT_FROMNODE", "UPDATE_TIME",
)  # fmt: skip
TAX_COLUMNS = (
    "DJXH", "NSRSBH", "SHXYDM", "ZZJG_DM", "NSRMC", "NSRZT_DM", "DJZCLX_DM", "FDDBRXM", "FDDBRSFZJHM", "ZCDZ", "SCJYDZ",
    "HY_DM", "DJRQ", "KYSLRQ", "YXBZ", "LRRQ", "XGRQ",
)  # fmt: skip
TABLES = {MARKET: "scjg_qyjbxx", TAX: "dj_nsrxx"}
COLUMNS = {MARKET: MARKET_COLUMNS, TAX: TAX_COLUMNS}
KEY_COLUMN = {MARKET: "PRIPID", TAX: "DJXH"}

# Which column each department states an attribute in.
STATED_IN: dict[str, dict[str, str]] = {
    MARKET: {
        "name": "ENTNAME", "status": "REGSTATE", "address": "DOM", "business_address": "PROLOC",
        "legal_representative": "NAME", "industry": "INDUSTRYCO", "scope": "OPSCOPE", "established_on": "ESTDATE",
    },
    TAX: {
        "name": "NSRMC", "tax_status": "NSRZT_DM", "address": "ZCDZ", "business_address": "SCJYDZ",
        "legal_representative": "FDDBRXM", "industry": "HY_DM", "established_on": "KYSLRQ",
        "taxpayer_number": "NSRSBH",
    },
}  # fmt: skip

_ENTITY_TYPES = {"sole_trader": "9500", "cooperative": "9100"}
_TAX_TYPES = {"sole_trader": "410", "body": "193"}

# In question: refused as it now is, while what it last said still counts.
Outcome = Literal["live", "in_question", "refused", "deleted"]


class Subject(NamedTuple):
    """Whom a row is about, by the number it can be told by.

    `tax_number` stands for the keyed pseudonym of a person-based tax number, `row` for a row no number names.
    """

    scheme: Literal["organisation_code", "registration_number", "tax_number", "row"]
    value: str

    def key(self) -> str | None:
        """The registry's subject key; None where only a holder of the district's key can compute it."""
        prefix = {"organisation_code": "legal:org:", "registration_number": "legal:reg:"}.get(self.scheme)
        return None if prefix is None else prefix + self.value


class Said(NamedTuple):
    """A value as a correct reader takes it; of a code also what stood in the column.

    A personal value is, or may be, a person's number: the registry must know it and show a pseudonym only.
    """

    value: str
    raw: str | None = None
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row at a department, and what must become of it."""

    department: str
    record_id: str
    person: int
    subject: Subject
    columns: dict[str, str | None]
    says: dict[str, Said]
    effective_from: str | None
    outcome: Outcome = "live"
    reason: str | None = None
    planted: tuple[tuple[str, str | None], ...] = field(default=())

    @property
    def counts(self) -> bool:
        """Whether the registry rests on it."""
        return self.outcome in {"live", "in_question"}

    def changed(self, columns: Mapping[str, str | None], says: Mapping[str, Said | None]) -> Row:
        """This row with some columns rewritten; what is said as None is no longer stated."""
        said = {name: value for name, value in {**self.says, **says}.items() if value is not None}
        return replace(self, columns={**self.columns, **columns}, says=said)

    def plant(self, kind: str, attribute: str | None = None) -> Row:
        return replace(self, planted=(*self.planted, (kind, attribute)))


def market_row(person: LegalPerson, random: Random) -> Row:
    """The person as market supervision has it: clean, but for the spellings that are its ordinary hand."""
    written = person.approved_on + timedelta(days=random.randrange(1, 40))
    state = random.choice(vocabulary.REGISTRATION_STATES[person.status])
    has_place = random.random() < 0.7
    columns: dict[str, str | None] = {
        "PRIPID": f"350299{person.number:010d}",
        "UNISCID": person.credit_code,
        "REGNO": person.registration_number,
        "ENTNAME": person.name,
        "ENTTYPE": _ENTITY_TYPES.get(person.kind, random.choice(("1100", "1130", "1151", "1222"))),
        "REGSTATE": state,
        "NAME": person.legal_representative,
        "CERNO": person.representative_number,
        "DOM": person.address,
        "DOMDISTRICT": random.choice(vocabulary.DISTRICTS),
        "PROLOC": person.business_address if has_place else None,
        "REGCAP": f"{person.capital}.000000",
        "REGCAPCUR": "156",
        "INDUSTRYCO": person.trade.industry,
        "INDUSTRYPHY": person.trade.section,
        "OPSCOPE": person.trade.scope,
        "ESTDATE": spellings.day(person.established_on),
        "APPRDATE": spellings.day(person.approved_on),
        "OPFROM": spellings.day(person.established_on),
        "OPTO": _term_end(person.established_on, random),
        "REGORG": "350299",
        "CD_OPERATION": random.choice(("1", "i", "u")),
        "CD_TIMESCN": spellings.moment(written, random),
        "S_EXT_FROMNODE": "350299",
        "UPDATE_TIME": spellings.moment(written, random),
    }
    truth = person.truth()
    says = {name: Said(truth[name]) for name in ("name", "address", "legal_representative", "scope", "established_on")}
    says["status"] = Said(person.status, state)
    says["industry"] = Said(person.trade.industry, person.trade.industry)
    if has_place:
        says["business_address"] = Said(person.business_address)
    subject = _subject(person.organisation if person.credit_code else None, person.registration_number, "")
    return Row(MARKET, str(columns["PRIPID"]), person.number, subject, columns, says, person.approved_on.isoformat())


def tax_row(person: LegalPerson, random: Random) -> Row:
    """The person as the tax office has it."""
    opened, registered = person.established_on, person.established_on + timedelta(days=random.randrange(1, 30))
    state = random.choice(vocabulary.TAX_STATES[person.tax_status])
    columns: dict[str, str | None] = {
        "DJXH": f"1011350299{500_000_000 + person.number:010d}",
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
    truth = person.truth()
    says = {name: Said(truth[name]) for name in STATED_IN[TAX]}
    says["tax_status"] = Said(person.tax_status, state)
    says["industry"] = Said(person.trade.industry, person.trade.industry)
    subject = _subject(person.organisation, None, person.taxpayer_number)
    says["taxpayer_number"] = Said(person.taxpayer_number, personal=subject.scheme == "tax_number")
    return Row(TAX, str(columns["DJXH"]), person.number, subject, columns, says, registered.isoformat())


def row_subject(department: str, record_id: str) -> Subject:
    return Subject("row", f"{department}/{record_id}")


def _subject(organisation: str | None, registered: str | None, tax_number: str) -> Subject:
    if organisation:
        return Subject("organisation_code", organisation)
    if registered:
        return Subject("registration_number", registered)
    return Subject("tax_number", tax_number)


def _term_end(start: date, random: Random) -> str | None:
    if random.random() < 0.5:
        return spellings.day(start.replace(day=1) + timedelta(days=365 * random.choice((10, 20, 30))))
    return random.choice(spellings.OPEN_ENDS)
