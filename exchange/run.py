"""`exchange run`: one worker, or as many as there are cores, each a process with a name that stays its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Thread

from exchange import control
from exchange.idle import QUIET_POLL_SECONDS, stop_when_idle
from exchange.metrics import Metrics
from exchange.owner import Rules
from exchange.settings import Settings
from exchange.store import Store, boot_id
from exchange.work import Worker
from process import health
from process.errors import DEFECT, DONE, SettingsError
from process.logs import log
from process.messages import say
from process.settings import secret
from schemas import topics
from schemas.audit import AuditKey
from schemas.installed import Installed, since
from schemas.subjects import GRAMMAR
from transport import loop
from transport.client import Client, connect


def worker(
    settings: Settings, installed: Installed, instance: str, stop: Event, until_idle_seconds: float | None = None
) -> None:
    """Own the partitions the group gives this instance, until asked to stop or until nothing comes any more."""
    client = connect(settings.kafka)
    audit_key = AuditKey(secret(settings.audit_key_file))
    begun = control.installation(client, settings.kafka.prefix, installed.contract)
    control.require_generation(begun.generation, {"audit_fingerprint": audit_key.fingerprint, "key_grammar": GRAMMAR})
    if begun.policy != installed.policy:
        raise SettingsError(say("exchange.other_policy"))
    rules = rules_of(settings, installed, begun, audit_key)
    store = _store(settings, instance, begun.generation)
    metrics = Metrics()
    work = Worker(client, rules, store, begun.ticks, metrics, settings.unknown_schema_wait_seconds)
    try:
        _serve(settings, instance, work, metrics, client, stop, until_idle_seconds)
    finally:
        store.close()


def rules_of(settings: Settings, installed: Installed, begun: control.Installation, audit_key: AuditKey) -> Rules:
    """What the owners of this installation go by."""
    prefix = settings.kafka.prefix
    return Rules(
        prefix=prefix,
        partitions=begun.generation["partitions"],
        installed=since(installed, begun.policies[0].content),
        audit_key=audit_key,
        policies=frozenset(policy.hash for policy in begun.policies),
        departments={topics.dept(prefix, name): name for name in departments(settings, installed)},
    )


def departments(settings: Settings, installed: Installed) -> Sequence[str]:
    """The departments that are read: those the settings name, else all."""
    return settings.departments or installed.departments


def _store(settings: Settings, instance: str, generation: Mapping[str, object]) -> Store:
    folder = settings.state_dir / f"{settings.kafka.prefix}{instance}"
    return Store(folder, str(generation["installation"]), boot_id())


def _serve(
    settings: Settings,
    instance: str,
    work: Worker,
    metrics: Metrics,
    client: Client,
    stop: Event,
    until_idle_seconds: float | None,
) -> None:
    tally = loop.Tally()
    metrics.watch(tally)

    def ready() -> tuple[bool, dict[str, object]]:
        return tally.settled, {"partitions": len(work.partitions), "transactions": tally.transactions}

    shown = health.serve(metrics.registry, ready, settings.metrics_port)
    log("exchange.started", instance=instance, port=shown.port, client=settings.kafka.client)
    if until_idle_seconds is not None:
        Thread(target=stop_when_idle, args=(tally, until_idle_seconds, stop), daemon=True).start()
    try:
        loop.run(client, settings.kafka.prefix + settings.group, instance, work.topics, work, stop, tally=tally)
    finally:
        shown.stop()


def _exit_code(ended: list[int]) -> int:
    """The first worker's that did not end well; one that was killed has none of its own."""
    failed = next((code for code in ended if code), DONE)
    return failed if failed >= 0 else DEFECT


def _environment(settings: Settings, number: int) -> dict[str, str]:
    port = settings.metrics_port + number if settings.metrics_port else 0
    return {**os.environ, "TONGBAN_METRICS_PORT": str(port)}


def workers(
    count: int, settings: Settings, file: Path, instance: str, until_idle: float | None, stop: Event, *, audit: bool
) -> int:
    """Run several processes: workers named by number, and the auditor if that is wanted.

    One that fails ends them all with its exit code. Where a metrics port is set, the first takes it and the others
    the ones after it.
    """
    idle = [] if until_idle is None else ["--until-idle", str(until_idle)]
    commands = [["run", "--instance", f"{instance}-{number}", *idle] for number in range(count)]
    if audit:
        commands.append(["audit", *idle])
    command = [sys.executable, "-m", "exchange", "--settings", str(file)]
    running = [
        subprocess.Popen([*command, *each], env=_environment(settings, number)) for number, each in enumerate(commands)
    ]
    try:
        while not stop.wait(QUIET_POLL_SECONDS):
            ended = [process.returncode for process in running if process.poll() is not None]
            if any(ended) or len(ended) == len(running):
                return _exit_code(ended)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
    return DONE
