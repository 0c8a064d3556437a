"""What happens to the district afterwards: licences revoked, rows moved, added, changed and deleted.

A change is a value: `databases.apply` carries it out at the sources, `after` gives the district as it then is,
and so the truth. Rows that are twice there or flagged as deleted are left alone: what a change to one would mean
is not decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from deploy.district import spellings, vocabulary
from deploy.district.persons import MARKET, TAX, another, human_name, persons, place
from deploy.district.rows import STATED_IN, Row, Said
from deploy.district.sample import District, in_table_order, rows_of

FIRST_DAY = date(2022, 1, 10)
_SHARES = {"update": 57, "insert": 15, "move": 10, "delete": 10, "flag": 5, "spoil": 3}


class Change(NamedTuple):
    """A row as it was and as it is now; None where it was not there, or no longer is."""

    department: str
    record_id: str
    before: Row | None
    now: Row | None


def after(district: District, changes: Iterable[Change]) -> District:
    """The district once the changes have happened; rows that vanished are remembered, moved ones are not."""
    rows = {(row.department, row.record_id): row for row in district.rows if not _is_twice(row)}
    twice = [row for row in district.rows if _is_twice(row)]
    former = list(district.former)
    for change in changes:
        if change.before is not None and (change.now is None or change.now.outcome == "deleted"):
            former.append(change.before)
        rows.pop((change.department, change.record_id), None)
        if change.now is not None:
            rows[change.department, change.record_id] = change.now
    return replace(district, rows=tuple(in_table_order([*rows.values(), *twice])), former=tuple(former))


def with_newcomers(district: District, seed: int, count: int) -> tuple[District, list[Change]]:
    """The district with `count` more legal persons known, and the changes that bring their rows."""
    random = Random(f"newcomers {seed}")
    first = max(district.persons) + 1
    new = list(persons(random, count, first))
    changes = [Change(row.department, row.record_id, None, row) for person in new for row in rows_of(person, random)]
    known = {**district.persons, **{person.number: person for person in new}}
    return replace(district, persons=known), changes


def revoke(district: District, credit_code: str, on: date) -> list[Change]:
    """The licence of this credit code revoked at the registry."""
    row = next(row for row in district.at(MARKET) if row.columns["UNISCID"] == credit_code)
    return [_change(row, _updated(row, {"REGSTATE": "0006"}, {"status": Said("REVOKED", "0006")}, on))]


def move(district: District, department: str, record_id: str, to: Row, on: date) -> list[Change]:
    """The row's numbers rewritten to those of the row `to`: from now on it is about another subject."""
    row = district.find(department, record_id)
    columns = ("UNISCID", "REGNO") if department == MARKET else ("NSRSBH", "SHXYDM", "ZZJG_DM")
    said: dict[str, Said | None] = {} if department == MARKET else {"taxpayer_number": to.says["taxpayer_number"]}
    moved = _updated(row, {column: to.columns[column] for column in columns}, said, on)
    return [_change(row, replace(moved, subject=to.subject).plant("moved_row"))]


def delete(district: District, department: str, record_ids: Iterable[str]) -> list[Change]:
    """Rows gone from the source altogether."""
    return [Change(department, record_id, district.find(department, record_id), None) for record_id in record_ids]


def flag_deleted(district: District, department: str, record_id: str, on: date) -> list[Change]:
    """A row deleted the department's way: it stays, with a flag."""
    flag: dict[str, str | None] = {"CD_OPERATION": "d"} if department == MARKET else {"YXBZ": "N"}
    row = district.find(department, record_id)
    return [_change(row, replace(_updated(row, flag, {}, on), outcome="deleted"))]


def spoil(district: District, department: str, record_id: str, on: date) -> list[Change]:
    """A row of which the newest version cannot be used; what it said before is in question from now on."""
    row = district.find(department, record_id)
    column = STATED_IN[department]["name"]
    written = _updated(row, {column: f"{row.columns[column]}{spellings.UNMAPPED}"}, {}, on).columns
    spoilt = replace(row, columns=written, outcome="in_question", reason="unmapped_character")
    return [_change(row, spoilt.plant("spoilt_later"))]


