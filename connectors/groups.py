"""The rows of a snapshot, those of one record id together.

A snapshot is looked at twice: the first look counts rows by record id, the second gives the rows of an id away
when the last of them has come. A source of groups is read in the order of its key, in which they stand side by
side: so memory holds the ids, and the rows of one of them. It is right in any order, for spellings of one id
may stand apart.
"""

from collections import Counter
from collections.abc import Iterator

from connectors.columns import Row
from connectors.mapper import Mapper
from connectors.mapping import SourceMapping
from connectors.sources.snapshot import Snapshot


def together(snapshot: Snapshot, mapper: Mapper, mapping: SourceMapping) -> Iterator[list[Row]]:
    """The rows of every record id; a row without one by itself."""
    left = _several(snapshot, mapper, mapping)
    waiting: dict[str, list[Row]] = {}
    for row in snapshot.rows(mapping.columns(), mapping.order):
        record_id = mapper.record_id(row) if left else None
        if record_id is None or record_id not in left:
            yield [row]
            continue
        rows = waiting.setdefault(record_id, [])
        rows.append(row)
        if len(rows) == left[record_id]:
            del waiting[record_id], left[record_id]
            yield rows


def _several(snapshot: Snapshot, mapper: Mapper, mapping: SourceMapping) -> dict[str, int]:
    """How many rows there are of each id that stands there more than once."""
    counts = Counter(map(mapper.record_id, snapshot.rows(mapping.record_id.columns)))
    return {record_id: count for record_id, count in counts.items() if record_id is not None and count > 1}
