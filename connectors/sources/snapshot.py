"""What a source is to the rest: something that can be seen as it was at one moment."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from connectors.columns import Row


class Snapshot(Protocol):
    """The source as it was at one moment; every look at it shows the same rows."""

    @property
    def at_ms(self) -> int:
        """The source's clock, not later than what is seen."""

    @property
    def incarnation(self) -> str:
        """Which database this is; empty where it cannot say."""

    def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
        """Every row, with these columns only; ordered by others, in whatever order the source compares them."""


class Rows(Protocol):
    """A source. TransientError: it may answer later; PermanentError: it never will as it stands."""

    def reach(self) -> None:
        """Return when the source answers."""

    def snapshot(self) -> AbstractContextManager[Snapshot]: ...

    def close(self) -> None: ...
