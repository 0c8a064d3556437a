"""Our own deadline on calls that have none: some of the library's waits never end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

# How long a question that changes nothing may take.
QUERY_SECONDS = 10.0


class DeadlineError(Exception):
    """The call gave no answer in time; it may still be running, and may still take effect."""


def within(seconds: float, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Give what the call gives, or raise DeadlineError and leave its thread behind.

    The thread cannot be ended from outside. It is a daemon: it keeps its stack until the process ends, no more.
    """
    answer: list[_T] = []
    raised: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            answer.append(call(*args, **kwargs))
        except BaseException as exc:  # noqa: BLE001 - raised again where it was asked for
            raised.append(exc)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True, name="within").start()
    if not done.wait(seconds):
        raise DeadlineError(f"{getattr(call, '__name__', 'a call')} gave no answer in {seconds:.0f} s")
    if raised:
        raise raised[0]
    return answer[0]
