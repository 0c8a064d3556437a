"""The jars of the local Kafka broker, fetched by Maven once and checked before use.

Maven compares with checksums from the same place the jar came from; the list
beside this file is ours, and a jar that differs from it is not started.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

KAFKA_VERSION = "4.3.1"
_HERE = Path(__file__).parent
_LIST = _HERE / "kafka-jars.sha256"


@cache
def kafka_jars() -> Path:
    """The folder with exactly the listed jars, fetched if need be; refuses any that differs from the list."""
    # Named after the list too: another version of this program may be running on the same machine.
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}-{_sha256(_LIST)[:12]}"
    if not folder.is_dir():
        _fetch(folder)
    _verify(folder)
    return folder


def cache_folder() -> Path:
    """Where fetched things are kept: TONGBAN_CACHE, else the user's cache folder."""
    named = os.environ.get("TONGBAN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tongban"


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise FileNotFoundError("no Maven found: install Maven, or name a broker in KAFKA_BOOTSTRAP_SERVERS")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        jars = Path(scratch) / "jars"
        command = [
            maven,
            "-q",
            "-B",
            "-C",
            "-f",
            str(_HERE / "kafka-jars.xml"),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={jars}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"Maven could not fetch the broker's jars: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        _verify(jars)
        try:
            jars.rename(folder)
        except OSError:
            # Another process was quicker; its jars are verified like ours.
            if not folder.is_dir():
                raise


def _verify(folder: Path) -> None:
    listed = (line.split() for line in _LIST.read_text().splitlines())
    wanted = {name: digest for digest, name in listed}
    present = {file.name: _sha256(file) for file in folder.glob("*.jar")}
    wrong = sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))
    if wrong:
        raise RuntimeError(
            f"jars missing or not as listed in {folder}: {', '.join(wrong)}; remove the folder and start again"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
