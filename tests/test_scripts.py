"""What the set-up scripts do on a machine that lacks something, played with programs of the same names."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


class Machine:
    """A folder of programs that is all a script finds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._apt = folder.parent / "apt.log"
        for name in ("sh", "sed", "head", "timeout", "grep", "dirname"):
            (folder / name).symlink_to(str(shutil.which(name)))
        self.has("id", "echo 0")

    def has(self, name: str, does: str = ":") -> None:
        program = self._folder / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)

    def has_apt(self) -> None:
        self.has("apt-get", f'echo "$@" >> {self._apt}')

    def runs(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command: list[str | Path] = [ROOT / "scripts" / script, *arguments]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA")}
        environ["PATH"] = str(self._folder)
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)

    @property
    def installed(self) -> list[str]:
        if not self._apt.exists():
            return []
        lines = self._apt.read_text().splitlines()
        return [word for line in lines if " install " in line for word in line.split(" --yes ")[1].split()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "bin").mkdir()
    return Machine(tmp_path / "bin")


def test_a_machine_with_java_and_maven_lacks_nothing_for_a_broker(machine: Machine) -> None:
    machine.has("java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2")
    machine.has("mvn")

    assert machine.runs("system-needs", "broker").returncode == 0


@pytest.mark.parametrize("version", ["1.8.0_292", "11.0.2"])
def test_an_older_java_is_not_enough(machine: Machine, version: str) -> None:
    machine.has("java", f"echo 'openjdk version \"{version}\"' >&2")
    machine.has("mvn")

    assert "Missing: Java 17." in machine.runs("system-needs", "broker").stderr


def test_what_is_missing_is_named_with_the_way_to_get_it(machine: Machine) -> None:
    machine.has_apt()
    ended = machine.runs("system-needs", "broker", "java-compiler")

    assert ended.returncode == 2
    assert "Missing: Java 17 Maven javac. Run: sudo apt-get install default-jdk-headless maven" in ended.stderr
    assert "缺少：" in ended.stderr
    assert machine.installed == []


def test_root_gets_what_is_missing_installed(machine: Machine) -> None:
    machine.has_apt()
    ended = machine.runs("system-needs", "--install", "broker", "java-compiler")

    assert ended.returncode == 0
    assert machine.installed == ["default-jdk-headless", "maven"]


def test_whoever_is_not_root_is_told(machine: Machine) -> None:
    machine.has_apt()
    machine.has("id", "echo 1000")
    ended = machine.runs("system-needs", "--install", "broker")

    assert ended.returncode == 2
    assert "sudo apt-get install" in ended.stderr
    assert machine.installed == []


def test_docker_with_a_daemon_is_broker_enough_and_without_one_is_not(machine: Machine) -> None:
    machine.has("docker", "exit 1")
    without = machine.runs("system-needs", "broker")
    machine.has("docker", "echo 28.1")
    with_daemon = machine.runs("system-needs", "broker")

    assert (without.returncode, with_daemon.returncode) == (2, 0)
