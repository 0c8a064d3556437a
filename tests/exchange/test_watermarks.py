"""The stream audit: a break is never missed, never invented, and no conclusion passes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchange.statements import Rows
from exchange.watermarks import Source, of_record, take_watermark, to_record
from schemas.audit import Sum
from schemas.codec import contract
from tests.exchange.examples import many
from tests.exchange.publishing import AUDIT, SNAPSHOT, watermark

CONCLUSIONS = ("complete_until", "complete_cycle", "present_until", "identity_until")
MESSAGES = [b"a", b"b", b"c"]

steps = st.one_of(
    st.tuples(st.sampled_from(["sent", "lost", "doubled", "held_up"]), st.sampled_from(MESSAGES)),
    st.tuples(st.just("changed"), st.just(b"")),
    st.tuples(st.sampled_from(["arrives_late", "watermark", "watermark", "inventory", "clean", "old", "lost_mark"])),
)


def digest(message: bytes) -> Sum:
    return AUDIT.of_message(message, b"")


@dataclass
class Line:
    """A connector, what lies between, and one partition; with what is true, kept beside in the plainest way.

    Everything is a list of messages: what was sent, what came, and what had come and been sent at each inventory.
    """

    exchange: Source = field(default_factory=Source)
    sent: list[bytes] = field(default_factory=list)
    came: list[bytes] = field(default_factory=list)
    late: list[bytes] = field(default_factory=list)
    cycle: int = 0
    inventories: dict[int, tuple[list[bytes], list[bytes]]] = field(default_factory=dict)
    clean: int = 0
    allowed: tuple[list[bytes], list[bytes]] = ([], [])
    broken: bool = False
    shown: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(CONCLUSIONS))

    def step(self, what: str, message: bytes = b"") -> None:
        match what:
            case "sent" | "lost" | "doubled" | "held_up" | "changed":
                self.sent.append(message)
                came = {"sent": [message], "doubled": [message] * 2, "changed": [b"another"]}.get(what, [])
                self.late += [message] if what == "held_up" else []
                self._arrive(came)
            case "arrives_late" if self.late:
                self._arrive([self.late.pop(0)])
            case "watermark" | "inventory":
                self._watermark(inventory=what == "inventory")
            case "clean" if self.inventories:
                self.clean = max(self.inventories)
            case "lost_mark":
                self.cycle += 1
            case "old" if self.cycle:
                self._an_old_watermark_comes_again()

    def _arrive(self, messages: list[bytes]) -> None:
        self.came += messages
        for message in messages:
            self.exchange = self.exchange.counted(digest(message))

    def _watermark(self, *, inventory: bool) -> None:
        self.cycle += 1
        mark = self.mark(self.cycle, inventory=inventory)
        before = self.exchange.clean_inventory
        self.exchange = take_watermark(self.exchange, mark)
        if self.clean > before:
            self.allowed = self.inventories.get(self.clean, self.allowed)
            self.broken = False
        if inventory:
            self.inventories[self.cycle] = list(self.sent), list(self.came)
        # What had been sent and had come at the inventory that proved clean is forgiven, and nothing else.
        self.broken |= sorted(self.sent + self.allowed[1]) != sorted(self.came + self.allowed[0])
        if not self.broken:
            self.shown = {name: mark[name] for name in CONCLUSIONS}

    def mark(self, cycle: int, *, inventory: bool = False) -> dict[str, Any]:
        at = SNAPSHOT + timedelta(minutes=cycle)
        times = dict.fromkeys(("read_until", "complete_until", "present_until", "identity_until", "snapshot_at"), at)
        told = Sum()
        for message in self.sent:
            told = told.plus(digest(message))
        said = {**times, "inventory": inventory, "clean_inventory": self.clean}
        return watermark("local_tax.main", cycle, 0, {0: told}, said)

    def _an_old_watermark_comes_again(self) -> None:
        before = self.exchange
        if before.watermark is not None:
            self.exchange = take_watermark(before, self.mark(before.watermark["cycle"]))
            assert self.exchange is before


def after(*steps: tuple[str, ...] | tuple[str, bytes]) -> Line:
    line = Line()
    for step in steps:
        line.step(*step)
    return line


@many
@given(st.lists(steps, max_size=25))
def test_a_break_is_raised_at_the_first_watermark_after_any_fault_and_never_without_one(
    steps: list[tuple[str, ...]],
) -> None:
    line = Line()
    for step in steps:
        line.step(*step)  # type: ignore[arg-type]  # a word, and for some a message

        assert (line.exchange.broken_since is not None) == line.broken


@many
@given(st.lists(steps, max_size=25))
def test_what_readers_may_conclude_stands_still_while_the_stream_is_broken(steps: list[tuple[str, ...]]) -> None:
    line = after(*steps)

    mark = line.exchange.watermark or dict.fromkeys(CONCLUSIONS)
    assert {name: mark[name] for name in CONCLUSIONS} == line.shown


@many
@given(st.lists(steps, max_size=25))
def test_what_is_known_of_a_source_comes_back_from_its_stored_bytes(steps: list[tuple[str, ...]]) -> None:
    source = after(*steps).exchange

    stored = contract().encode("state/source-2", to_record(source))

    assert of_record(contract().decode(stored)[1]) == source


def test_a_break_is_named_for_what_the_difference_looks_like() -> None:
    kinds = {what: after((what, b"a"), ("watermark",)).exchange.break_kind for what in ("lost", "doubled", "changed")}

    assert kinds == {"lost": "messages_missing", "doubled": "messages_extra", "changed": "messages_changed"}


def test_a_message_lost_and_another_doubled_are_noticed_although_the_count_is_right() -> None:
    assert after(("lost", b"a"), ("doubled", b"b"), ("watermark",)).exchange.break_kind == "messages_changed"


def test_a_break_stays_although_the_missing_message_comes_late() -> None:
    line = after(("held_up", b"a"), ("watermark",), ("arrives_late",), ("watermark",), ("watermark",))

    assert line.exchange.broken_since == 1


def test_an_inventory_that_is_not_known_clean_heals_nothing() -> None:
    assert after(("lost", b"a"), ("watermark",), ("inventory",), ("watermark",)).exchange.broken_since == 1


def test_a_clean_inventory_allows_what_was_lost_before_it_and_nothing_lost_after() -> None:
    healed = after(("lost", b"a"), ("inventory",), ("sent", b"b"), ("clean",), ("watermark",))
    broken_again = after(("lost", b"a"), ("inventory",), ("lost", b"b"), ("clean",), ("watermark",))

    assert healed.exchange.broken_since is None
    assert broken_again.exchange.broken_since == 2


def test_an_inventory_whose_watermark_never_came_allows_nothing() -> None:
    line = after(("lost", b"a"), ("watermark",))
    line.inventories[7] = [], []
    line.cycle, line.clean = 8, 7
    line.step("watermark")

    assert line.exchange.broken_since is not None


def test_a_break_from_the_first_watermark_on_lets_nothing_be_concluded() -> None:
    mark = after(("lost", b"a"), ("watermark",)).exchange.watermark

    assert mark is not None
    assert {mark[name] for name in CONCLUSIONS} == {None}
    assert (mark["broken_since"], mark["break_kind"]) == (1, "messages_missing")


def test_the_marker_that_opens_a_resend_closes_no_cycle_and_lets_nothing_be_concluded() -> None:
    line = after(("sent", b"a"), ("watermark",))
    marker = {**line.mark(2), "opens_resend": "request-1"}

    assert take_watermark(line.exchange, marker) is line.exchange


def test_a_source_as_the_release_before_stored_it_counts_the_rows_it_has() -> None:
    written = to_record(Source(rows=Rows(5, 2)))
    told = {name: value for name, value in written.items() if not name.startswith("counted_")}

    old = contract().decode(contract().encode("state/source-1", told))[1]

    assert of_record(old).counted_rows == Rows(5, 2)