def churn(district: District, seed: int, count: int) -> tuple[District, list[Change]]:
    """About `count` seeded changes of all kinds, each to a row of its own, and the district they lead to."""
    random = Random(f"churn {seed}")
    each = Counter(random.choices(tuple(_SHARES), tuple(_SHARES.values()), k=count))
    district, changes = with_newcomers(district, seed, each["insert"])
    rows = random.sample(_free(district), min(count, len(_free(district))))
    day = FIRST_DAY + timedelta(days=seed % 300)
    for _ in range(each["update"]):
        changes.append(_random_update(rows.pop(), random, day))
    for _ in range(each["delete"]):
        row = rows.pop()
        changes += delete(district, row.department, [row.record_id])
    for _ in range(each["flag"]):
        row = rows.pop()
        changes += flag_deleted(district, row.department, row.record_id, day)
    for _ in range(each["spoil"]):
        row = rows.pop()
        changes += spoil(district, row.department, row.record_id, day)
    changes += _random_moves(district, rows, each["move"], day)
    return after(district, changes), changes


def _random_update(row: Row, random: Random, day: date) -> Change:
    attribute = random.choice(("name", "address", "business_address", "legal_representative", "status"))
    if attribute == "status":
        return _status_update(row, random, day)
    made = {"name": _new_name, "legal_representative": human_name}.get(attribute, place)
    value = another(str(row.columns[STATED_IN[row.department][attribute]]), made, random)
    now = _updated(row, {STATED_IN[row.department][attribute]: value}, {attribute: Said(value)}, day)
    return _change(row, now.plant("changed_later", attribute))


def _status_update(row: Row, random: Random, day: date) -> Change:
    attribute = "status" if row.department == MARKET else "tax_status"
    states = vocabulary.REGISTRATION_STATES if row.department == MARKET else vocabulary.TAX_STATES
    status = random.choice(tuple(states))
    code = states[status][0]
    now = _updated(row, {STATED_IN[row.department][attribute]: code}, {attribute: Said(status, code)}, day)
    return _change(row, now.plant("changed_later", attribute))


def _random_moves(district: District, rows: list[Row], count: int, day: date) -> list[Change]:
    """Rows that go over to another subject of the same department; the other's own row is not touched again."""
    changes: list[Change] = []
    for _ in range(count):
        row = rows.pop()
        target = next((other for other in rows if _can_take(other, row)), None)
        if target is not None:
            rows.remove(target)
            changes += move(district, row.department, row.record_id, target, day)
    return changes


def _can_take(other: Row, row: Row) -> bool:
    return other.department == row.department and other.subject != row.subject and other.subject.scheme != "row"


def _change(before: Row, now: Row) -> Change:
    return Change(before.department, before.record_id, before, now)


def _updated(row: Row, columns: Mapping[str, str | None], says: Mapping[str, Said | None], on: date) -> Row:
    """The row with these columns rewritten; its dates follow, as the department's clerk would have them."""
    stamp = f"{spellings.day(on)} 9:00:00"
    if row.department == TAX:
        return row.changed({"XGRQ": stamp, **columns}, says)
    dates = {"APPRDATE": spellings.day(on), "UPDATE_TIME": stamp, "CD_TIMESCN": stamp, "CD_OPERATION": "u"}
    return replace(row.changed({**dates, **columns}, says), effective_from=on.isoformat())


def _free(district: District) -> list[Row]:
    """Rows a change may touch: live, and nobody named in a demonstration."""
    return [row for row in district.rows if row.outcome == "live" and not _is_named(row)]


def _is_named(row: Row) -> bool:
    return row.subject.value.startswith("XXDEM")


def _is_twice(row: Row) -> bool:
    return row.reason == "duplicate_key"


def _new_name(random: Random) -> str:
    brand, trade = "".join(random.sample(vocabulary.BRANDS, 3)), random.choice(vocabulary.TRADES)
    return f"示例{brand}新{trade.word}有限公司"
