"""Errors, named for what the caller should do: again, aside, or stop.

Each carries the exit code of a process that it ends. Anything else that ends a
process is a defect (exit code 5), and is left to do so.
"""

from typing import ClassVar

DONE = 0
DEFECT = 5


class TransientError(Exception):
    """May work later: wait and try again."""

    exit_code: ClassVar[int] = 3


class PermanentError(Exception):
    """Will fail the same way every time: set the item aside and go on."""

    exit_code: ClassVar[int] = 4


class SettingsError(PermanentError):
    """A setting is wrong: a person has to change it before anything can run."""

    exit_code: ClassVar[int] = 2


class FencedError(Exception):
    """Another owner has taken over: stop, and do not start again."""

    exit_code: ClassVar[int] = 6
