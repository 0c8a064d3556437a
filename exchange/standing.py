"""How a source stands, by what `reconciliation.<department>` says of it: what is proven, and which breaks are open.

A break is found by an inventory that is not clean, gets its name in the resend that looks at each row, and stays
open until a later inventory is clean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Standing:
    """One source."""

    clean_inventory: int = 0
    verified_until: datetime | None = None
    """The snapshot of the newest clean inventory: every row that is older has been counted on both sides."""
    newest: int = 0
    """The newest inventory that was judged."""
    missing: int = 0
    extra: int = 0
    """Rows that whole buckets lacked, or had too many, at the newest inventory."""
    buckets: int = 0
    """How many buckets differed there."""
    open_since: datetime | None = None
    breaks: Mapping[str, int] = field(default_factory=dict)
    """Open breaks by kind, in statements, as the newest resend named them."""

    @property
    def clean(self) -> bool:
        """Whether the newest inventory was."""
        return self.newest > 0 and self.newest == self.clean_inventory


def heard(standing: Standing, name: str, told: Mapping[str, Any]) -> Standing:
    """How the source stands once one more message about it was read."""
    match name:
        case "reconciliation/verdict-1" if told["inventory"] > standing.newest:
            return _judged(standing, told)
        case "reconciliation/breaks-1" if told["kinds"] and standing.open_since is not None:
            return replace(standing, breaks={each["kind"]: each["count"] for each in told["kinds"]})
        case _:
            return standing


def _judged(standing: Standing, told: Mapping[str, Any]) -> Standing:
    judged = replace(
        standing,
        newest=told["inventory"],
        missing=told["missing"],
        extra=told["extra"],
        buckets=len(told["buckets"]),
    )
    if not told["clean"]:
        return replace(judged, open_since=standing.open_since or told["snapshot_at"])
    return replace(
        judged,
        clean_inventory=told["inventory"],
        verified_until=told["snapshot_at"],
        open_since=None,
        breaks={},
    )
