"""The `exchange` command."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import Event

from exchange import audit, look, policy, provision
from exchange.control import generation, installation, of_key, require_generation
from exchange.run import departments, worker, workers
from exchange.settings import Settings
from process import logs, running
from process.errors import DONE, PermanentError, SettingsError
from process.messages import say
from process.settings import load, secret
from process.site import installed as installed_with
from schemas.audit import AuditKey
from schemas.installed import Installed
from schemas.plain import to_json
from schemas.subjects import DistrictKey
from schemas.topics import KINDS, Topic, all_topics
from transport.client import Client, connect

Command = Callable[[argparse.Namespace, Settings, Installed, Event], int]


def main() -> None:
    """Run the command the arguments name."""
    arguments = _parser().parse_args()
    logs.configure()
    running.main(lambda stop: arguments.run(arguments, stop))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="exchange", description="Reconciles departments' records into one registry.")
    parser.add_argument(
        "--settings", type=Path, default=Path("exchange.yaml"), help="settings file (default: exchange.yaml)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    planned = commands.add_parser("topics", help="what topics are needed; create them").add_subparsers(
        required=True, metavar="ACT"
    )
    _command(planned, "plan", _plan, "show what apply would do")
    _command(planned, "apply", _apply, "create topics and write the generation")
    run = _command(commands, "run", _run, "reconcile until stopped")
    run.add_argument("--workers", type=_count, default=1, metavar="N", help="how many processes")
    run.add_argument(
        "--instance", default="exchange", help="name of this worker, its own for ever; several add a number"
    )
    run.add_argument("--until-idle", type=float, metavar="S", help="stop when nothing has come for S seconds")
    run.add_argument("--all", action="store_true", help="the auditor too, as a process of its own")
    audit = _command(commands, "audit", _audit, "count sources against what is held; one active process")
    audit.add_argument("--instance", default="audit", help="its name; a second process of the same name takes over")
    audit.add_argument("--until-idle", type=float, metavar="S", help="stop when nothing has come for S seconds")
    status = _command(commands, "status", _status, "every source: rows counted against the source")
    status.add_argument("--json", action="store_true", help="one JSON object per source")
    get = _command(commands, "get", _get, "one subject's entry")
    get.add_argument("identifier", help="any identifier or subject key; - reads it from standard input")
    dump = _command(commands, "dump", _dump, "every entry, one JSON object per line")
    dump.add_argument("--kind", choices=KINDS, help="one kind of subject only")
    policies = commands.add_parser("policy", help="a site's own departments").add_subparsers(
        required=True, metavar="ACT"
    )
    told = "make the registry schemas and ids.lock of a site's folder"
    build = policies.add_parser("build", help=told, description=told)
    build.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that site_dir will name")
    build.set_defaults(run=_build)
    quarantine = commands.add_parser("quarantine", help="what was refused").add_subparsers(required=True, metavar="ACT")
    listed = _command(quarantine, "list", _quarantine, "refusals by department, without values")
    listed.add_argument("--department", action="append", help="only this one")
    listed.add_argument("--summary", action="store_true", help="counts by reason only")
    return parser


def _command(
    group: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, told: str
) -> argparse.ArgumentParser:
    def command(arguments: argparse.Namespace, stop: Event) -> int:
        settings = load(Settings, arguments.settings, os.environ)
        return run(arguments, settings, installed_with(settings.site_dir), stop)

    parser = group.add_parser(name, help=told, description=told)
    parser.set_defaults(run=command)
    return parser


def _count(told: str) -> int:
    """A number of processes: at least one."""
    if not told.isascii() or not told.isdigit() or int(told) == 0:
        raise argparse.ArgumentTypeError(say("exchange.no_count"))
    return int(told)


def _build(arguments: argparse.Namespace, _: Event) -> int:
    print("\n".join(f"published  {name}" for name in policy.build(arguments.folder)) or "nothing to do")
    return DONE


def _plan(_: argparse.Namespace, settings: Settings, installed: Installed, __: Event) -> int:
    client = connect(settings.kafka)
    lines = _planned(settings, installed, client).lines()
    added = provision.added(client, settings.kafka.prefix, installed)
    lines += [f"activate  {name}" for name in added or ["other words only"]] if added is not None else []
    print("\n".join(lines) or "nothing to do")
    return DONE


def _wanted(settings: Settings, installed: Installed) -> list[Topic]:
    return all_topics(settings.kafka.prefix, settings.partitions, departments(settings, installed))


def _planned(settings: Settings, installed: Installed, client: Client) -> provision.Plan:
    wanted = _wanted(settings, installed)
    admin = client.admin()
    try:
        return provision.plan(wanted, admin.describe_topics([topic.name for topic in wanted]))
    finally:
        admin.close()


def _apply(_: argparse.Namespace, settings: Settings, installed: Installed, __: Event) -> int:
    client, prefix = connect(settings.kafka), settings.kafka.prefix
    begun = generation(
        settings.partitions,
        _district_key(settings, "topics apply"),
        AuditKey(secret(settings.audit_key_file)).fingerprint,
    )
    # What may not be activated is refused before anything is changed.
    added = provision.added(client, prefix, installed)
    planned = _planned(settings, installed, client)
    admin = client.admin()
    try:
        provision.apply(admin, planned, _wanted(settings, installed), settings.replication)
    finally:
        admin.close()
    written = provision.begin(client, prefix, begun, installed)
    print(f"created {len(planned.missing)}, altered {len(planned.differing)}, control records written {written}")
    if added is not None:
        provision.activate(client, prefix, installed)
        print(say("exchange.activated", added=", ".join(added) or "-"))
    return DONE


def _district_key(settings: Settings, command: str) -> DistrictKey:
    if settings.district_key_file is None:
        raise SettingsError(say("exchange.no_district_key", command=f"exchange {command}"))
    return settings.district_key(secret(settings.district_key_file))


def _run(arguments: argparse.Namespace, settings: Settings, installed: Installed, stop: Event) -> int:
    if arguments.workers == 1 and not arguments.all:
        worker(settings, installed, arguments.instance, stop, arguments.until_idle)
        return DONE
    until_idle, audit_too = arguments.until_idle, arguments.all
    told = (arguments.workers, settings, arguments.settings, arguments.instance, until_idle)
    return workers(*told, stop, audit=audit_too)


def _audit(arguments: argparse.Namespace, settings: Settings, installed: Installed, stop: Event) -> int:
    audit.run(settings, installed, arguments.instance, stop, arguments.until_idle)
    return DONE


def _status(arguments: argparse.Namespace, settings: Settings, installed: Installed, _: Event) -> int:
    for source in look.status(connect(settings.kafka), settings.kafka.prefix, installed.contract):
        if arguments.json:
            print(to_json({**asdict(source), "balanced": source.balanced}))
        else:
            print(_told(source))
    return DONE


def _told(source: look.SourceStatus) -> str:
    here = f"{source.live} live + {source.refused} refused"
    balance = f"{source.rows_at_source} = {here} + {source.missing} missing - {source.extra} extra"
    until = source.complete_until.isoformat() if source.complete_until else "never"
    behind = f"  {source.behind} partitions behind" if source.behind else ""
    broken = f"  BROKEN: {', '.join(source.breaks)}" if source.breaks else ""
    verified = source.verified_until.isoformat() if source.verified_until else "never"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(source.open_breaks.items()))
    breaks = f"  OPEN BREAKS: {kinds} since {source.open_since.isoformat()}" if source.open_since else ""
    until = f"complete until {until}  verified until {verified}"
    return f"{source.source}  cycle {source.cycle}  {balance}  {until}{behind}{broken}{breaks}"


def _get(arguments: argparse.Namespace, settings: Settings, installed: Installed, _: Event) -> int:
    client = connect(settings.kafka)
    identifier = sys.stdin.readline().strip() if arguments.identifier == "-" else arguments.identifier
    key = _district_key(settings, "get")
    subjects = look.subjects_of(identifier, key, settings.divisions)
    begun = installation(client, settings.kafka.prefix, installed.contract).generation
    require_generation(begun, of_key(key))
    entry = look.get(client, settings.kafka.prefix, subjects, begun["partitions"], installed.contract)
    if entry is None:
        raise PermanentError(say("exchange.not_found"))
    print(to_json(entry))
    return DONE


def _dump(arguments: argparse.Namespace, settings: Settings, installed: Installed, _: Event) -> int:
    client = connect(settings.kafka)
    for kind in [arguments.kind] if arguments.kind else KINDS:
        for _subject, entry in look.entries(client, settings.kafka.prefix, kind, installed.contract):
            print(to_json(entry))
    return DONE


def _quarantine(arguments: argparse.Namespace, settings: Settings, installed: Installed, _: Event) -> int:
    client = connect(settings.kafka)
    for department in arguments.department or departments(settings, installed):
        refusals = look.quarantined(client, settings.kafka.prefix, department, installed.contract)
        if arguments.summary:
            for (source, stage, reason), count in sorted(look.by_reason(refusals).items()):
                print(f"{count:>8}  {source}  {stage}  {reason}")
        else:
            for refusal in refusals:
                print(to_json(refusal))
    return DONE


if __name__ == "__main__":
    main()
