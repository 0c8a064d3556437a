"""Tells a rival, another process of our name, from what only looks like one.

Who works under a name takes two things, one after the other: the producer's
name and the member's. The broker fences whoever had them. Of two that take
over from each other, each can be without one of the two at the same time, and
if either loss counted, both would stop. So the member's decides. It is with
whoever joined last, and who has it is not told of a loss: only one of two can
ever be on its way to stop, and the other then has both for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from process.errors import FencedError
from process.messages import say

# One loss may be our own late request to join. Two that take over from each other each have successes between, so a
# success alone does not tell that nobody is there.
_FORGET_SECONDS = 10.0

# The producer's loss is also what an expired transaction looks like. Only if it goes on and on, with the member's name
# ours all the while, does somebody use our transactional id alone.
_PRODUCER_LOSSES = 10


class Rival:
    """What the losses of a name come to; the clock is an argument for whoever has another."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._members = 0
        self._producers = 0
        self._last = 0.0

    def took_member(self, cause: Exception) -> None:
        """The member's name was taken from us: FencedError when that is another process."""
        self._members += 1
        self._last = self._clock()
        if self._members > 1:
            raise self._fenced() from cause

    def took_producer(self, cause: Exception) -> None:
        """The producer's name was taken from us, or our transaction has expired."""
        self._producers += 1
        if self._producers >= _PRODUCER_LOSSES:
            raise self._fenced() from cause

    def succeeded(self) -> None:
        """A transaction was committed under both names."""
        self._producers = 0
        if self._clock() - self._last > _FORGET_SECONDS:
            self._members = 0

    def _fenced(self) -> FencedError:
        return FencedError(say("transport.fenced", name=self._name))
