"""The connector's store as a dictionary; `test_store.py` holds it to what the real one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from connectors.plan import Change, Note, Notes
from connectors.store import Store


class DictStore(Store):
    """Notes in memory, and the rules of the store that can be put back."""

    def __init__(self, folder: Path, without: str | None = None, committed: Callable[[], int] = lambda: 0) -> None:
        """`committed`: how many noted transactions there were, for matching by number."""
        self.folder, self._without, self._committed = folder, without, committed
        self._notes: dict[str, Notes] = {}
        self._ids: tuple[str, ...] = ()
        self._number = -1

    def copy(self) -> DictStore:
        """The store as it is now."""
        other = DictStore(self.folder, self._without, self._committed)
        other._notes, other._ids, other._number = dict(self._notes), self._ids, self._number
        return other

    def close(self) -> None:
        pass

    def count(self) -> int:
        return len(self._notes)

    def matches(self, transaction_id: str) -> bool:
        if self._without == "store-matches-by-id":
            return self._number in {self._committed(), self._committed() + 1}
        return transaction_id in self._ids

    def wipe(self) -> None:
        self._notes, self._ids, self._number = {}, (), self._committed()

    def noted(self, record_id: str) -> Notes:
        return self._notes.get(record_id, ())

    def all(self) -> Iterator[tuple[str, Notes]]:
        return iter(sorted(self._notes.items()))

    def join(self, rows: Iterable[tuple[str, Notes]]) -> None:
        self._notes |= dict(rows)

    def note(self, changes: Iterable[Change], transaction_id: str, before: str) -> None:
        for change in changes:
            self._notes[change.record_id] = self._during(change)
        self._ids = (transaction_id, before)
        self._number = max(self._number, 0) + 1

    def _during(self, change: Change) -> Notes:
        if self._without != "note-voids-hash":
            return change.during
        known: dict[object, Note] = {note.target: note for note in change.before}
        return tuple(known.get(note.target, note) for note in change.during)

    def settle(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.after:
                self._notes[change.record_id] = change.after
            else:
                self._notes.pop(change.record_id, None)
