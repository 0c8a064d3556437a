"""A server on the loopback over a view filled without a broker, and the ways to ask it."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from prometheus_client import CollectorRegistry

from approval.api.answering import Desk
from approval.api.app import Counts, app
from approval.api.callers import Caller, Callers
from approval.api.server import Server
from approval.audit import AuditLog, Sealing
from approval.evaluation import Register
from approval.grants import Sensitivity, labels
from approval.items import Item, every
from approval.rows import rows_of
from approval.view import View, engine_of
from schemas.catalogue import catalogues
from schemas.codec import contract
from tests.approval.registry import GENERATION, KEY, MARKET, PREFIX, TAX, as_read, entry, everywhere, of_entry
from transport.client import Outgoing, TopicPartition

SUBJECT = "legal:org:000000019"
NUMBER = "000000019"
SEALING = Sealing(b"k" * 32, "HMAC-SHA256")
TOKENS = {grant: bytes([number]) * 32 for number, grant in enumerate(Sensitivity, 1)}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUESTION = {
    "item": "food_business_licence",
    "subjects": {"applicant": NUMBER},
    "purpose": "食品经营许可受理",
    "case_number": "2024-0001",
    "operator": "W023",
}
FIELDS = {"item": "food_business_licence", "subjects.applicant": NUMBER} | {
    name: str(QUESTION[name]) for name in ("purpose", "case_number", "operator")
}


def bearer(grant: Sensitivity) -> dict[str, str]:
    """What a caller of that grant shows."""
    return {"Authorization": f"Bearer {TOKENS[grant].hex()}"}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.told["error"]["code"])

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Window:
    """Where questions are asked: the desk behind it, its server, and what it counts."""

    desk: Desk
    server: Server
    registry: CollectorRegistry
    view: View
    log: Path
    tls: ssl.SSLContext | None = None

    def ask(
        self,
        asked: Mapping[str, Any] = QUESTION,
        grant: Sensitivity | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A question as a program asks it."""
        token = {} if grant is None else bearer(grant)
        return self.send("POST", "/v1/evaluations", json.dumps(asked).encode(), {**JSON, **token, **(headers or {})})

    def fill_in(self, fields: Mapping[str, str] = FIELDS, headers: Mapping[str, str] | None = None) -> Reply:
        """A question as the clerk's browser asks it."""
        return self.send("POST", "/", urlencode(fields).encode(), {**FORM, **(headers or {})})

    def get(self, path: str) -> Reply:
        return self.send("GET", path, None, {})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        address = self.server.address, self.server.port
        connection = HTTPSConnection(*address, context=self.tls) if self.tls else HTTPConnection(*address)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def raw(self, *parts: bytes) -> bytes:
        """What comes back for bytes that no honest client sends, until the other side hangs up."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return heard(connection)

    def connect(self) -> socket.socket:
        """A connection on which nothing has been said."""
        return socket.create_connection((self.server.address, self.server.port))

    def audited(self) -> list[dict[str, Any]]:
        """The audit log's records."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def count(self, outcome: str) -> float:
        """How many requests ended so."""
        return self.registry.get_sample_value("tongban_approval_requests_total", {"outcome": outcome}) or 0.0

    def publish(self, *records: Outgoing) -> None:
        """Let the registry say something else."""
        messages = as_read(records)
        ends = {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages}
        self.view.apply(rows_of(messages, PREFIX, contract()), ends, 1_700_000_000_000)


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


def marks(until: datetime | None = None) -> list[Outgoing]:
    """Both departments complete until now."""
    until = until or datetime.now(UTC)
    return [*everywhere(MARKET, until), *everywhere(TAX, until)]


@contextmanager
def window(
    folder: Path,
    *,
    anonymous: Sensitivity | None = Sensitivity.INTERNAL,
    items: Mapping[str, Item] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    patience: float = 10.0,
    tls: tuple[Path, Path] | None = None,
) -> Iterator[Window]:
    """Open for as long as the block lasts: one firm on record, one caller per grant."""
    log, registry = folder / "audit.jsonl", CollectorRegistry()
    with ExitStack() as stack:
        engine = engine_of(f"sqlite:///{folder / 'view.db'}")
        view = View(engine)
        stack.callback(view.close)
        view.begin(PREFIX, GENERATION, 1_700_000_000_000)
        view.caught_up()
        audit = AuditLog(log, SEALING)
        stack.callback(audit.close)
        kinds = {kind: labels(catalogue) for kind, catalogue in catalogues().items()}
        register = Register(engine, contract(), KEY, ("350299",))
        desk = Desk(register, items or every(), kinds, audit, now)
        certificate, key = tls or (None, None)
        callers = Callers({str(grant): Caller(token, grant) for grant, token in TOKENS.items()}, anonymous)
        made = app(desk, callers, Counts(registry), patience)
        server = Server(made, "127.0.0.1", 0, certificate, key, patience)
        stack.callback(server.stop)
        trust = ssl.create_default_context(cafile=tls[0]) if tls else None
        opened = Window(desk, server, registry, view, log, trust)
        opened.publish(of_entry(SUBJECT, entry(SUBJECT)), *marks())
        yield opened
