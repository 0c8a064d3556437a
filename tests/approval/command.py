"""The installed command, with settings and a state of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from sqlalchemy import select

from approval.view import engine_of, tables
from tests.approval.registry import KEY
from transport.settings import Kafka

SUBJECT = "legal:org:000000019"
NUMBER = "000000019"


class Running(NamedTuple):
    """A process, the port of its health pages and the port questions are answered on."""

    process: subprocess.Popen[str]
    port: int
    api_port: int


class Approval:
    """The installed command with settings of its own."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self.kafka = kafka
        self.folder = folder
        self.settings = {
            "kafka": {"brokers": kafka.brokers, "prefix": kafka.prefix},
            "state_dir": str(folder / "state"),
            "district_key_file": str(self.secret("district", KEY.secret)),
        }
        self.set()

    def set(self, **more: Any) -> None:
        """Write the settings file, with these beside the ordinary ones."""
        (self.folder / "approval.yaml").write_text(yaml.safe_dump({**self.settings, **more}))

    def secret(self, name: str, secret: bytes) -> Path:
        """A file that holds a key or a token."""
        file = self.folder / f"{name}.key"
        file.touch(mode=0o600)
        file.write_text(secret.hex())
        return file

    def __call__(self, *arguments: str, code: int = 0, given: str | None = None) -> str:
        command = [sys.executable, "-m", "approval", *arguments, "--settings", str(self.folder / "approval.yaml")]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, input=given)
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    @contextmanager
    def running(self) -> Iterator[Running]:
        """The reader as a process of its own, once it has caught up."""
        command = [sys.executable, "-m", "approval", "run", "--settings", str(self.folder / "approval.yaml")]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
            assert process.stderr is not None
            said = {}
            for line in map(json.loads, process.stderr):
                said[line["event"]] = line
                if line["event"] == "approval.caught_up":
                    break
            yield Running(process, said["approval.started"]["port"], said["approval.answering"]["port"])
            process.kill()

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        engine = engine_of(f"sqlite:///{self.folder / 'state' / 'view.db'}")
        with engine.begin() as connection:
            kept = [table for table in tables.sorted_tables if table.name != "meta"]
            rows = {table.name: sorted(map(tuple, connection.execute(select(table)))) for table in kept}
        engine.dispose()
        return rows

    def licence(self, *more: str) -> dict[str, Any]:
        told = self("evaluate", "food_business_licence", "--subject", f"applicant={NUMBER}", "--json", *more)
        materials: list[dict[str, Any]] = json.loads(told)["materials"]
        return next(material for material in materials if material["id"] == "business_licence")
