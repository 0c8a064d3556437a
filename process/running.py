"""How a process ends: 0 done, 2 settings, 3 try again later, 4 data refused, 5 defect, 6 fenced.

SIGTERM and SIGINT ask it to stop, and stopping when asked is done (0). A second Ctrl-C does not ask.
A known error is told in two lines without a traceback. A defect shows where it happened, but not the
text of its exception unless that can only be about code: such a text may quote a row.
"""

import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from threading import Event
from types import FrameType
from typing import NoReturn

from process.errors import DEFECT, DONE, FencedError, PermanentError, TransientError
from process.logs import configure, masked
from process.messages import say

_KNOWN = (TransientError, PermanentError, FencedError)

# Their texts speak of names in the code, files and addresses; a KeyError or a ValueError quotes what it was given.
_ABOUT_CODE = (AttributeError, ImportError, NameError, NotImplementedError, OSError, TypeError)


def main(run: Callable[[Event], int | None]) -> NoReturn:
    """Run until done or asked to stop, and leave with the exit code that says how it went."""
    stop = Event()
    configure()
    _listen(stop)
    died = _watch_threads(stop)
    try:
        code = run(stop) or DONE
        sys.stdout.flush()
    except _KNOWN as exc:
        print(masked(str(exc)), file=sys.stderr, flush=True)
        code = exc.exit_code
    except Exception as exc:  # noqa: BLE001 - the last place where a defect can be told without what it quotes
        code = DONE if _nobody_reads_on(exc) else _defect(exc)
    sys.exit(DEFECT if died.is_set() else code)


def _listen(stop: Event) -> None:
    def asked(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)


def _watch_threads(stop: Event) -> Event:
    """Let a thread's defect stop the process as one of the main thread would."""
    died = Event()

    def told(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            _defect(args.exc_value)
        died.set()
        stop.set()

    threading.excepthook = told
    return died


def _nobody_reads_on(exc: Exception) -> bool:
    """Whether it was only that the reader of our output has left, as `head` does."""
    if not isinstance(exc, BrokenPipeError):
        return False
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    if not output.poll(0):
        return False
    # Else the interpreter tries once more at its end, and complains.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _defect(exc: BaseException) -> int:
    print(masked(_without_values(exc)), file=sys.stderr, flush=True)
    return DEFECT


def _without_values(exc: BaseException) -> str:
    told = [line for each in _chain(exc) for line in _where(each)]
    return "\n".join([*told, say("exit.defect", kind=type(exc).__name__)])


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """From the first cause to what came of it."""
    if exc is not None:
        yield from _chain(exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__))
        yield exc


def _where(exc: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(exc.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"
    may_tell = isinstance(exc, _ABOUT_CODE) or os.environ.get("TONGBAN_SHOW_DEFECT_TEXT")
    yield f"{type(exc).__name__}: {exc}" if may_tell else type(exc).__name__
