"""How a process ends, seen from outside."""

import os
import signal
import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from threading import Event
from process.errors import FencedError, PermanentError, SettingsError, TransientError
from process.running import main

def run(stop: Event) -> int | None:
    {body}

main(run)
"""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return None", 0),
        ("return 0", 0),
        ("return 4", 4),
        ("raise SettingsError('told')", 2),
        ("raise TransientError('told')", 3),
        ("raise PermanentError('told')", 4),
        ("raise FencedError('told')", 6),
        ("raise ValueError('told')", 5),
        ("sys.exit(2)", 2),
    ],
)
def test_the_exit_code_says_what_to_do_next(body: str, code: int) -> None:
    assert _ended(body).returncode == code


def test_a_known_error_is_told_without_a_traceback() -> None:
    ended = _ended("raise SettingsError('a.yaml:3: no.\\n不行。')")

    assert ended.stderr == "a.yaml:3: no.\n不行。\n"


def test_a_defect_tells_where_it_happened_and_quotes_no_value() -> None:
    ended = _ended("raise KeyError('planted') from ValueError('planted too')")

    assert "<string>:8 run" in ended.stderr
    assert "ValueError\n" in ended.stderr
    assert "KeyError\n" in ended.stderr
    assert "This is a defect of the program (KeyError)" in ended.stderr
    assert "planted" not in ended.stderr


def test_a_defect_in_the_use_of_a_name_tells_the_name() -> None:
    assert "has no attribute 'is_sett'" in _ended("stop.is_sett()").stderr


def test_the_text_of_a_defect_is_shown_to_those_who_ask_with_numbers_still_masked() -> None:
    ended = _ended("raise KeyError('planted 350299800101001')", TONGBAN_SHOW_DEFECT_TEXT="1")

    assert "KeyError: 'planted ****'" in ended.stderr


def test_a_defect_in_a_thread_stops_the_process_too() -> None:
    ended = _ended("import threading; threading.Thread(target=lambda: {}['planted']).start(); stop.wait(60)")

    assert ended.returncode == 5
    assert "This is a defect of the program (KeyError)" in ended.stderr
    assert "planted" not in ended.stderr


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_leaves_early_is_no_defect(lines: int) -> None:
    process = _started(f"input(); print('line\\n' * {lines})", stdin=True)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate("go\n", timeout=60)

    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize("asking", [signal.SIGTERM, signal.SIGINT])
def test_one_that_is_asked_to_stop_ends_its_work_and_is_done(asking: signal.Signals) -> None:
    process = _started("print('up', flush=True); stop.wait(60); print('closed')")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(asking)
    out, _ = process.communicate(timeout=60)

    assert (process.returncode, out) == (0, "closed\n")


def test_a_second_interrupt_does_not_ask() -> None:
    process = _started("print('up', flush=True); stop.wait(60); print('closing', flush=True); Event().wait(60)")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert process.returncode == -signal.SIGINT


def _ended(body: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    process = _started(body, stdin=False, **environ)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _started(body: str, *, stdin: bool = False, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.format(body=body)],
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )
