"""What transactions have in common, whichever library carries them: their times, and what doubt does to them.

A record that cannot be delivered is given up before the broker gives the
transaction up, and a transaction is shorter than what a reader would notice.
"""

from __future__ import annotations

from typing import NoReturn

from process.errors import FencedError
from process.messages import say
from transport.client import Doubt, Membership

TRANSACTION_MS = 15_000
DELIVERY_MS = 5_000
REQUEST_MS = 3_000
INIT_MS = 8_000
CALL_SECONDS = 6.0
FLUSH_SECONDS = 6.0

# Longer than a request may take: the end of the transaction may have been sent twice, and the second may still
# come and end a later transaction of the same epoch. A new producer has a new epoch.
SLOW_SECONDS = REQUEST_MS / 1000

OUTSTANDING_BYTES = 32 << 20


class Standing:
    """Whether the transaction under a name can still end well, and whether the name is still ours."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._doubtful = False
        self._fences = 0

    @property
    def in_doubt(self) -> bool:
        return self._doubtful

    def lost(self) -> None:
        """The transaction cannot end well: only a rebuild goes on from here."""
        self._doubtful = True

    def doubt(self, reason: str, text: str, cause: BaseException | None) -> NoReturn:
        """Raise what an outcome that is not known to be good means."""
        self._doubtful = True
        if reason == "fenced":
            # A rival, or our own transaction that expired: the broker says the same. One is forgiven.
            self._fences += 1
            if self._fences > 1:
                raise FencedError(say("transport.fenced", name=self._name)) from cause
        raise Doubt(reason, text) from cause

    def require_rebuilt(self) -> None:
        if self._doubtful:
            raise Doubt("not_rebuilt", "the last transaction is in doubt")

    def require_whole(self) -> None:
        if self._doubtful:
            raise Doubt("send", "a record of this transaction could not be handed over")

    def require_member(self, membership: Membership | None) -> Membership:
        """The membership, if offsets committed under it can be refused for being stale."""
        if membership is None:
            raise ValueError("offsets are committed as a member of a group")
        if membership.generation < 0 or not membership.member:
            self.doubt("stale", "we were not in the group", None)
        return membership

    def rebuilt(self) -> None:
        self._doubtful = False

    def committed(self) -> None:
        self._fences = 0
