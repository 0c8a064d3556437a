"""Resend: the store is set right by what the partitions hold, and the cycle then sends what the source has instead.

A marker goes to every partition; each answers with what it holds at that very place. Nothing of the source is
sent between the marker and the cycle, so what the lists lack has not arrived. Where a list and the store's
settled note say different things, something was lost, doubled or changed on the way: a break, by its kind.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.mapper import Mapped, Target
from connectors.plan import Note, Notes
from connectors.reconciliation import Held, HeldRows

ALL: frozenset[int] = frozenset()
"""Buckets of a resend that leaves none out, as it is written on the wire."""

MISSING, EXTRA, STALE, REGRESSED, DIVERGENT = "MISSING", "EXTRA", "STALE", "REGRESSED", "DIVERGENT"
_NUMBER = re.compile(r"-?\d+")

Statement = tuple[str, str]
TypeOf = Callable[[str, str], str]
"""Part and subject to record type."""


@dataclass(slots=True)
class Resend:
    """What a resend cycle is told, and what it finds."""

    buckets: frozenset[int]
    breaks: Counter[str] = field(default_factory=Counter)
    suspects: dict[str, list[Held]] = field(default_factory=dict)
    """Statements that say another thing than was sent, by row: the row's own token tells how."""

    def compare(self, noted: Mapping[str, Notes], held: HeldRows, newest: tuple[int, int]) -> None:
        """Name what differs from the settled notes; `newest` is the newest version there can be."""
        for record_id in noted.keys() | held.keys():
            notes = {_statement(note.target): note for note in noted.get(record_id, ())}
            here = {(each.part, each.subject): each for each in held.get(record_id, ())}
            for statement in notes.keys() | here.keys():
                kind = _kind(notes.get(statement), here.get(statement), newest)
                if kind:
                    self.breaks[kind] += 1
                elif _differ(notes.get(statement), here.get(statement)):
                    self.suspects.setdefault(record_id, []).append(here[statement])

    def judge(self, mapped: Mapped) -> None:
        """Name what is held of this row in another form than it was sent."""
        tokens = {(r.target.part, r.target.subject): r.value["meta"]["source_token"] for r in mapped.records}
        for held in self.suspects.pop(mapped.record_id, ()):
            self.breaks[by_token(held.source_token, tokens.get((held.part, held.subject)))] += 1

    def close(self) -> None:
        """What is left was sent in another form, and its row is gone since."""
        if left := sum(map(len, self.suspects.values())):
            self.breaks[STALE] += left
        self.suspects.clear()


def joined(own: Notes, held: Sequence[Held], type_of: TypeOf) -> Notes:
    """What may stand at the exchange of one row: what a list shows, and in doubt what it does not show but was noted.

    What was noted may still be on its way, so it stays: its DELETE or UPSERT is sent once more.
    """
    noted = {_statement(note.target): note for note in own}
    doubtful = {statement: Note(note.target, None, refused=False) for statement, note in noted.items()}
    return tuple((doubtful | {(h.part, h.subject): _note(h, noted, type_of) for h in held}).values())


def _note(held: Held, noted: Mapping[Statement, Note], type_of: TypeOf) -> Note:
    own = noted.get((held.part, held.subject))
    target = own.target if own else Target(held.part, type_of(held.part, held.subject), held.subject)
    if held.row_hash is not None:
        return Note(target, held.row_hash, refused=False)
    # Why it was refused is known to the store alone.
    return own if own and own.refused else Note(target, None, refused=True)


def _kind(note: Note | None, held: Held | None, newest: tuple[int, int]) -> str | None:
    if held and (held.epoch, held.cycle) > newest:
        return REGRESSED
    if held is None:
        return MISSING if note and note.row_hash is not None else None
    return EXTRA if note is None else None


def _differ(note: Note | None, held: Held | None) -> bool:
    if note is None or held is None or note.row_hash is None:
        return False
    return (None if note.refused else note.row_hash) != held.row_hash


def by_token(held: str | None, source: str | None) -> str:
    """The kind of a difference, by the row's own change tokens; without any it was left behind."""
    if held is None or source is None:
        return STALE
    if held == source:
        return DIVERGENT
    both_numbers = _NUMBER.fullmatch(held) and _NUMBER.fullmatch(source)
    ahead = int(held) > int(source) if both_numbers else held > source
    return REGRESSED if ahead else STALE


def _statement(target: Target) -> Statement:
    return target.part, target.subject
