"""What a person asks of a connector besides running it: what is there, what it would send, how it stands."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from typing import Any

from connectors import fuse, generation, position, sources
from connectors.mapper import Mapped, Mapper
from connectors.mapping import Source, SourceMapping
from connectors.position import Position
from connectors.publish import Publisher
from connectors.settings import Settings
from connectors.shipped import files
from connectors.store import Store
from process.errors import SettingsError
from process.logs import masked
from process.messages import say
from process.yaml_lines import load_yaml
from schemas.codec import Contract
from schemas.plain import to_json
from transport.client import Client
from transport.preflight import check as preflight

_HIDDEN = "****"
_SEEN = {"public", "internal"}


def list_sources(settings: Settings | None) -> None:
    """Every source by name, with its table or family of files, and its YAML."""
    for name, file in files(settings.own_sources if settings else None).items():
        read = load_yaml(file)[0].get("read", {})
        place = read.get("sql", {}).get("table") or read.get("files", {}).get("name", "-")
        print(f"{name}  {place}  {file}")


def spec(name: str, contract: Contract) -> None:
    """The form of a source's YAML, or the record types of a department."""
    types = [contract[each].document for each in contract.names() if contract[each].department == name]
    if name == "mapping":
        print(json.dumps(SourceMapping.model_json_schema(), ensure_ascii=False, indent=1))
    elif any(each.get("subject") for each in types):
        print(json.dumps([each for each in types if each.get("subject")], ensure_ascii=False, indent=1))
    else:
        known = sorted({contract[each].department for each in contract.names() if contract[each].subject})
        raise SettingsError(say("connectors.no_department", name=name, hint=", ".join(known)))


def check(source: Source, settings: Settings, contract: Contract, client: Client) -> None:
    """Everything a run needs, tried without sending anything."""
    district, audit = settings.district_key(), settings.audit_key()
    mapper = Mapper(source, contract, district, audit)
    with sources.looked_at(source, settings.store_folder(source.name)) as rows, rows.snapshot() as snapshot:
        ids = Counter(map(mapper.record_id, snapshot.rows(source.mapping.record_id.columns)))
        alarms = rows.alarms()
    preflight(settings.kafka)
    generation.check(client, contract, settings.kafka.prefix, district, audit)
    generation.require_topics(client, settings.kafka.prefix, source.department)
    blank = ids.pop(None, 0)
    twice = sum(count > 1 for count in ids.values())
    counted = {"source": source.name, "rows": ids.total() + blank, "blank": blank, "twice": twice}
    print(say("connectors.checked_files" if source.mapping.read.files else "connectors.checked", **counted))
    if alarms:
        raise alarms[0].error


def sample(source: Source, settings: Settings, contract: Contract, count: int) -> None:
    """What the first rows come to, one JSON object each; nothing is sent."""
    mapper = Mapper(source, contract, settings.district_key(), settings.audit_key())
    with sources.looked_at(source, settings.store_folder(source.name)) as rows, rows.snapshot() as snapshot:
        seen = snapshot.rows(source.mapping.columns(), source.mapping.order)
        for _, found in islice(groupby(seen, mapper.record_id), count):
            print(masked(to_json(_shown(mapper.map_all(list(found)), contract))))


def status(source: Source, settings: Settings, contract: Contract, client: Client) -> None:
    """How far the source is read, as JSON; nothing of its rows is in it."""
    said = _told(_position(source, settings, contract, client), source)
    files = sources.told(source, settings.store_folder(source.name))
    print(to_json(said if files is None else {**said, "files": files}))


def fuse_show(source: Source, settings: Settings, contract: Contract, client: Client) -> None:
    """What the fuse holds, and what went in the last day."""
    found = _position(source, settings, contract, client)
    lately = sum(each.rows for each in fuse.recent(found.vanished, found.closed_at or 0)) if found else 0
    print(to_json({"source": source.name, "held": found.held if found else 0, "vanished_lately": lately}))


def fuse_release(source: Source, settings: Settings, contract: Contract, client: Client) -> None:
    """Let what is held go with the next cycle."""
    found = _position(source, settings, contract, client)
    if found is None or found.held == 0:
        print(say("connectors.fuse_nothing_held", source=source.name))
        return
    fuse.write_release(settings.store_folder(source.name), fuse.Release(found.held, found.closed_cycle))
    print(say("connectors.fuse_released", source=source.name, held=found.held))


def epoch_raise(source: Source, settings: Settings, contract: Contract, client: Client) -> None:
    """Accept the source's database as it is now; stops a connector that runs."""
    found = generation.check(client, contract, settings.kafka.prefix, settings.district_key(), settings.audit_key())
    publisher = Publisher(client, source, contract, settings.audit_key(), found.partitions, settings.kafka.prefix)
    folder = settings.store_folder(source.name)
    rows = sources.opened(source, folder)
    try:
        with Store(folder) as store, rows.snapshot() as snapshot:
            publisher.recover(store)
            publisher.raise_epoch(snapshot.incarnation)
    finally:
        rows.close()
        publisher.close()
    print(say("connectors.epoch_raised", source=source.name, epoch=publisher.position.epoch))


def _position(source: Source, settings: Settings, contract: Contract, client: Client) -> Position | None:
    return position.read(client, contract, settings.kafka.prefix, source.department, source.name)


def _told(found: Position | None, source: Source) -> dict[str, Any]:
    if found is None:
        return {"source": source.name, "cycle": None}
    value = found.message()
    value["sums"] = sum(each.count for each in found.sums)
    return {**value, "mapping_is_current": found.mapping == source.fingerprint}


def _shown(mapped: Mapped, contract: Contract) -> dict[str, Any]:
    """The mapped row; what the contract calls personal or sensitive is not shown."""
    if mapped.refusal:
        return {"record_id": _HIDDEN, "refused": mapped.refusal.reason, "fields": mapped.refusal.fields}
    if mapped.gone:
        return {"record_id": _HIDDEN, "gone": True}
    records = [
        {"type": r.target.type, **dict(_visible(r.value, contract[r.target.type].document))} for r in mapped.records
    ]
    return {"records": records, "values_left_out": mapped.defects}


def _visible(value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field in schema["fields"]:
        inner = value[field["name"]]
        if inner is None:
            yield field["name"], None
        elif field["sensitivity"] not in _SEEN:
            yield field["name"], _HIDDEN
        elif field["name"] == "identifiers":
            yield "identifiers", [{**each, "value": _HIDDEN} for each in inner]
        elif isinstance(field["type"], dict) and field["type"].get("type") == "record":
            yield field["name"], dict(_visible(inner, field["type"]))
        else:
            yield field["name"], inner
