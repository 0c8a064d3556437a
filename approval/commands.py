"""The commands: run the reader, evaluate an item, tell how the view stands."""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from threading import Event
from time import time
from typing import Any, Final

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, func, select

from approval import evaluation, reader
from approval.answer import answer, text
from approval.api.answering import Desk
from approval.api.service import answering
from approval.audit import Place, verify
from approval.items import Item, find
from approval.page import page
from approval.settings import Settings
from approval.view import View, aliases, engine_of, entries, meta_of, reading, watermarks
from process import health, logs, settings
from process.errors import SettingsError
from process.messages import say
from process.site import installed
from schemas.codec import Contract
from schemas.plain import to_json
from transport.client import connect

_PLACE: Final = re.compile(r"(?P<sequence>[0-9]{1,18}):(?P<hash>[0-9a-f]{64})")


def run(arguments: argparse.Namespace, stop: Event) -> None:
    """Follow the registry into the view and answer questions, until asked to stop or until nothing comes any more."""
    chosen = _settings(arguments)
    logs.configure()
    key, by = chosen.district_key(), installed(chosen.site_dir)
    os.umask(0o027)  # what the view holds is for this user and group alone
    chosen.state_dir.mkdir(parents=True, exist_ok=True)
    registry = CollectorRegistry()
    gauges = reader.Gauges(registry)
    with closing(View(engine_of(chosen.database))) as view, answering(chosen, by, key, registry) as desk:
        server = health.serve(registry, lambda: _ready(gauges, desk), chosen.metrics_port, chosen.metrics_address)
        try:
            logs.log("approval.started", address=server.address, port=server.port)
            followed = reader.Registry(connect(chosen.kafka), chosen.kafka.prefix, by.contract)
            if arguments.until_idle is None:
                reader.run(followed, view, gauges, key, stop)
            else:
                reader.follow(followed, view, gauges, key, stop, arguments.until_idle)
        finally:
            server.stop()


def evaluate(arguments: argparse.Namespace, _stop: Event) -> None:
    """Decide an item's materials for the subjects named, and say why."""
    chosen = _settings(arguments)
    by = installed(chosen.site_dir)
    item = find(arguments.item, chosen.item_folders, by.catalogues)
    numbers = _numbers(item, arguments.subject)
    at = _time(arguments.at)
    key = chosen.district_key()
    with _view_of(chosen) as engine:
        register = evaluation.Register(engine, by.contract, key, chosen.divisions)
        found = evaluation.evaluate(register, item, numbers, at, _now)
    told = answer(found.item, found.subjects, found.decisions, found.at, found.others)
    if arguments.page:
        arguments.page.write_text(page(told, arguments.lang), "utf-8")
    print(to_json(told) if arguments.json else text(told, arguments.lang))


def status(arguments: argparse.Namespace, _stop: Event) -> None:
    """Tell what the view holds and how complete it is."""
    chosen = _settings(arguments)
    with _view_of(chosen) as engine:
        told = _status(engine, installed(chosen.site_dir).contract)
    print(to_json(told) if arguments.json else to_json(told, indent=2))


def verify_audit(arguments: argparse.Namespace, _stop: Event) -> None:
    """Tell whether the audit log is as it was written; what it prints is kept, and asked about the next time."""
    chosen = _settings(arguments)
    kept = _place(arguments.through)
    verified = verify(chosen.audit_log, chosen.audit_sealing(), kept)
    last = f"{verified.last.sequence}:{verified.last.hash}"
    told = {"last": last, "cut_short": verified.cut_short, "unfinished": verified.unfinished}
    print(to_json({"records": verified.last.sequence, **told}))


def _settings(arguments: argparse.Namespace) -> Settings:
    return settings.load(Settings, arguments.settings, os.environ)


def _ready(gauges: reader.Gauges, desk: Desk) -> tuple[bool, Mapping[str, object]]:
    caught_up, connected = gauges.told()
    audited = desk.can_write_down()
    told = {"caught_up": caught_up, "connected": connected, "audit_log_writable": audited}
    return all(told.values()), told


@contextmanager
def _view_of(chosen: Settings) -> Iterator[Engine]:
    engine = reading(chosen.database)
    try:
        yield engine
    finally:
        engine.dispose()


def _now() -> datetime:
    return datetime.now(UTC)


def _numbers(item: Item, given: list[str]) -> dict[str, str]:
    """The number given for each role of the item."""
    numbers: dict[str, str] = {}
    for each in given:
        role, separator, number = each.partition("=")
        if not separator or role not in item.subjects:
            # What stands behind the sign is somebody's number: it is not repeated.
            raise SettingsError(say("approval.bad_subject", given=f"{role[:20]}=…", roles=", ".join(item.subjects)))
        numbers[role] = sys.stdin.readline().strip() if number == "-" else number
    for role in item.subjects:
        if role not in numbers:
            raise SettingsError(say("approval.missing_subject", role=role))
    return numbers


def _time(given: str | None) -> datetime | None:
    """An earlier time to decide for; None: now."""
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise SettingsError(say("approval.bad_time", given=given))
    return at.astimezone(UTC)


def _place(given: str | None) -> Place | None:
    """A record that somebody kept."""
    if given is None:
        return None
    kept = _PLACE.fullmatch(given.strip())
    if kept is None:
        raise SettingsError(say("approval.bad_place"))
    return Place(int(kept["sequence"]), kept["hash"])


def _status(engine: Engine, contract: Contract) -> dict[str, Any]:
    with engine.begin() as connection:
        told = meta_of(connection)
        counted = select(entries.c.kind, entries.c.condition, func.count()).group_by(
            entries.c.kind, entries.c.condition
        )
        counts = [tuple(row) for row in connection.execute(counted)]
        marks = [(row.kind, contract.decode(row.value)[1]) for row in connection.execute(select(watermarks))]
        alias_count = connection.scalar(select(func.count()).select_from(aliases))
    last_read = int(told.get("last_read_ms", 0))
    return {
        "caught_up": told.get("caught_up") == "true",
        "prefix": told.get("prefix"),
        "generation": json.loads(told.get("generation", "null")),
        "last_read_at": datetime.fromtimestamp(last_read / 1000, UTC) if last_read else None,
        "seconds_since_last_read": round(time() - last_read / 1000) if last_read else None,
        "entries": [
            {"kind": kind, "condition": condition, "count": count} for kind, condition, count in sorted(counts)
        ],
        "aliases": alias_count,
        "sources": [
            _source(kind, name, marks) for kind, name in sorted({(kind, mark["source"]) for kind, mark in marks})
        ],
    }


def _source(kind: str, name: str, marks: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """A source over all partitions: only what the least of them allows can be concluded everywhere."""
    own = [mark for mark_kind, mark in marks if mark_kind == kind and mark["source"] == name]
    completes = [mark["complete_until"] for mark in own]
    presents = [mark["present_until"] for mark in own]
    return {
        "kind": kind,
        "source": name,
        "partitions": len(own),
        "cycle": {"least": min(mark["cycle"] for mark in own), "most": max(mark["cycle"] for mark in own)},
        "complete_until": None if None in completes else min(completes),
        "present_until": None if None in presents else min(presents),
        "broken_partitions": sorted(mark["partition"] for mark in own if mark["broken_since"] is not None),
        "refused_unreadable": max(mark["refused_unreadable"] for mark in own),
        "held": max(mark["held"] for mark in own),
    }
