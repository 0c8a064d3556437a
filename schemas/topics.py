"""Every topic of an installation: its name, how many partitions, how long it keeps what.

`kept_days` None: for ever. Tombstones stay 30 days, so that a reader may be away as long. lz4, because some
readers stall on legal zstd batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DAY_MS = 86_400_000
TOMBSTONE_DAYS = 30
DEFAULT_PARTITIONS = 12
MAX_RECORD_BYTES = 524_288  # a department's message: what wraps it (state, quarantine, history) has to fit as well
MAX_MESSAGE_BYTES = 1_048_576
KINDS = ("legal-person", "natural-person")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it has to be."""

    name: str
    partitions: int
    compacted: bool
    kept_days: int | None
    max_bytes: int = MAX_MESSAGE_BYTES

    @property
    def configs(self) -> dict[str, str]:
        """Its settings, by the broker's names."""
        retention = -1 if self.kept_days is None else self.kept_days * DAY_MS
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "compression.type": "lz4",
            "max.message.bytes": str(self.max_bytes),
            **(
                {"delete.retention.ms": str(TOMBSTONE_DAYS * DAY_MS)}
                if self.compacted
                else {"retention.ms": str(retention)}
            ),
        }


def dept(prefix: str, department: str) -> str:
    """That department's records and watermarks."""
    return f"{prefix}dept.{department}"


def positions(prefix: str, department: str) -> str:
    """How far each of its sources is read."""
    return f"{prefix}positions.{department}"


def quarantine(prefix: str, department: str) -> str:
    """What was refused of it."""
    return f"{prefix}quarantine.{department}"


def reconciliation(prefix: str, department: str) -> str:
    """Sums, held lists, resend requests and daily statements of it."""
    return f"{prefix}reconciliation.{department}"


def registry(prefix: str, kind: str) -> str:
    """What the approval platform consumes: entries, aliases, watermarks of one kind of subject."""
    return f"{prefix}registry.{kind}"


def history(prefix: str) -> str:
    """Every entry as published."""
    return f"{prefix}registry.history"


def state(prefix: str) -> str:
    """All that the owner of a partition knows."""
    return f"{prefix}exchange.state"


def control(prefix: str) -> str:
    """Generation, policy activations, ticks: in every partition."""
    return f"{prefix}exchange.control"


def journal(prefix: str) -> str:
    """One record per partition and transaction."""
    return f"{prefix}exchange.journal"


def all_topics(prefix: str, partitions: int, departments: Sequence[str]) -> list[Topic]:
    """Every topic of an installation, in a fixed order."""
    per_department = [
        topic
        for name in sorted(departments)
        for topic in (
            Topic(dept(prefix, name), partitions, compacted=False, kept_days=30, max_bytes=MAX_RECORD_BYTES),
            Topic(positions(prefix, name), 1, compacted=True, kept_days=None),
            Topic(quarantine(prefix, name), partitions, compacted=False, kept_days=90),
            Topic(reconciliation(prefix, name), 1, compacted=False, kept_days=90),
        )
    ]
    return [
        *per_department,
        *(Topic(registry(prefix, kind), partitions, compacted=True, kept_days=None) for kind in KINDS),
        Topic(history(prefix), partitions, compacted=True, kept_days=None),
        Topic(state(prefix), partitions, compacted=True, kept_days=None),
        Topic(control(prefix), partitions, compacted=False, kept_days=None),
        Topic(journal(prefix), partitions, compacted=False, kept_days=365),
        Topic(f"{prefix}identity.edges", 1, compacted=True, kept_days=None),
        Topic(f"{prefix}identity.aliases", 1, compacted=True, kept_days=None),
    ]
