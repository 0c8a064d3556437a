"""How a family of files stands, for a person: what was accepted last, what waits, what is refused and why.

It is read beside a connector that may be running, and changes nothing.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.mapping import Source
from connectors.sources.files import order
from connectors.sources.files.drop import Broken, Delivery, Drop
from connectors.sources.files.intake import TABLE
from connectors.sources.files.order import Accepted
from connectors.sources.files.source import family
from connectors.sources.files.table import Refusal, Standing, standing


def told(source: Source, folder: Path) -> dict[str, Any]:
    """As a JSON object; of refused deliveries what the connector found when it last looked."""
    files, table = family(source), standing(folder / TABLE)
    drop = Drop(files.folder, files, ZoneInfo(source.mapping.timezone))
    said: dict[str, Any] = {"accepted": _accepted(table.newest), "folder": str(files.folder)}
    try:
        found, unfinished = drop.deliveries(), drop.unfinished()
    except OSError as exc:
        return {**said, "folder_away": exc.strerror}
    refused = [refusal for each in found if (refusal := _refusal(each, table))]
    names = {refusal.name for refusal in refused}
    ready = [each for each in found if isinstance(each, Delivery) and each.name not in names]
    ahead = order.ahead(table.newest, [each.control for each in ready])
    waiting = [control.name for control in sorted(ahead, key=lambda control: control.batch)]
    shown = [{"file": r.name, "line": r.line, "code": r.code, "reason": r.text.splitlines()} for r in refused]
    return {**said, "waiting": waiting, "unfinished": unfinished, "refused": shown}


def _refusal(found: Delivery | Broken, table: Standing) -> Refusal | None:
    if isinstance(found, Broken):
        why = found.reject
        return Refusal(found.name, found.signature, why.code, why.line, why.text(found.name))
    known = {refusal.name: refusal for refusal in table.refused}.get(found.name)
    over = not order.ahead(table.newest, [found.control])
    if known is None or known.signature != found.signature or (over and known.code != "batch_differs"):
        return None
    return known


def _accepted(newest: Accepted | None) -> dict[str, Any] | None:
    if newest is None:
        return None
    to = datetime.fromtimestamp(newest.to_ms / 1000, UTC)
    return {"file": newest.name, "batch": newest.batch, "full": newest.full, "rows": newest.rows, "to": to}
