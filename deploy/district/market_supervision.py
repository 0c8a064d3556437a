"""What market supervision writes down: entities, who holds office in them, abnormal listings, permits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.district import spellings, vocabulary
from deploy.district.persons import LegalPerson
from deploy.district.rows import (
    Columns,
    Element,
    Parts,
    Row,
    Said,
    Subject,
    Word,
    company_subject,
    nobody,
    person_subject,
)
from deploy.district.sources import ABNORMAL_LISTING, ENTERPRISE, KEY_PERSON, PERMIT

_ENTITY_TYPES = {"sole_trader": "9500", "cooperative": "9100"}
RESIDENT_CARD, PASSPORT, FOREIGNERS_CARD = "10", "20", "50"
CHINA, NOWHERE = "156", "999"
PERMIT_YEARS = 5
PERSON_PART = "person"


@dataclass(frozen=True, slots=True)
class Office:
    """One person's office in one legal person."""

    sign: str
    name: str
    document: str
    document_kind: str = RESIDENT_CARD

    @property
    def subject(self) -> Subject | None:
        """Whom the document names; a foreign passport names nobody, for two states may give one number."""
        if self.document_kind == FOREIGNERS_CARD:
            return Subject("foreigner_card_15", self.document)
        return None if self.document_kind == PASSPORT else person_subject(self.document)


def subject_of(person: LegalPerson) -> Subject:
    return company_subject(person.organisation if person.credit_code else None, person.registration_number)


