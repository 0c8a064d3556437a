"""The service: all that answers questions over HTTP, put together from the settings, from start to stop."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from approval.api.answering import Desk
from approval.api.app import Counts, app
from approval.api.callers import Caller, Callers
from approval.api.server import Server
from approval.audit import AuditLog
from approval.evaluation import Register
from approval.grants import labels
from approval.items import every
from approval.settings import Settings
from approval.view import reading
from process.errors import SettingsError
from process.logs import log, warn
from process.messages import say
from process.settings import secret
from schemas.installed import Installed
from schemas.subjects import DistrictKey


@contextmanager
def answering(chosen: Settings, by: Installed, key: DistrictKey, registry: CollectorRegistry) -> Iterator[Desk]:
    """Answers on the address of the settings, from a view that is there, for as long as the block lasts."""
    callers = _callers(chosen)
    with ExitStack() as stack:
        audit = AuditLog(chosen.audit_log, chosen.audit_sealing())
        stack.callback(audit.close)
        engine = reading(chosen.database)
        stack.callback(engine.dispose)
        kinds = {kind: labels(catalogue) for kind, catalogue in by.catalogues.items()}
        items = every(chosen.item_folders, by.catalogues)
        register = Register(engine, by.contract, key, chosen.divisions)
        desk = Desk(register, items, kinds, audit, lambda: datetime.now(UTC))
        application = app(desk, callers, Counts(registry))
        tls = chosen.api_certificate_file, chosen.api_certificate_key_file
        server = Server(application, chosen.api_address, chosen.api_port, *tls)
        stack.callback(server.stop)
        log("approval.answering", address=server.address, port=server.port)
        if not chosen.on_loopback and chosen.api_certificate_file is None:
            warn("approval.answering_in_the_clear", address=server.address, port=server.port)
        yield desk


def _callers(chosen: Settings) -> Callers:
    known: dict[str, Caller] = {}
    for name, grant in chosen.grants.items():
        token = secret(grant.token_file)
        _refuse_same(name, token, known)
        known[name] = Caller(token, grant.sensitivity)
    return Callers(known, chosen.default_grant if chosen.on_loopback else None)


def _refuse_same(name: str, token: bytes, known: Mapping[str, Caller]) -> None:
    for other, caller in known.items():
        if caller.token == token:
            raise SettingsError(say("approval.same_token", caller=name, other=other))
