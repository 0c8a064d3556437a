"""Stopping by itself: a process that is to end once nothing comes any more."""

from threading import Event
from time import monotonic

from transport import loop

QUIET_POLL_SECONDS = 0.2


def stop_when_idle(tally: loop.Tally, seconds: float, stop: Event) -> None:
    """Ask to stop once no message has been taken for so long; the time before the first assignment does not count."""
    messages, since = -1, monotonic()
    while not stop.wait(QUIET_POLL_SECONDS):
        if not tally.settled or tally.messages != messages:
            messages, since = tally.messages, monotonic()
        elif monotonic() - since >= seconds:
            stop.set()
