"""At rest the exchange holds what the source holds, whatever happened on the way; and watermarks say so truly."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import fuse
from connectors.columns import Row
from connectors.fuse import Release
from tests.connectors.worlds import CODES, TWO_PARTS, UNMAPPED, World, branch, mapper_of, source

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one
Key = tuple[str, str, str]
State = tuple[str, str | None, int]
RIDS = ("r1", "r2", "r3", "r4")

OUTCOMES = ["ok", "ok", "ok", "aborted", "committed", "killed_before", "killed_after"]
NAMES = ["甲", "乙", UNMAPPED]
subjects = st.sampled_from([*CODES[:3], None, "?!"])
rows = st.builds(
    branch,
    st.sampled_from(RIDS),
    subjects,
    st.sampled_from(NAMES),
    st.sampled_from([None, *CODES[:3]]),
    st.sampled_from("1109"),
)


@dataclass(frozen=True)
class Event:
    """One thing that happens: the table becomes these rows, or a cycle runs, or the store is lost."""

    kind: str
    rows: tuple[Row, ...] = ()
    outcomes: tuple[str, ...] = ()


tables = st.lists(rows, max_size=5).map(lambda drawn: Event("table", rows=tuple(drawn)))
cycles = st.lists(st.sampled_from(OUTCOMES), max_size=4).map(lambda drawn: Event("cycle", outcomes=tuple(drawn)))
others = st.sampled_from([Event("restart"), Event("release"), Event("day")])
losses = st.sampled_from([Event("lose"), Event("copy"), Event("restore")])


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(tables, cycles, cycles, others), max_size=24))
def test_at_rest_the_exchange_holds_what_the_source_holds_and_nothing_else(events: list[Event]) -> None:
    with lived(events) as world:
        assert world.statements() == expected(world)
        assert world.publisher.position.present_stopped is None
        assert world.watermarks()[-1]["present_until"] == world.watermarks()[-1]["snapshot_at"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(tables, cycles, cycles, others, losses), max_size=24))
def test_whatever_becomes_of_the_store_nothing_of_the_source_is_missing(events: list[Event]) -> None:
    with lived(events) as world:
        wanted = expected(world)

        assert shown(world, wanted) == wanted
        assert len(world.statements()) == len(wanted) or world.publisher.position.present_stopped == "store_lost"


@contextmanager
def lived(events: list[Event]) -> Iterator[World]:
    """A world after these events and enough quiet cycles; every watermark was looked at as it came."""
    # The store syncs to disk at every note; here that is looked at, not endured.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as name:
        life = _Life(Path(name))
        try:
            for event in [*events, *[Event("day"), Event("cycle"), Event("release"), Event("cycle")] * 2]:
                life.happens(event)
            yield life.world
        finally:
            life.world.stop()


class _Life:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.world = World(source(TWO_PARTS, folder), folder / "store")

    def happens(self, event: Event) -> None:
        world, copy = self.world, self._folder / "copy"
        match event.kind:
            case "table":
                world.rows.rows = list(event.rows)
            case "cycle":
                self._look(world.cycle(*event.outcomes))
            case "restart":
                world.start()
            case "release":
                self._release()
            case "day":
                world.rows.at_ms += fuse.WINDOW_MS
            case "lose":
                world.stop()
                shutil.rmtree(world.folder, ignore_errors=True)
            case "copy" if world.folder.exists():
                world.stop()
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(world.folder, copy)
            case "restore" if copy.exists():
                world.stop()
                shutil.rmtree(world.folder, ignore_errors=True)
                shutil.copytree(copy, world.folder)

    def _release(self) -> None:
        position = self.world.publisher.position if hasattr(self.world, "publisher") else None
        if position and position.held:
            fuse.write_release(self.world.folder, Release(position.held, position.closed_cycle))

    def _look(self, report: Any) -> None:
        """What a watermark says holds, at once."""
        if report is None:
            return
        world = self.world
        wanted = expected(world)
        marks = [mark for mark in world.watermarks() if mark["cycle"] == report.cycle]
        sums = [(mark["sum_count"], mark["sum_digest"]) for mark in sorted(marks, key=lambda mark: mark["partition"])]
        assert report.counts.balanced
        assert sums == [(each.count, each.digest_bytes) for each in world.sums()]
        assert shown(world, wanted) == wanted
        if all(mark["present_until"] == mark["snapshot_at"] for mark in marks):
            assert world.statements() == wanted


def shown(world: World, wanted: Mapping[Key, State]) -> dict[Key, State | None]:
    """What the exchange holds of these statements.

    Once the store was lost, a refusal still counts its rows once, but perhaps under a key that was forgotten.
    """
    here: dict[Key, State | None] = {key: world.statements().get(key) for key in wanted}
    if world.publisher.position.present_stopped != "store_lost":
        return here
    return {
        key: wanted[key] if state and state[0] == wanted[key][0] == "REFUSED" else state for key, state in here.items()
    }


def expected(world: World) -> dict[Key, State]:
    """What the rows alone say: live statements, and refusals under the keys that can be read or were sent under."""
    mapper = mapper_of(world.source)
    found: dict[Key, State] = {}
    for record_id in dict.fromkeys(row["ID"] for row in world.rows.rows):
        mapped = mapper.map_all([row for row in world.rows.rows if row["ID"] == record_id])
        for record in mapped.records:
            value = record.value
            text = value["name"] or value["scope"]
            found[record.target.subject, mapped.record_id, record.target.part] = ("UPSERT", text, value["meta"]["rows"])
        if mapped.refusal:
            readable = {(t.subject, mapped.record_id, t.part) for t in mapped.refusal.readable}
            fallback = (mapped.refusal.fallback.subject, mapped.record_id, mapped.refusal.fallback.part)
            keys = sent_under(world, mapped.record_id, readable) | readable or {fallback}
            for at, key in enumerate(sorted(keys, key=lambda key: (key[0].encode(), key[2]))):
                found[key] = ("REFUSED", None, mapped.rows if at == 0 else 0)
    return found


def sent_under(world: World, record_id: str, readable: set[Key]) -> set[Key]:
    """Where a row is still known, as far as the connector can remember; of what it forgot, where it is refused."""
    known = {key: state[0] for key, state in world.statements().items() if key[1] == record_id}
    if world.publisher.position.present_stopped != "store_lost":
        return set(known)
    refused = sorted(key for key, operation in known.items() if operation == "REFUSED")
    return set() if readable else set(refused[:1])
