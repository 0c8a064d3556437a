"""What a reader of the registry was promised, looked at after every step and at rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from approval.absence import silence
from approval.evidence import Evidence, newest_of, watermark_of
from approval.trust import Asked
from approval.verdicts import Verdict
from exchange.ledger import Ledger
from exchange.watermarks import Source as Known
from schemas.catalogue import catalogues
from schemas.codec import contract
from tests.connectors.worlds import SUBJECTS
from tests.simulation.around import (
    DEPT,
    PARTITIONS,
    START,
    Broken,
    Line,
    now_of,
    partition_of,
    the_source,
    watermark_in,
)
from transport.client import TopicPartition

if TYPE_CHECKING:
    from tests.simulation.world import World

MATERIAL: Any = SimpleNamespace(authorities=(), unreadable_allowed=0, max_age=timedelta(days=9999))
LATER = START + timedelta(days=9999)
ASKED = Asked(MATERIAL, LATER, LATER.date(), {}, catalogues())


def check(world: World) -> None:
    for subject in range(3):
        number = partition_of(subject)
        _check_absence(world, subject, number)
    for (number, _), (rid, line) in _shown_lines(world):
        _check_present(world, number, rid, line)


def _shown_lines(world: World) -> Iterator[tuple[tuple[int, str], tuple[str, Line]]]:
    for (number, subject), rows in shown(world).items():
        for rid, value in rows.items():
            yield (number, subject), (rid, Line(SUBJECTS.index(subject), value))


def shown(world: World) -> dict[tuple[int, str], dict[str, str]]:
    """Live statements that are not in question, by partition and subject: row and value."""
    found: dict[tuple[int, str], dict[str, str]] = {}
    for number, there in enumerate(world.partitions):
        ledger = Ledger(there.memory, contract())
        for subject, statement in ledger.held(number, the_source().name, lambda _: True):
            if statement.live and not statement.in_question and statement.body:
                value = contract().decode(statement.body.value)[1]["name"]
                found.setdefault((number, subject), {})[statement.identity.record_id] = value
    return found


def _check_absence(world: World, subject: int, number: int) -> None:
    name = SUBJECTS[subject]
    entry, mark = world.entries.get(name), world.partitions[number].watermark
    if mark is None or (entry and entry["members"]):
        return
    newest = newest_of(entry) if entry and world.without != "absence-cycle" else {}
    evidence = Evidence(
        kind="legal_person",
        subject=name,
        condition="gone" if entry else "none",
        newest=newest,
        watermarks={the_source().name: watermark_of(mark)},
        sources=frozenset({the_source().name}),
    )
    found = silence("scope", evidence, ASKED)
    if found.verdict is not Verdict.ABSENT or found.until is None:
        return
    until = now_of(found.until)
    times = range(max(0, until - 8), until + 1) if world.without == "absence-at-snapshot" else [until]
    for time in times:
        for rid, line in world.at(time).items():
            if line.subject == subject:
                raise Broken(f"false absence: {name} absent as of {time}, when {rid} said {line}")


def _check_present(world: World, number: int, rid: str, line: Line) -> None:
    mark = world.partitions[number].watermark
    if mark is None:
        return
    present = _present_until(world, number, mark)
    if present is not None and not any(
        rid in lines and (lines[rid].refused or lines[rid].subject == line.subject) for lines in since(world, present)
    ):
        raise Broken(f"ghost: {rid} shown as {line}, gone from there before present_until {present}")
    if mark["complete_until"] is not None:
        later = since(world, now_of(mark["complete_until"]))
        if rid in later[0] and not any(rid not in lines or lines[rid].refused or lines[rid] == line for lines in later):
            raise Broken(f"stale: {rid} shown as {line}, changed before complete_until")


def _present_until(world: World, number: int, mark: Mapping[str, Any]) -> int | None:
    time = mark["present_until"]
    if world.without == "present-stops-too":
        sent = world.log.logs.get(TopicPartition(DEPT, number), [])[: world.partitions[number].offset]
        told = [each for message in sent if (each := watermark_in(message))]
        time = told[-1]["present_until"] if told else None
    return None if time is None else now_of(time)


def since(world: World, time: int) -> list[dict[str, Line]]:
    return [world.at(time), *(lines for then, lines in world.history if then > time)]


def check_rest(world: World) -> None:
    expected: dict[tuple[int, str], dict[str, str]] = {}
    for rid, line in world.lines.items():
        if not line.refused and line.subject is not None:
            place = (partition_of(line.subject), SUBJECTS[line.subject])
            expected.setdefault(place, {})[rid] = line.value
    if shown(world) != expected:
        raise Broken(f"at rest: the registry shows {shown(world)}, the source says {expected}")
    at_source = len(world.lines)
    counted = sum(sum(_known(world, number).counted_rows) for number in range(PARTITIONS))
    if counted != at_source:
        raise Broken(f"promise 1: at rest {counted} rows are counted, the source has {at_source}")
    for number, there in enumerate(world.partitions):
        mark = there.watermark
        if mark is None or _known(world, number).broken_since is not None or mark["complete_until"] is None:
            raise Broken(f"at rest: partition {number} never becomes complete again")
        if mark["present_until"] != mark["complete_until"]:
            raise Broken(f"at rest: present_until stands still in partition {number}")


def _known(world: World, number: int) -> Known:
    return Ledger(world.partitions[number].memory, contract()).source(number, the_source().name)


def check_counted(world: World, mark: Mapping[str, Any], counted: Mapping[int, int]) -> None:
    """Promise 1 at a watermark that all partitions have taken, where nothing is held, lost or spoiled."""
    concludes = mark["complete_cycle"] == mark["cycle"] and len(counted) == PARTITIONS
    if concludes and not world.disturbed and sum(counted.values()) != mark["rows_at_source"]:
        raise Broken(f"promise 1: {sum(counted.values())} rows counted, {mark['rows_at_source']} at the source")


def check_verdict(world: World, told: Mapping[str, Any]) -> None:
    at_source = len(world.at(now_of(told["snapshot_at"])))
    counted = sum(world.counted[told["inventory"]].values())
    if told["clean"] and counted != at_source:
        raise Broken(f"promise 1: a clean inventory counts {counted} rows, the source had {at_source}")
    if not told["clean"] and not world.disturbed:
        raise Broken("false alarm: an inventory differs although nothing was disturbed")
