"""Stream audit: whether everything a connector sent to a partition arrived there, and what readers may conclude.

Both sides add up a keyed digest of every message. A connector tells its sum with each watermark; where the
exchange's own differs, something was lost, doubled or changed in between. The break is sticky: what readers
may conclude stands still until an inventory is known to be clean, and then exactly the difference that stood
at that inventory is allowed for, no later one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from exchange.statements import Rows
from schemas.audit import Sum

Watermark = Mapping[str, Any]
NOTHING = Sum()
NO_ROWS = Rows(0, 0)
_CONCLUSIONS = ("complete_until", "complete_cycle", "present_until", "identity_until")


@dataclass(frozen=True, slots=True)
class Source:
    """What an owner knows of one source in its partition."""

    taken: Sum = NOTHING
    allowed: Sum = NOTHING
    broken_since: int | None = None
    break_kind: str | None = None
    clean_inventory: int = 0
    corrections: Mapping[int, Sum] = field(default_factory=dict)
    rows: Rows = NO_ROWS
    counted_rows: Rows = NO_ROWS
    """The rows as they were at the newest watermark: what its count of the source is compared with."""
    unopened: int = 0
    watermark: Watermark | None = None

    def counted(self, message: Sum) -> "Source":
        """With one more message taken."""
        return replace(self, taken=self.taken.plus(message))

    def left_unopened(self) -> "Source":
        """With one more message that could not be taken."""
        return replace(self, unopened=self.unopened + 1)

    def changed(self, before: Rows, after: Rows) -> "Source":
        """With a statement that stood for some rows standing for others."""
        live, refused = self.rows.live + after.live - before.live, self.rows.refused + after.refused - before.refused
        return replace(self, rows=Rows(live, refused))


def take_watermark(source: Source, mark: Watermark) -> Source:
    """The source after a watermark; its `watermark` is what readers of the registry are told.

    One not newer than the last is ignored: an old owner's late word must not take anything back. The marker that
    opens a resend closes no cycle, and lets nobody conclude anything.
    """
    late = source.watermark is not None and _order(mark) <= _order(source.watermark)
    if late or mark["opens_resend"] is not None:
        return source
    told = Sum.of(mark["sum_count"], mark["sum_digest"])
    judged = _judged(_frozen(source, mark, told), mark, told)
    return replace(judged, counted_rows=source.rows, watermark=_concluded(judged, mark, source.watermark))


def _order(mark: Watermark) -> tuple[int, int]:
    return mark["epoch"], mark["cycle"]


def _frozen(source: Source, mark: Watermark, told: Sum) -> Source:
    """With the difference noted at which an inventory found this partition."""
    if not mark["inventory"]:
        return source
    return replace(source, corrections={**source.corrections, mark["cycle"]: told.minus(source.taken)})


def _judged(source: Source, mark: Watermark, told: Sum) -> Source:
    clean = mark["clean_inventory"]
    if clean > source.clean_inventory:
        later = {cycle: difference for cycle, difference in source.corrections.items() if cycle > clean}
        allowed = source.corrections.get(clean, source.allowed)
        source = replace(
            source, allowed=allowed, corrections=later, clean_inventory=clean, broken_since=None, break_kind=None
        )
    ours = source.taken.plus(source.allowed)
    if ours == told or source.broken_since is not None:
        return source
    return replace(source, broken_since=mark["cycle"], break_kind=_kind(ours, told))


def _kind(ours: Sum, told: Sum) -> str:
    if ours.count == told.count:
        return "messages_changed"
    return "messages_missing" if ours.count < told.count else "messages_extra"


def _concluded(source: Source, mark: Watermark, before: Watermark | None) -> Watermark:
    """The watermark as readers get it: while the source is broken, the conclusions of the one before."""
    standing = (
        {name: before[name] if before else None for name in _CONCLUSIONS} if source.broken_since is not None else {}
    )
    return {**mark, **standing, "broken_since": source.broken_since, "break_kind": source.break_kind}


def to_record(source: Source) -> dict[str, Any]:
    """As `state/source-2`."""
    return {
        "sum_count": source.taken.count,
        "sum_digest": source.taken.digest_bytes,
        "allowed_count": source.allowed.count,
        "allowed_digest": source.allowed.digest_bytes,
        "broken_since": source.broken_since,
        "break_kind": source.break_kind,
        "clean_inventory": source.clean_inventory,
        "corrections": [
            {"cycle": cycle, "count": difference.count, "digest": difference.digest_bytes}
            for cycle, difference in sorted(source.corrections.items())
        ],
        "live_rows": source.rows.live,
        "refused_rows": source.rows.refused,
        "unopened": source.unopened,
        "watermark": source.watermark,
        "counted_live": source.counted_rows.live,
        "counted_refused": source.counted_rows.refused,
    }


def of_record(record: Mapping[str, Any]) -> Source:
    """From `state/source-2`, or the one before it, which did not tell the rows at the watermark."""
    live, refused = record["live_rows"], record["refused_rows"]
    counted = record.get("counted_live"), record.get("counted_refused")
    return Source(
        taken=Sum.of(record["sum_count"], record["sum_digest"]),
        allowed=Sum.of(record["allowed_count"], record["allowed_digest"]),
        broken_since=record["broken_since"],
        break_kind=record["break_kind"],
        clean_inventory=record["clean_inventory"],
        corrections={c["cycle"]: Sum.of(c["count"], c["digest"]) for c in record["corrections"]},
        rows=Rows(live, refused),
        counted_rows=Rows(live if counted[0] is None else counted[0], refused if counted[1] is None else counted[1]),
        unopened=record["unopened"],
        watermark=record["watermark"],
    )