def enterprise_row(person: LegalPerson, random: Random) -> Row:
    """The person as market supervision has it: clean, but for the spellings that are its ordinary hand."""
    written = person.approved_on + timedelta(days=random.randrange(1, 40))
    state = random.choice(vocabulary.REGISTRATION_STATES[person.status])
    has_place = random.random() < 0.7
    columns: Columns = {
        "PRIPID": pripid(person),
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
    record_id = str(columns["PRIPID"])
    effective = person.approved_on.isoformat()
    return Row(ENTERPRISE, record_id, person.number, subject_of(person), columns, says, effective)


def key_person_row(person: LegalPerson, nth: int, office: Office, random: Random) -> Row:
    """One office: what it says of the company, and what it says of the person."""
    role, position = vocabulary.ROLES[office.sign]
    record_id = f"RY{person.number:08d}{nth:02d}"
    company = subject_of(person)
    columns: Columns = {
        "PERSONID": record_id,
        "PRIPID": pripid(person),
        "UNISCID": person.credit_code,
        "REGNO": person.registration_number,
        "ENTNAME": person.name,
        "LEREPSIGN": office.sign,
        "POSITION": position,
        "NAME": office.name,
        "CERTYPE": office.document_kind,
        "CERNO": office.document,
        "COUNTRY": CHINA if office.document_kind == RESIDENT_CARD else NOWHERE,
        **_touched(person.approved_on, random),
    }
    of_company: dict[str, Said | Subject] = {
        "role": Said(role, office.sign), "position": Said(position), "name": Said(office.name),
    }  # fmt: skip
    if office.subject:
        of_company["person"] = office.subject
    of_person: Parts = {"role": Said(role, office.sign), "company": company, "company_name": Said(person.name)}
    whose = office.subject or nobody(KEY_PERSON, record_id, PERSON_PART)
    return Row(
        KEY_PERSON, record_id, person.number, company, columns, {},
        element=Element("key_persons", of_company), other=Word(whose, {}, Element("roles", of_person), PERSON_PART),
    )  # fmt: skip


def listing_rows(person: LegalPerson, random: Random, today: date) -> Iterator[Row]:
    """Companies that were listed once; most were taken off the list again."""
    if person.kind == "sole_trader" or random.random() > 0.1:
        return
    cause = random.choice(tuple(vocabulary.LISTING_REASONS))
    listed = _between(max(date(2014, 12, 29), person.established_on), today, random)
    removed = None if random.random() < 0.3 else min(today, listed + timedelta(days=random.randrange(10, 900)))
    record_id = f"YC{person.number:09d}1"
    parts: dict[str, Said | Subject] = {
        "reason": Said(vocabulary.LISTING_REASONS[cause], cause),
        "listed_on": Said(listed.isoformat()),
        "listed_by": Said(vocabulary.OFFICE),
    }
    columns: Columns = {
        "BUSEXCLIST": record_id, "PRIPID": pripid(person), "UNISCID": person.credit_code,
        "REGNO": person.registration_number, "SPECAUSE": cause, "ABNTIME": spellings.day(listed),
        "DECORG": vocabulary.OFFICE, "REMEXCPRES": None, "REMDATE": None, "REDECORG": None,
        **_touched(removed or listed, random),
    }  # fmt: skip
    if removed is not None:
        why = random.choice(vocabulary.REMOVAL_REASONS)
        columns.update({"REMEXCPRES": why, "REMDATE": spellings.day(removed), "REDECORG": vocabulary.OFFICE})
        parts.update({"removed_on": Said(removed.isoformat()), "removed_reason": Said(why)})
    yield Row(
        ABNORMAL_LISTING, record_id, person.number, subject_of(person), columns, {},
        element=Element("abnormal_listings", parts),
    )  # fmt: skip


def permit_rows(person: LegalPerson, random: Random, today: date) -> Iterator[Row]:
    """Who deals in food holds a food permit, some hold another."""
    if "食品" in person.trade.scope and random.random() < 0.8:
        yield permit_row(person, 1, "食品", "食品经营（预包装食品销售、热食类食品制售）", random, today)
    if random.random() < 0.2:
        kind = random.choice(("普通", "普通", "特许", "登记"))
        yield permit_row(person, 2, kind, f"{person.trade.word}经营许可", random, today)


def permit_row(person: LegalPerson, nth: int, kind: str, content: str, random: Random, today: date) -> Row:
    start = _between(max(person.established_on, date(2012, 1, 1)), today, random)
    end = start.replace(year=start.year + PERMIT_YEARS, day=min(start.day, 28))
    state = "REVOKED" if person.status == "REVOKED" else "VALID" if end >= today else "EXPIRED"
    record_id, number = f"XK{person.number:09d}{nth}", f"示例许可〔{start.year}〕第{person.number:07d}{nth}号"
    columns: Columns = {
        "XK_ID": record_id, "XK_XDR_MC": person.name, "XK_XDR_SHXYM": person.credit_code,
        "XK_XDR_GSZC": person.registration_number, "XK_WSH": number, "XK_XKLB": kind, "XK_NR": content,
        "XK_JDRQ": start.isoformat(), "XK_YXQZ": start.isoformat(), "XK_YXQZI": end.isoformat(),
        "XK_XKJG": vocabulary.OFFICE, "XK_ZT": vocabulary.PERMIT_STATES[state], **_touched(start, random),
    }  # fmt: skip
    parts: Parts = {
        "number": Said(number), "kind": Said(vocabulary.PERMIT_KINDS[kind], kind), "content": Said(content),
        "status": Said(state, vocabulary.PERMIT_STATES[state]), "valid_from": Said(start.isoformat()),
        "valid_to": Said(end.isoformat()), "issuer": Said(vocabulary.OFFICE),
    }  # fmt: skip
    return Row(
        PERMIT, record_id, person.number, subject_of(person), columns, {}, element=Element("permits", parts)
    )  # fmt: skip


def pripid(person: LegalPerson) -> str:
    return f"350299{person.number:010d}"


def _touched(on: date, random: Random) -> Columns:
    return {"CD_OPERATION": random.choice(("1", "i", "u")), "UPDATE_TIME": spellings.moment(on, random)}


def _between(first: date, last: date, random: Random) -> date:
    return first + timedelta(days=random.randrange(max(1, (last - first).days)))


def _term_end(start: date, random: Random) -> str | None:
    if random.random() < 0.5:
        return spellings.day(start.replace(day=1) + timedelta(days=365 * random.choice((10, 20, 30))))
    return random.choice(spellings.OPEN_ENDS)
