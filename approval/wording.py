"""Wording: codes, attributes, departments and times as people read them, in Chinese and in English."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from approval.civil import CIVIL_TIME, month_of, month_text
from approval.evidence import Code, Part
from approval.items import Said
from approval.verdicts import Reason
from process.messages import Text, catalogue
from schemas.catalogue import Catalogue

_NAMED: Final = re.compile(r"(?P<en>[^(;,]+)[^(]*\((?P<zh>[^)]+)\)")


Names = Mapping[str, Text]


def names(known: Iterable[Catalogue]) -> Names:
    """What attributes are called, and parts of them as `attribute.part`: as we say it, else as it is described there.

    A description begins with the name: `Registered name (名称)`.
    """
    attributes = [attribute for each in known for attribute in each.attributes]
    parts = {f"{a.name}.{part.name}": part.doc for a in attributes for part in a.fields}
    told = {f"attribute.{a.name}": a.doc for a in attributes} | {f"part.{name}": doc for name, doc in parts.items()}
    return {code.partition(".")[2]: _name(code, doc) for code, doc in told.items()}


def _name(code: str, described: str) -> Text:
    named, plain = _NAMED.match(described), code.partition(".")[2]
    found = Text(named["en"].strip(), named["zh"].strip()) if named else Text(plain, plain)
    return catalogue("approval").get(f"approval.{code}", found)


def name_of(name: str, names: Names) -> Text:
    """What an attribute or a part of one is called."""
    return names.get(name, Text(name, name))


def reason_text(reason: Reason, names: Names) -> Text:
    """Why, as one sentence in each language."""
    text = catalogue("approval")[f"approval.reason.{reason.code}"]
    filled = {name: _told(name, value, names) for name, value in reason.fields.items()}
    return Text(
        en=text.en.format(**{name: told.en for name, told in filled.items()}),
        zh=text.zh.format(**{name: told.zh for name, told in filled.items()}),
    )


def label(family: str, code: str) -> Text:
    """What a verdict, a follow, a department or a role is called; itself where nobody gave it a name."""
    return catalogue("approval").get(f"approval.{family}.{code}", Text(code, code))


def value_text(attribute: str, value: Part, raw: str | None) -> Text:
    """A fact's value; a code by its name, one that no list knows as the department wrote it."""
    if isinstance(value, str) and raw is not None:
        return _code_text(attribute, value)
    plain = str(raw if value is None else value)
    return Text(plain, plain)


def part_text(attribute: str, part: str, value: Part) -> Text | None:
    """The value of an element's part; of a blank one what that means, None where it means nothing."""
    name = f"{attribute}.{part}"
    if value is None:
        return catalogue("approval").get(f"approval.blank.{name}")
    if isinstance(value, str) and part in _MONTHS and (month := month_of(value)) is not None:
        return Text(month_text(month), month_text(month))
    if not isinstance(value, Code):
        return Text(str(value), str(value))
    return Text(value.raw, value.raw) if value.canonical is None else _code_text(name, value.canonical)


# First and last of a period: where they are text, departments write a month as YYYYMM.
_MONTHS: Final = frozenset({"from", "to"})


def _code_text(name: str, code: str) -> Text:
    """A code by the name it has for this attribute or part, else by the one it has for all."""
    return catalogue("approval").get(f"approval.code.{name}.{code}", label("code", code))


def time_text(time: datetime) -> str:
    """To the minute, in civil time."""
    return time.astimezone(CIVIL_TIME).strftime("%Y-%m-%d %H:%M")


def _told(name: str, value: object, names: Names) -> Text:
    if isinstance(value, Said):
        return Text(value.en, value.zh)
    if isinstance(value, list):
        each = [_told("department" if name in {"against", "accepted"} else name, one, names) for one in value]
        return Text(", ".join(text.en for text in each), "、".join(text.zh for text in each))
    if name in {"attribute", "part"}:
        return name_of(str(value), names)
    if name in {"department", "role"}:
        return label(name, str(value))
    plain = time_text(value) if isinstance(value, datetime) else _plain(value)
    return Text(plain, plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
