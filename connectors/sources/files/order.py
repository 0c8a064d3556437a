"""Which delivery comes next, and what speaks against it: pure.

The one after the last, or else the first full file further on: what came before a full file is contained in it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from connectors.sources.files.control import Control
from connectors.sources.files.reject import Reject

# Clocks differ; a file that speaks of a later time than this would let readers conclude what nobody knows.
_AHEAD_MS: Final = 300_000
# A span that ends at 23:59:59 is followed by one that begins at 00:00:00.
_SECOND_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that has entered the table."""

    batch: int
    name: str
    md5: str
    full: bool
    to_ms: int
    rows: int


def ahead(newest: Accepted | None, ready: Collection[Control]) -> list[Control]:
    """What has not had its turn."""
    return [each for each in ready if newest is None or each.batch > newest.batch]


def next_batch(newest: Accepted | None, ready: Collection[Control]) -> int | None:
    """The batch whose turn it is; None: nothing can be taken."""
    waiting = ahead(newest, ready)
    if newest and any(each.batch == newest.batch + 1 for each in waiting):
        return newest.batch + 1
    return min((each.batch for each in waiting if each.full), default=None)


def refuse_misplaced(newest: Accepted | None, control: Control, now_ms: int) -> None:
    """Raise `Reject` for a file whose times do not follow those of the one before."""
    if control.to_ms > now_ms + _AHEAD_MS:
        raise Reject("in_future")
    if newest and control.to_ms < newest.to_ms:
        raise Reject("goes_back")
    from_ms = control.content.from_ms
    if newest and not control.full and from_ms is not None and from_ms > newest.to_ms + _SECOND_MS:
        raise Reject("hole")
