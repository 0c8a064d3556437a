"""What a source is to the rest: something that can be seen as it was at one moment."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from connectors.columns import Row
from process.errors import TransientError


class Alarm(NamedTuple):
    """What a person should look at although the source can be read: its kind, and the error that it would be."""

    code: str
    error: TransientError


class Snapshot(Protocol):
    """The source as it was at one moment; every look at it shows the same rows."""

    @property
    def at_ms(self) -> int:
        """The source's clock, not later than what is seen: no insert or change before it is missing."""

    @property
    def present_ms(self) -> int:
        """Nothing deleted before this is still shown."""

    @property
    def stated(self) -> bool:
        """Whether all this is the source's own word on changes it handed over, rather than a look at everything."""

    @property
    def owed(self) -> bool:
        """Whether a watermark must say that this was seen, whatever it brings; it was, when the context ends well."""

    @property
    def incarnation(self) -> str:
        """Which database this is; empty where it cannot say."""

    def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
        """Every row, with these columns only; ordered by others, in whatever order the source compares them."""


class Rows(Protocol):
    """A source. TransientError: it may answer later; PermanentError: it never will as it stands."""

    def reach(self) -> None:
        """Return when the source answers, with the next of what it hands over taken in."""

    def more(self) -> bool:
        """Whether the next snapshot will show something newer at once."""

    def alarms(self) -> Sequence[Alarm]:
        """What a person should look at, as of the last `reach`."""

    def snapshot(self, not_before_ms: int = 0) -> AbstractContextManager[Snapshot]:
        """The source as it is; one that hands over its past shows nothing older than this."""

    def close(self) -> None: ...
