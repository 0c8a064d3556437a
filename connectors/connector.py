"""A connector: one process for one source, cycle after cycle until it is asked to stop.

What may work later is tried again with growing pauses, and the source's state stays as it is meanwhile: the
source is reached before a number is taken. After any error the transactional id is taken anew, and what is
committed is read, before the next number.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from threading import Event

from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event, stop_after_attempt
from tenacity.stop import stop_when_event_set
from tenacity.wait import wait_exponential_jitter

from connectors import generation
from connectors.counting import Counting, Timing
from connectors.cycle import Cycles, Report
from connectors.mapper import Mapper
from connectors.mapping import Source
from connectors.metrics import Metrics
from connectors.publish import Publisher
from connectors.settings import Settings
from connectors.sources import opened
from connectors.sources.snapshot import Alarm, Rows
from connectors.store import Store
from process.errors import FencedError, TransientError
from process.logs import warn
from process.messages import say
from schemas.codec import Contract
from transport.client import Client, Doubt

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
# A single cycle may meet one broker that has just elected its coordinators.
_DOUBTS_IN_A_SINGLE_CYCLE = 3


class Connector:
    """Everything one source needs to run; `close` it."""

    def __init__(self, source: Source, settings: Settings, contract: Contract, client: Client, stop: Event) -> None:
        self._source, self._settings, self._contract, self._client = source, settings, contract, client
        self._district, self._audit = settings.district_key(), settings.audit_key()
        self._poll_seconds = settings.poll_seconds or source.mapping.poll_seconds
        inventory_seconds = settings.inventory_seconds or source.mapping.inventory_seconds
        self._timing = Timing(inventory_seconds, settings.resend_wait_seconds)
        self.metrics = Metrics(source)
        folder = settings.store_folder(source.name)
        self._rows: Rows = opened(source, folder)
        self._store = Store(folder)
        self._publisher: Publisher | None = None
        self._cycles: Cycles | None = None
        self._stop = stop
        self._sound = self._failing = self._inventory = False
        self._newest: Report | None = None

    def close(self) -> None:
        if self._publisher:
            self._publisher.close()
        self._rows.close()
        self._store.close()

    def ready(self) -> tuple[bool, Mapping[str, object]]:
        """Ready once a cycle has closed and the newest one did not fail."""
        newest = self._newest
        if newest is None:
            return False, {"source": self._source.name, "cycle": None}
        return not self._failing, {"source": self._source.name, "cycle": newest.cycle, "held": newest.counts.held}

    def alarms(self) -> Sequence[Alarm]:
        """What a person should look at although the source was read."""
        return self._rows.alarms()

    def once(self, *, inventory: bool = False) -> Report:
        """One cycle, closed; what stops it is raised."""
        self._inventory = inventory
        attempts = Retrying(
            retry=retry_if_exception_type(Doubt),
            wait=wait_exponential_jitter(multiplier=_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
            stop=stop_after_attempt(_DOUBTS_IN_A_SINGLE_CYCLE),
            before_sleep=self._waits,
            reraise=True,
        )
        try:
            return self._told(attempts, always_close=True)
        except Doubt as exc:
            raise TransientError(say("connectors.doubt", source=self._source.name, reason=exc.reason)) from exc

    def follow(self, cycles: int | None, told: Callable[[Report], None], *, inventory: bool = False) -> None:
        """Cycles until asked to stop, or until so many have run; the first one an inventory, if that is wanted."""
        self._inventory = inventory
        attempts = Retrying(
            retry=retry_if_exception_type((Doubt, TransientError)),
            wait=wait_exponential_jitter(multiplier=_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
            stop=stop_when_event_set(self._stop),
            sleep=sleep_using_event(self._stop),
            before_sleep=self._waits,
            reraise=True,
        )
        left = cycles
        while not self._stop.is_set() and left != 0:
            try:
                report = self._told(attempts, always_close=False)
            except (Doubt, TransientError):
                return  # only when asked to stop while waiting
            if report.changed:
                told(report)
            left = None if left is None else left - 1
            if left != 0 and not self._rows.more():
                self._stop.wait(self._poll_seconds)

    def _told(self, attempts: Retrying, *, always_close: bool) -> Report:
        try:
            self._newest = attempts(self._cycle, always_close)
        except FencedError:
            self.metrics.fenced()
            raise
        self.metrics.ended("closed" if self._newest.closed else "idle")
        return self._newest

    def _cycle(self, always_close: bool) -> Report:  # noqa: FBT001 - called by the retry, by position
        self._reach()
        if self._publisher is None or self._cycles is None:
            self._publisher, self._cycles = self._admitted()
        if not self._sound:
            self._publisher.recover(self._store)
        self._sound = False
        report = self._cycles.run(self._stop, always_close=always_close, inventory=self._inventory)
        self._sound, self._failing = True, False
        self._inventory = self._inventory and report.inventory is None
        return report

    def _admitted(self) -> tuple[Publisher, Cycles]:
        """What sends, once the generation has been found to be the one this process is set for."""
        prefix = self._settings.kafka.prefix
        found = generation.check(self._client, self._contract, prefix, self._district, self._audit)
        generation.require_topics(self._client, prefix, self._source.department)
        publisher = Publisher(self._client, self._source, self._contract, self._audit, found.partitions, prefix)
        mapper = Mapper(self._source, self._contract, self._district, self._audit)
        counting = Counting(self._source, self._contract, self._audit, publisher, self._store, self._timing)
        return publisher, Cycles(self._source, self._rows, mapper, publisher, counting, self.metrics)

    def _reach(self) -> None:
        try:
            self._rows.reach()
        except TransientError:
            self.metrics.connected(answers=False)
            raise
        finally:
            self.metrics.alarmed(Counter(alarm.code for alarm in self._rows.alarms()))
        self.metrics.connected(answers=True)

    def _waits(self, state: RetryCallState) -> None:
        self._failing = True
        exc = state.outcome.exception() if state.outcome else None
        reason = exc.reason if isinstance(exc, Doubt) else type(exc).__name__
        if isinstance(exc, Doubt):
            self.metrics.rebuilt()
        self.metrics.ended("abandoned")
        pause = state.next_action.sleep if state.next_action else 0.0
        text = str(exc).partition("\n")[0] if isinstance(exc, TransientError) else reason
        warn(
            "cycle.abandoned",
            source=self._source.name,
            reason=text,
            attempt=state.attempt_number,
            seconds=round(pause, 1),
        )
