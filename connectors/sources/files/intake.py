"""Taking deliveries in: each when it is its turn, whole or not at all, and remembering why one is not taken."""

from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.reading import Files
from connectors.sources.files import order
from connectors.sources.files.drop import Broken, Delivery, Drop
from connectors.sources.files.forms import lines
from connectors.sources.files.kept import Kept
from connectors.sources.files.reject import Reject
from connectors.sources.files.table import Layout, Refusal, Table
from process.logs import error, log, warn

TABLE = "table.sqlite"
_KEPT = "kept"


class Intake:
    """One source's deliveries, and the table they make."""

    def __init__(
        self, source: str, files: Files, folder: Path, layout: Layout, zone: ZoneInfo, now: Callable[[], float]
    ) -> None:
        self._source, self._files, self._layout, self._now = source, files, layout, now
        self._drop = Drop(files.folder, files, zone)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._kept = Kept(folder / _KEPT)
        self.table = Table(folder / TABLE, layout)
        self._deliveries: Sequence[Delivery] = ()
        self._broken: Sequence[Broken] = ()
        self._refused = {refusal.name: refusal for refusal in self.table.refusals()}
        # Refused by an earlier process, whose limits and mapping may have been others: they have another try.
        self._inherited = set(self._refused)
        self._logged: set[tuple[str, str]] = set()
        if self.table.newest is None:
            self._take_kept(Drop(self._kept.folder, files, zone))

    def survey(self) -> None:
        """See what is in the folder."""
        found = self._drop.deliveries()
        self._deliveries = [each for each in found if isinstance(each, Delivery)]
        self._broken = [each for each in found if isinstance(each, Broken)]
        for broken in self._broken:
            self._refuse(broken, broken.reject)
        names = {each.name for each in found}
        self._refused = {name: refusal for name, refusal in self._refused.items() if name in names}
        for delivery in self._deliveries:
            self._look_at_past(delivery)

    def take_next(self) -> bool:
        """Take the delivery whose turn it is; whether there was one. Those that cannot be taken are refused."""
        before = self.table.newest
        taken = self._take(self._drop)
        if taken:
            self._kept.keep_only(self.table.since_full())
            log("file.accepted", source=self._source, file=taken.name, rows=taken.control.content.rows)
        if taken and before and taken.control.batch > before.batch + 1:
            warn("files.passed_over", source=self._source, file=taken.name, batch=before.batch + 1)
        return taken is not None

    @property
    def more(self) -> bool:
        """Whether there is a delivery whose turn it is."""
        return bool(self._next())

    def alarmed(self) -> list[Refusal]:
        """What is refused, unless its turn is over."""
        found: list[Delivery | Broken] = [*self._broken, *self._deliveries]
        return [self._refused[each.name] for each in found if self._matters(each)]

    def awaited(self) -> int | None:
        """The batch that others wait for; 0: a full file, to begin with. None: nothing waits, or it is refused."""
        newest = self.table.newest
        batch = newest.batch + 1 if newest else 0
        refused = any(each.control.batch == batch for each in self._deliveries)
        return None if self.more or refused or not self._ready() else batch

    def waiting(self) -> list[str]:
        """Complete deliveries that are not taken yet and not refused, by batch."""
        return [each.name for each in sorted(self._ready(), key=lambda each: each.control.batch)]

    def remember(self) -> None:
        """Leave what is refused for whoever asks how the source stands."""
        self.table.keep_refusals(self._refused.values())

    # -- whose turn it is

    def _ready(self) -> list[Delivery]:
        return [each for each in self._deliveries if self._is_ahead(each) and not self._is_refused(each)]

    def _next(self) -> list[Delivery]:
        """The deliveries of the batch whose turn it is: more than one where a department sent it again."""
        ready = self._ready()
        batch = order.next_batch(self.table.newest, [each.control for each in ready])
        return [each for each in ready if each.control.batch == batch]

    def _is_ahead(self, delivery: Delivery) -> bool:
        return bool(order.ahead(self.table.newest, [delivery.control]))

    def _is_refused(self, delivery: Delivery) -> bool:
        refusal = self._refused.get(delivery.name)
        if refusal is None or refusal.signature != delivery.signature:
            return False
        return refusal.name not in self._inherited or not self._is_ahead(delivery)

    def _matters(self, found: Delivery | Broken) -> bool:
        """Whether a person should know that this is refused."""
        if isinstance(found, Broken):
            return True
        refusal = self._refused.get(found.name) if self._is_refused(found) else None
        return refusal is not None and (self._is_ahead(found) or refusal.code == "batch_differs")

    # -- taking

    def _take(self, drop: Drop) -> Delivery | None:
        while found := self._next():
            chosen = self._the_one(found, drop)
            if chosen and self._took(chosen, drop):
                return chosen
        return None

    def _the_one(self, found: Sequence[Delivery], drop: Drop) -> Delivery | None:
        """The one that says what it should: where two do, and differ, nobody knows which is meant."""
        if len({each.control.content for each in found}) == 1:
            return found[0]
        sound = [each for each in found if self._agrees(each, drop)]
        if len({each.control.content for each in sound}) <= 1:
            return sound[0] if sound else None
        for each in sound:
            self._refuse(each, Reject("batch_twice", batch=each.control.batch))
        return None

    def _agrees(self, delivery: Delivery, drop: Drop) -> bool:
        try:
            drop.copy(delivery, delivery.control, None)
        except Reject as exc:
            self._refuse(delivery, exc)
            return False
        return True

    def _took(self, delivery: Delivery, drop: Drop) -> bool:
        try:
            self._accept(delivery, drop)
        except Reject as exc:
            self._refuse(delivery, exc)
            return False
        return True

    def _accept(self, delivery: Delivery, drop: Drop) -> None:
        control = delivery.control
        order.refuse_misplaced(self.table.newest, control, round(self._now() * 1_000))
        if control.full and control.content.rows == 0 and not self._files.may_be_empty:
            raise Reject("empty")
        data = self._kept.bring(drop, delivery, control)
        try:
            self.table.apply(control, lines(data, self._files, self._layout.columns))
        except Reject:
            if drop.folder != self._kept.folder:
                self._kept.discard(delivery.name)
            raise

    def _take_kept(self, drop: Drop) -> None:
        """Make the table anew from the files kept, as far as they go."""
        self._deliveries = [each for each in drop.deliveries() if isinstance(each, Delivery)]
        taken = 0
        while self._take(drop):
            taken += 1
        if taken:
            log("files.taken_again", source=self._source, count=taken)
        self._refused, self._deliveries = {}, ()

    # -- refusing

    def _look_at_past(self, delivery: Delivery) -> None:
        """A delivery whose batch was accepted already changes nothing; one that says otherwise, truly, is told."""
        accepted = None if self._is_ahead(delivery) else self.table.accepted(delivery.control.batch)
        if accepted is None or accepted.md5 == delivery.control.content.md5 or self._is_refused(delivery):
            return
        if self._agrees(delivery, self._drop):
            self._refuse(delivery, Reject("batch_differs", batch=accepted.batch))

    def _refuse(self, found: Delivery | Broken, why: Reject) -> None:
        refusal = Refusal(found.name, found.signature, why.code, why.line, why.text(found.name))
        self._refused[found.name] = refusal
        self._inherited.discard(found.name)
        if self._matters(found) and (found.name, found.signature) not in self._logged:
            self._logged.add((found.name, found.signature))
            error("file.refused", source=self._source, file=found.name, code=why.code, line=why.line)
