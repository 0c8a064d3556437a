"""Requests that no honest client sends: slow, endless, broken or too many; whoever asks properly is answered on."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from approval.api.server import MOST_CONNECTIONS
from tests.approval.asking import QUESTION, Window, heard, window

BODY = json.dumps(QUESTION).encode()
HEAD = b"POST /v1/evaluations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A window that waits for nobody."""
    with window(tmp_path_factory.mktemp("impatient"), patience=0.2) as opened:
        yield opened
        assert opened.ask().status == 200


def length(size: int) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % size


def test_a_body_that_does_not_come_is_not_waited_for(impatient: Window) -> None:
    answer = impatient.raw(HEAD + length(len(BODY)), BODY[:10])

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"too_slow"' in answer
    assert impatient.count("too_slow") == 1


@pytest.mark.parametrize("sent", [b"", b"POST", HEAD[:-2]])
def test_a_request_whose_head_does_not_come_is_not_waited_for(impatient: Window, sent: bytes) -> None:
    assert impatient.raw(sent) == b""


def test_nor_is_the_next_one_on_the_same_connection(impatient: Window) -> None:
    answer = impatient.raw(HEAD + length(len(BODY)) + BODY, HEAD[:-2])

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_cut_short_is_not_answered(impatient: Window) -> None:
    before = len(impatient.audited())
    with impatient.connect() as connection:
        connection.sendall(HEAD + length(len(BODY)) + BODY[:10])
        connection.shutdown(socket.SHUT_WR)
        heard(connection)

    assert len(impatient.audited()) == before


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"X: \x00\r\n\r\n",
        b"GET /" + b"x" * 20_000,
        HEAD + b"X: " + b"x" * 20_000,
        b"X: x\r\n" * 5_000,
    ],
    ids=lambda sent: repr(sent[-24:]),
)
def test_what_is_no_request_is_hung_up_on(impatient: Window, sent: bytes) -> None:
    answer = impatient.raw(sent)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ")) or answer == b""


def test_a_body_in_pieces_is_one_body(impatient: Window) -> None:
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
    answer = impatient.raw(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces)

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_without_an_end_is_refused_before_it_fills_the_memory(impatient: Window) -> None:
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    def pour(into: socket.socket) -> None:
        with suppress(OSError):
            into.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            while True:
                into.sendall(piece)

    with impatient.connect() as connection:
        pouring = Thread(target=pour, args=(connection,))
        pouring.start()
        answer = heard(connection)
        pouring.join()

    # A system may throw away what was said to somebody who went on sending.
    assert b"413" in answer[:20] or answer == b""
    assert impatient.count("too_large") == 1


def test_connections_above_the_limit_are_turned_away_and_the_others_answered(tmp_path: Path) -> None:
    with window(tmp_path) as opened:
        held = [opened.connect() for _ in range(MOST_CONNECTIONS)]
        above = opened.connect()
        turned_away = heard(above)
        held[0].sendall(b"GET /v1/items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answered = heard(held[0])
        for each in [*held, above]:
            each.close()

    assert turned_away == b""
    assert answered.startswith(b"HTTP/1.1 200 ")
