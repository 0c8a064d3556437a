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

from deploy.district import companies, dirty_rows, spellings, vocabulary
from deploy.district.invention import another, company_name, human_name, place
from deploy.district.persons import persons
from deploy.district.rows import Row, Said
from deploy.district.sample import District, in_table_order
from deploy.district.sources import ENTERPRISE, LOCAL_TAXPAYER, SOURCES

FIRST_DAY = date(2022, 1, 10)
_SHARES = {"update": 57, "insert": 15, "move": 10, "delete": 10, "flag": 5, "spoil": 3}


class Change(NamedTuple):
    """A row as it was and as it is now; None where it was not there, or no longer is."""

    source: str
    record_id: str
    before: Row | None
    now: Row | None

    @property
    def department(self) -> str:
        return self.source.split(".", 1)[0]


def changed(before: Row, now: Row) -> Change:
    return Change(before.source, before.record_id, before, now)


def appeared(now: Row) -> Change:
    return Change(now.source, now.record_id, None, now)


def after(district: District, changes: Iterable[Change]) -> District:
    """The district once the changes have happened; rows that vanished are remembered, moved ones are not."""
    rows = {(row.source, row.record_id): row for row in district.rows if not _is_twice(row)}
    twice = [row for row in district.rows if _is_twice(row)]
    former = list(district.former)
    for change in changes:
        if change.before is not None and (change.now is None or change.now.outcome == "deleted"):
            former.append(change.before)
        rows.pop((change.source, change.record_id), None)
        if change.now is not None:
            rows[change.source, change.record_id] = change.now
    return replace(district, rows=tuple(in_table_order([*rows.values(), *twice])), former=tuple(former))


def with_newcomers(district: District, seed: int, count: int) -> tuple[District, list[Change]]:
    """The district with `count` more legal persons known, and the changes that bring their rows."""
    random = Random(f"newcomers {seed}")
    first = max(district.persons) + 1
    new = list(persons(random, count, first))
    changes = [appeared(row) for person in new for row in companies.rows_of(person, random)]
    known = {**district.persons, **{person.number: person for person in new}}
    return replace(district, persons=known), changes


def revoke(district: District, credit_code: str, on: date) -> list[Change]:
    """The licence of this credit code revoked at the registry."""
    row = next(row for row in district.at(ENTERPRISE) if row.columns["UNISCID"] == credit_code)
    return [changed(row, _updated(row, {"REGSTATE": "0006"}, {"status": Said("REVOKED", "0006")}, on))]


def move(district: District, source: str, record_id: str, to: Row, on: date) -> list[Change]:
    """The row's numbers rewritten to those of the row `to`: from now on it is about another subject."""
    row = district.find(source, record_id)
    columns = ("UNISCID", "REGNO") if source == ENTERPRISE else ("NSRSBH", "SHXYDM", "ZZJG_DM")
    said: dict[str, Said | None] = {} if source == ENTERPRISE else {"taxpayer_number": to.says["taxpayer_number"]}
    moved = _updated(row, {column: to.columns[column] for column in columns}, said, on)
    return [changed(row, replace(moved, subject=to.subject).plant("moved_row"))]


def delete(district: District, source: str, record_ids: Iterable[str]) -> list[Change]:
    """Rows gone from the source altogether."""
    return [Change(source, record_id, district.find(source, record_id), None) for record_id in record_ids]


def flag_deleted(district: District, source: str, record_id: str, on: date) -> list[Change]:
    """A row deleted the department's way: it stays, with a flag."""
    row = district.find(source, record_id)
    return [changed(row, dirty_rows.flagged(_updated(row, {}, {}, on)))]


def spoil(district: District, source: str, record_id: str, on: date) -> list[Change]:
    """A row of which the newest version cannot be used; what it said before is in question from now on."""
    row = district.find(source, record_id)
    column = SOURCES[source].states["name"]
    written = _updated(row, {column: f"{row.columns[column]}{spellings.UNMAPPED}"}, {}, on).columns
    spoilt = replace(row, columns=written, outcome="in_question", reason="unmapped_character")
    return [changed(row, spoilt.plant("spoilt_later"))]


def churn(district: District, seed: int, count: int) -> tuple[District, list[Change]]:
    """About `count` seeded changes of all kinds, each to a row of its own, and the district they lead to."""
    random = Random(f"churn {seed}")
    count = min(count, len(_free(district)) // 2)  # a move takes two rows
    each = Counter(random.choices(tuple(_SHARES), tuple(_SHARES.values()), k=count))
    district, changes = with_newcomers(district, seed, each["insert"])
    rows = random.sample(_free(district), 2 * count)
    day = FIRST_DAY + timedelta(days=seed % 300)
    for _ in range(each["update"]):
        changes.append(_random_update(rows.pop(), random, day))
    for _ in range(each["delete"]):
        changes += _gone(district, rows.pop(), day)
    for _ in range(each["flag"]):
        row = rows.pop()
        changes += flag_deleted(district, row.source, row.record_id, day)
    for _ in range(each["spoil"]):
        row = rows.pop()
        changes += spoil(district, row.source, row.record_id, day)
    changes += _random_moves(district, rows, each["move"], day)
    return after(district, changes), changes


def _random_update(row: Row, random: Random, day: date) -> Change:
    attribute = random.choice(("name", "address", "business_address", "legal_representative", "status"))
    if attribute == "status":
        return _status_update(row, random, day)
    made = {"name": company_name, "legal_representative": human_name}.get(attribute, place)
    value = another(str(row.columns[SOURCES[row.source].states[attribute]]), made, random)
    now = _updated(row, {SOURCES[row.source].states[attribute]: value}, {attribute: Said(value)}, day)
    return changed(row, now.plant("changed_later", attribute))


def _status_update(row: Row, random: Random, day: date) -> Change:
    attribute = "status" if row.source == ENTERPRISE else "tax_status"
    states = vocabulary.REGISTRATION_STATES if row.source == ENTERPRISE else vocabulary.TAX_STATES
    status = random.choice(tuple(states))
    code = states[status][0]
    now = _updated(row, {SOURCES[row.source].states[attribute]: code}, {attribute: Said(status, code)}, day)
    return changed(row, now.plant("changed_later", attribute))


def _random_moves(district: District, rows: list[Row], count: int, day: date) -> list[Change]:
    """Rows that go over to another subject of the same department; the other's own row is not touched again."""
    changes: list[Change] = []
    for _ in range(count):
        row = rows.pop()
        target = next((other for other in rows if _can_take(other, row)), None)
        if target is not None:
            rows.remove(target)
            changes += move(district, row.source, row.record_id, target, day)
    return changes


def _can_take(other: Row, row: Row) -> bool:
    return other.source == row.source and other.subject != row.subject and not other.subject.is_row


def _gone(district: District, row: Row, on: date) -> list[Change]:
    """The row gone altogether; where increments of files tell what changed, they can only say so by a flag."""
    if district.people and SOURCES[row.source].form != "sql":
        return flag_deleted(district, row.source, row.record_id, on)
    return delete(district, row.source, [row.record_id])


def _updated(row: Row, columns: Mapping[str, str | None], says: Mapping[str, Said | None], on: date) -> Row:
    """The row with these columns rewritten; its dates follow, as the department's clerk would have them."""
    stamp = f"{spellings.day(on)} 9:00:00"
    if row.source == LOCAL_TAXPAYER:
        return row.changed({"XGRQ": stamp, **columns}, says)
    dates = {"APPRDATE": spellings.day(on), "UPDATE_TIME": stamp, "CD_TIMESCN": stamp, "CD_OPERATION": "u"}
    return replace(row.changed({**dates, **columns}, says), effective_from=on.isoformat())


def _free(district: District) -> list[Row]:
    """Rows a change may touch: live, and nobody named in a demonstration."""
    rows = (row for row in district.rows if row.source in {ENTERPRISE, LOCAL_TAXPAYER})
    return [row for row in rows if row.outcome == "live" and not _is_named(row)]


def _is_named(row: Row) -> bool:
    return row.subject.value.startswith("XXDEM")


def _is_twice(row: Row) -> bool:
    return row.reason == "duplicate_key"
