"""Log lines: JSON, UTC, fixed event names, and no word about a person.

A field is written only when its name is in the list below, so a value that nobody
thought about cannot slip in. What looks like an identity number or a credit code is
masked even then: the last resort, not the rule.

>>> masked("no such record: 91350299MA00000000")
'no such record: ****'
"""

import json
import logging
import re
import sys
import threading
import unicodedata
from datetime import UTC, datetime
from typing import TextIO

FIELDS = frozenset(
    {
        "source",
        "department",
        "topic",
        "topics",
        "partition",
        "partitions",
        "offset",
        "cycle",
        "epoch",
        "alias_epoch",
        "generation",
        "reason",
        "code",
        "field",
        "fields",
        "kind",
        "state",
        "outcome",
        "item",
        "material",
        "attribute",
        "count",
        "rows",
        "read",
        "sent",
        "unchanged",
        "refused",
        "live",
        "missing",
        "extra",
        "deleted",
        "held",
        "batch",
        "batches",
        "messages",
        "records",
        "conflicts",
        "seconds",
        "attempt",
        "bytes",
        "limit",
        "group",
        "instance",
        "transactional_id",
        "member",
        "worker",
        "owner",
        "broker",
        "brokers",
        "cluster",
        "client",
        "file",
        "line",
        "path",
        "version",
        "schema",
        "schema_id",
        "subject_kind",
        "address",
        "port",
        "pid",
        "signal",
        "exit_code",
        "error",
        "library",
        "command",
        "since",
        "until",
        "from_offset",
        "to_offset",
        "behind",
        "left",
    }
)

_EVENT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")

# Identity and registration numbers have 15 to 18 digits, the last of 18 may be an X; people write them with
# spaces or hyphens too. A longer run may hold one. A credit code has six digits after its first two characters.
_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){13,}[ -]?[\dXx]")
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}\d{6}[0-9A-HJ-NP-RTUWXY]{10}", re.IGNORECASE)
_MASK = "****"


def log(event: str, /, **fields: object) -> None:
    """Write what a person would want to know, once, where it is decided."""
    _lines.write("info", event, fields)


def warn(event: str, /, **fields: object) -> None:
    """Write what a person should look at in working hours."""
    _lines.write("warning", event, fields)


def error(event: str, /, **fields: object) -> None:
    """Write what a person must act on."""
    _lines.write("error", event, fields)


def configure(stream: TextIO | None = None) -> None:
    """Write to a stream (stderr where none is given) from now on, what the libraries warn about included."""
    _lines.stream = stream
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(logging.WARNING))


def masked(text: str) -> str:
    """Give a text without anything that looks like an identity number or a credit code."""
    for form in (text, unicodedata.normalize("NFKC", text)):
        hidden = _CREDIT_CODE.sub(_MASK, _NUMBER.sub(_MASK, form))
        if hidden != form:
            return hidden
    return text


class _Lines:
    """Where the lines go: one stream per process, one line at a time."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self._one_at_a_time = threading.Lock()

    def write(self, level: str, event: str, fields: dict[str, object]) -> None:
        unknown = sorted(set(fields) - FIELDS)
        if unknown or not _EVENT.fullmatch(event):
            # A defect of the caller, found by the first test that reaches it: not something to log around.
            raise ValueError(f"log {event}: not in the list of fields: {', '.join(unknown)}")
        line = {"time": _now(), "level": level, "event": event}
        text = json.dumps(line | {name: _shown(value) for name, value in fields.items()}, ensure_ascii=False)
        with self._one_at_a_time:
            stream = self.stream or sys.stderr
            stream.write(text + "\n")
            stream.flush()


class _Libraries(logging.Handler):
    """Libraries' own warnings, as lines like ours; never their tracebacks, which may show values."""

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[0] if record.exc_info else None
        fields: dict[str, object] = {"library": record.name, "reason": record.getMessage()}
        if raised is not None:
            fields["error"] = raised.__name__
        _lines.write(record.levelname.lower(), "library.said", fields)


_lines = _Lines()


def _shown(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_shown(each) for each in value]
    text = str(value)
    hidden = masked(text)
    return value if isinstance(value, (int, float)) and hidden == text else hidden


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
