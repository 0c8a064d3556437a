"""The `connectors` command."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from connectors import commands
from connectors.connector import Connector
from connectors.cycle import Report
from connectors.mapping import Source
from connectors.mapping import load as load_source
from connectors.settings import Settings
from connectors.shipped import find
from process import logs, running
from process.errors import DONE, PermanentError
from process.health import serve
from process.logs import log
from process.messages import say
from process.settings import load
from process.site import installed
from schemas.codec import Contract
from transport.client import Client, connect

Command = Callable[[argparse.Namespace, Event], int | None]
OnSource = Callable[[Source, Settings, Contract, Client], None]


def main() -> None:
    """Run the command the arguments name."""
    arguments = _parser().parse_args()
    logs.configure()
    running.main(lambda stop: arguments.command(arguments, stop))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="connectors", description="Reads departments' systems where they stand.")
    parser.add_argument(
        "--settings", type=Path, default=Path("connectors.yaml"), help="settings file (default: connectors.yaml)"
    )
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(group, "list", _list, "the sources there are")
    spec = _command(group, "spec", _spec, "the form of a source's YAML, or a department's record types")
    spec.add_argument("department", metavar="D", help="a department, or mapping")
    _on_source(group, "check", commands.check, "try everything a run needs, send nothing")
    sample = _command(group, "sample", _sample, "what the first rows come to, send nothing")
    sample.add_argument("-n", type=int, default=5, dest="count", help="how many rows (default: 5)")
    sample.add_argument("source", metavar="F", help="a source's YAML, or its name")
    run = _command(group, "run", _run, "read the source, cycle after cycle")
    run.add_argument("--once", action="store_true", help="one cycle, its counts as JSON")
    run.add_argument("--inventory", action="store_true", help="count everything against the exchange, at once")
    run.add_argument("--cycles", type=int, metavar="N", help="so many cycles")
    run.add_argument("source", metavar="F", help="a source's YAML, or its name")
    _on_source(group, "status", commands.status, "how far the source is read")
    fuse = group.add_parser("fuse", help="deletions that are held back").add_subparsers(required=True, metavar="ACT")
    _on_source(fuse, "show", commands.fuse_show, "what the fuse holds")
    _on_source(fuse, "release", commands.fuse_release, "let what is held go with the next cycle")
    epoch = group.add_parser("epoch", help="after a restore at the source").add_subparsers(required=True, metavar="ACT")
    _on_source(epoch, "raise", commands.epoch_raise, "accept the source's database as it is now")
    return parser


def _command(
    group: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, told: str
) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=told, description=told)
    parser.set_defaults(command=run)
    return parser


def _on_source(
    group: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: OnSource, told: str
) -> None:
    def command(arguments: argparse.Namespace, _: Event) -> int:
        settings, contract, source = _given(arguments)
        run(source, settings, contract, connect(settings.kafka))
        return DONE

    _command(group, name, command, told).add_argument("source", metavar="F", help="a source's YAML, or its name")


def _given(arguments: argparse.Namespace) -> tuple[Settings, Contract, Source]:
    settings = load(Settings, arguments.settings, os.environ)
    contract = installed(settings.site_dir).contract
    return settings, contract, load_source(find(arguments.source, settings.own_sources), os.environ, contract)


def _settings(arguments: argparse.Namespace) -> Settings | None:
    """Settings where there are any: what is shipped can be looked at without."""
    return load(Settings, arguments.settings, os.environ) if arguments.settings.exists() else None


def _list(arguments: argparse.Namespace, _: Event) -> int:
    commands.list_sources(_settings(arguments))
    return DONE


def _spec(arguments: argparse.Namespace, _: Event) -> int:
    settings = _settings(arguments)
    commands.spec(arguments.department, installed(settings.site_dir if settings else None).contract)
    return DONE


def _sample(arguments: argparse.Namespace, _: Event) -> int:
    settings, contract, source = _given(arguments)
    commands.sample(source, settings, contract, arguments.count)
    return DONE


def _run(arguments: argparse.Namespace, stop: Event) -> int:
    settings, contract, source = _given(arguments)
    connector = Connector(source, settings, contract, connect(settings.kafka), stop)
    try:
        if arguments.once:
            return _once(connector, source, inventory=arguments.inventory)
        return _follow(connector, source, settings, arguments)
    finally:
        connector.close()


def _once(connector: Connector, source: Source, *, inventory: bool) -> int:
    report = connector.once(inventory=inventory)
    print(_told(report, source), flush=True)
    if report.counts.held:
        print(say("connectors.fuse_held", source=source.name, held=report.counts.held), file=sys.stderr)
        return PermanentError.exit_code
    for alarm in connector.alarms():
        print(alarm.error, file=sys.stderr)
    return max((alarm.error.exit_code for alarm in connector.alarms()), default=DONE)


def _follow(connector: Connector, source: Source, settings: Settings, arguments: argparse.Namespace) -> int:
    health = serve(connector.metrics.registry, connector.ready, settings.metrics_port, settings.metrics_address)
    log("connector.started", source=source.name, file=source.file.name, port=health.port)
    try:
        connector.follow(
            arguments.cycles,
            lambda report: print(_told(report, source), flush=True),
            inventory=arguments.inventory,
        )
    finally:
        health.stop()
    return DONE


def _told(report: Report, source: Source) -> str:
    counts = report.counts
    snapshot_at = datetime.fromtimestamp(report.snapshot_ms / 1000, UTC)
    return json.dumps(
        {
            "source": source.name,
            "cycle": report.cycle,
            "read": counts.read,
            "sent": counts.sent,
            "unchanged": counts.unchanged,
            "refused": counts.refused,
            "refused_by_reason": dict(sorted(report.reasons.items())),
            "refused_unreadable": counts.refused_unreadable,
            "deleted": counts.deleted,
            "held": counts.held,
            "inventory": report.inventory is not None,
            "breaks": None if report.resend is None else dict(report.resend.breaks),
            "snapshot_at": snapshot_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
    )


if __name__ == "__main__":
    main()
