"""Of two processes with one name exactly one stops, and what only looks like a rival stops nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from process.errors import FencedError
from transport.client import Doubt
from transport.rival import Rival

LOSS = Doubt("fenced")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_second_loss_of_the_member_is_a_rival_though_there_was_a_success_between() -> None:
    rival = Rival("one", Clock())
    rival.took_member(LOSS)
    rival.succeeded()

    with pytest.raises(FencedError, match="one"):
        rival.took_member(LOSS)


def test_a_loss_long_ago_is_forgotten_by_a_success() -> None:
    clock = Clock()
    rival = Rival("one", clock)
    for _ in range(3):
        rival.took_member(LOSS)
        clock.now += 11
        rival.succeeded()


def test_without_a_success_a_loss_is_not_forgotten() -> None:
    clock = Clock()
    rival = Rival("one", clock)
    rival.took_member(LOSS)
    clock.now += 1000

    with pytest.raises(FencedError):
        rival.took_member(LOSS)


def test_losing_the_producer_alone_is_a_rival_only_when_it_goes_on_and_on() -> None:
    rival = Rival("one", Clock())
    for _ in range(9):
        rival.took_producer(LOSS)
    rival.succeeded()
    for _ in range(9):
        rival.took_producer(LOSS)

    with pytest.raises(FencedError):
        rival.took_producer(LOSS)


class Broker:
    """Who has the two names: whoever took them last."""

    def __init__(self) -> None:
        self.producer: Twin | None = None
        self.member: Twin | None = None


class Twin:
    """Does what the loop does: takes the producer's name, then the member's, and is told of a loss when it asks."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._rival = Rival("one", Clock())
        self._joined = False
        self.stopped = False
        self._next: Callable[[], None] = self._rebuild

    def step(self) -> None:
        if not self.stopped:
            try:
                self._next()
            except FencedError:
                self.stopped = True

    def _rebuild(self) -> None:
        self._broker.producer = self
        self._next = self._poll

    def _poll(self) -> None:
        if not self._joined:
            self._broker.member = self
            self._joined = True
        elif self._broker.member is not self:
            self._joined = False
            self._next = self._rebuild
            self._rival.took_member(LOSS)
        else:
            self._next = self._commit

    def _commit(self) -> None:
        if self._broker.producer is not self:
            self._next = self._rebuild
            self._rival.took_producer(LOSS)
        elif self._broker.member is not self:
            self._joined = False
            self._next = self._rebuild
            self._rival.took_member(LOSS)
        else:
            self._next = self._poll
            self._rival.succeeded()


@given(st.lists(st.booleans(), max_size=200))
def test_of_two_that_take_over_from_each_other_exactly_one_stops(order: list[bool]) -> None:
    broker = Broker()
    twins = [Twin(broker), Twin(broker)]
    for second in order:
        twins[second].step()
    for _ in range(100):
        for twin in twins:
            twin.step()

    assert sorted(twin.stopped for twin in twins) == [False, True]
    (left,) = [twin for twin in twins if not twin.stopped]
    assert broker.member is broker.producer is left
