"""A whole installation on one machine: settings, keys, and every process as an operator would start it.

The demo and the end-to-end tests use it; what it writes is what an operator writes. Each process is the
installed console script of its package, in a process of its own, with a log file of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_BIN = Path(sys.executable).parent
_STOP_SECONDS = 20


class CommandError(Exception):
    """A command ended with another exit code than was wanted."""


@dataclass(slots=True)
class Process:
    """A running process of the installation."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def kill(self) -> None:
        """End it as a power cut would."""
        self.popen.kill()
        self.popen.wait()

    def stop(self) -> int:
        """Ask it to stop, and wait for its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def alive(self) -> bool:
        return self.popen.poll() is None

    def said(self) -> list[dict[str, Any]]:
        """The JSON objects of its log: log lines, and what a command printed."""
        lines = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


@dataclass(slots=True)
class Installation:
    """Folder, brokers and prefix of an installation, and the processes it runs."""

    folder: Path
    brokers: str
    prefix: str = "demo."
    partitions: int = 4
    environ: Mapping[str, str] = field(default_factory=dict)
    """What the sources' files ask for: URLs and folders."""
    poll_seconds: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of `exchange` beside the ordinary ones."""
    approval: Mapping[str, Any] = field(default_factory=dict)
    """Settings of `approval` beside the ordinary ones."""
    site: Path | None = None
    """Folder of the site's own departments."""
    processes: list[Process] = field(default_factory=list)

    def write(self) -> None:
        """Write keys and settings files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("district", "audit"):
            self._key(name)
        kafka = {"brokers": self.brokers, "prefix": self.prefix}
        keys = {"district_key_file": str(self.key("district")), "audit_key_file": str(self.key("audit"))}
        state = {"state_dir": str(self.folder / "state")}
        state |= {"site_dir": str(self.site)} if self.site else {}
        exchange = {"kafka": kafka, **keys, **state, "partitions": self.partitions, "divisions": ["350299"]}
        self._write("exchange", {**exchange, **self.settings})
        own = {"sources_dir": str(self.own_sources)} if self.own_sources.exists() else {}
        self._write("connectors", {"kafka": kafka, **keys, **state, **own, "poll_seconds": self.poll_seconds})
        approval = {"district_key_file": keys["district_key_file"], "divisions": ["350299"]}
        self._write("approval", {"kafka": kafka, **approval, **state, **self.approval})

    def key(self, name: str) -> Path:
        """Where a key lies."""
        return self.folder / f"{name}.key"

    @property
    def own_sources(self) -> Path:
        """Where sources of the installation's own may lie; each speaks in place of a shipped one of its name."""
        return self.folder / "sources"

    def _key(self, name: str) -> None:
        path = self.key(name)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32) + "\n")

    def _write(self, name: str, settings: Mapping[str, Any]) -> None:
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")

    # --- processes ---------------------------------------------------------------------------------------------------
    def run(self, command: str, *arguments: str, wanted: Sequence[int] = (0,), given: str | None = None) -> str:
        """Run a command to its end and give what it printed."""
        ended = subprocess.run(
            self._command(command, arguments),
            env=self._environment(),
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode not in wanted:
            raise CommandError(f"{command} {arguments[0]} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
        return ended.stdout

    def start(self, name: str, command: str, *arguments: str) -> Process:
        """Start a process that stays."""
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as out:
            popen = subprocess.Popen(
                self._command(command, arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        process = Process(name, popen, log)
        self.processes.append(process)
        return process

    def _command(self, command: str, arguments: Sequence[str]) -> list[str]:
        return [str(_BIN / command), "--settings", str(self.folder / f"{command}.yaml"), *arguments]

    def _environment(self) -> dict[str, str]:
        """No setting of ours from outside, and what the sources' files ask for."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
        return {**plain, **self.environ}

    def stop(self) -> None:
        """End every process that still runs."""
        for process in reversed(self.processes):
            if process.alive():
                process.stop()
        self.processes.clear()

    # --- what an operator does ---------------------------------------------------------------------------------------
    def apply_topics(self) -> str:
        return self.run("exchange", "topics", "apply")

    def start_exchange(self, name: str = "exchange-0", *arguments: str) -> Process:
        return self.start(name, "exchange", "run", "--instance", name, *arguments)

    def start_connector(self, source: str) -> Process:
        return self.start(f"connector-{source}", "connectors", "run", source)

    def start_reader(self) -> Process:
        return self.start("approval", "approval", "run")

    def connect_once(self, source: str, wanted: Sequence[int] = (0,)) -> dict[str, Any]:
        """One cycle of a source, and its counts."""
        lines = self.run("connectors", "run", source, "--once", wanted=wanted).splitlines()
        counts: dict[str, Any] = json.loads(lines[-1])
        return counts

    def status(self) -> dict[str, dict[str, Any]]:
        """Every source as `exchange status` tells it."""
        told = [json.loads(line) for line in self.run("exchange", "status", "--json").splitlines()]
        return {source["source"]: source for source in told}

    def dump(self) -> dict[str, dict[str, Any]]:
        """The registry as `exchange dump` tells it, by subject."""
        told = [json.loads(line) for line in self.run("exchange", "dump").splitlines()]
        return {entry["subject"]: entry for entry in told}


@contextmanager
def running(installation: Installation) -> Iterator[Installation]:
    """The installation, with everything it started ended afterwards."""
    try:
        yield installation
    finally:
        installation.stop()


def until(holds: Callable[[], bool], seconds: float, pause: float = 0.3) -> bool:
    """Whether something came to hold within the time."""
    due = time.monotonic() + seconds
    while time.monotonic() < due:
        if holds():
            return True
        time.sleep(pause)
    return holds()
