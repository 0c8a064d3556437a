"""The fuse: an empty or half-loaded source must not empty the registry.

Every row that vanished within 24 hours counts, by the source's clock, also those whose deletion has left.
Too many hold *all* deletions of the source until a person releases them. A release is for what was held when
it was given: it lets at most that many rows through, holds no longer than the hold itself, and is gone with it.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

from connectors.position import Position, Vanished

WINDOW_MS = 86_400_000
_MINUTE_MS = 60_000
ALWAYS_ALLOWED = 50
ALLOWED_SHARE = 200  # one row in so many


class Release(NamedTuple):
    """A person's word that so many rows may go, held in that cycle."""

    held: int
    cycle: int


def recent(vanished: tuple[Vanished, ...], now_ms: int) -> tuple[Vanished, ...]:
    """What still counts; a row seen to vanish after `now` (a clock set back) does too."""
    return tuple(each for each in vanished if each.at > now_ms - WINDOW_MS)


def with_gone(vanished: tuple[Vanished, ...], now_ms: int, rows: int) -> tuple[Vanished, ...]:
    """The count with further rows gone; those of one minute are told together, so that it stays short."""
    counted = recent(vanished, now_ms)
    if counted and counted[-1].at // _MINUTE_MS == now_ms // _MINUTE_MS:
        return (*counted[:-1], Vanished(max(counted[-1].at, now_ms), counted[-1].rows + rows))
    return (*counted, Vanished(now_ms, rows))


def holds(gone: int, known: int, position: Position, now_ms: int, release: Release | None) -> bool:
    """Whether the deletion of `gone` of `known` rows is held.

    The share is taken of what the source held before the window's deletions, so that a table that empties
    by small steps is held as one that empties at once. A table of one row may lose it.
    """
    if gone == 0:
        return False
    if release and position.held > 0 and gone <= release.held:
        return False
    before = sum(each.rows for each in recent(position.vanished, now_ms))
    counted, had = before + gone, before + known
    return counted > max(ALWAYS_ALLOWED, had / ALLOWED_SHARE) or (had > 1 and counted > had / 2)


def release_file(folder: Path) -> Path:
    """Where a source's release is left for its connector."""
    return folder / "release.json"


def write_release(folder: Path, release: Release) -> None:
    """Leave a release, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f"release.{os.getpid()}"
    draft.write_text(json.dumps(release._asdict()))
    draft.replace(release_file(folder))


def read_release(folder: Path) -> Release | None:
    """The release that was left, if any; one that cannot be read is none."""
    try:
        return Release(**json.loads(release_file(folder).read_text()))
    except (FileNotFoundError, TypeError, ValueError):
        return None


def remove_release(folder: Path) -> None:
    release_file(folder).unlink(missing_ok=True)
