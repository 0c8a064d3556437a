"""What people are told, in English and in Chinese, from one catalogue.

A code names a text in both languages. `process/messages.yaml` is looked in first,
then `messages.yaml` of the package that the code's first word names, so a package
keeps its own texts beside the code that says them.

>>> print(say("exit.port_taken", address="127.0.0.1", port=9100))
127.0.0.1:9100 is in use by another process: choose another port, or stop what holds it.
127.0.0.1:9100 已被其他进程占用：请换一个端口，或停止占用它的进程。
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

import yaml


class Text(NamedTuple):
    """One thing to say, with the same `{fields}` in both languages."""

    en: str
    zh: str


def say(code: str, /, **fields: object) -> str:
    """Give the English line and, below it, the Chinese one."""
    text = _text(code)
    return f"{text.en.format(**fields)}\n{text.zh.format(**fields)}"


@cache
def catalogue(package: str) -> Mapping[str, Text]:
    """Every text that a package brings; none where it has no catalogue."""
    try:
        file = resources.files(package) / "messages.yaml"
    except ModuleNotFoundError as exc:
        if exc.name != package:
            raise
        return MappingProxyType({})
    if not file.is_file():
        return MappingProxyType({})
    entries = yaml.safe_load(file.read_text("utf-8")) or {}
    return MappingProxyType({code: Text(**entry) for code, entry in entries.items()})


def _text(code: str) -> Text:
    shared = catalogue("process")
    return shared[code] if code in shared else catalogue(code.split(".", 1)[0])[code]
