"""YAML as people mean it, with the line of every name.

Names are text, and so is whatever is not plainly a number, true, false or null: a code
`01`, a `NO`, a date and `12:30` stay as they were written, where YAML 1.1 would give 1,
false, a date and 750. A name given twice is refused, not silently taken the second time.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from process.errors import SettingsError
from process.messages import say

Place = tuple[str | int, ...]
Lines = Mapping[Place, int]

_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_VARIABLE = re.compile(r"\$(\$\{[^}]*\})|\$\{([^}]*)\}")


def load_yaml(file: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """Give what a YAML file holds, and the line of every name and list item in it."""
    text = _text(file)
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise SettingsError(say("settings.bad_yaml", place=f"{file}:{line}", reason=exc.reason)) from exc
    try:
        root = loader.get_single_node()
        lines: dict[Place, int] = {(): 1}
        if root is None:
            return {}, lines
        if not isinstance(root, MappingNode):
            raise SettingsError(say("settings.not_a_mapping", place=f"{file}:{_line(root)}"))
        _Survey(file, lines).look_at(root, ())
        return loader.construct_document(root), lines
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise SettingsError(say("settings.bad_yaml", place=f"{file}:{line}", reason=exc.problem)) from exc
    finally:
        loader.dispose()


def with_variables(
    data: dict[str, Any], lines: Lines, file: Path, environ: Mapping[str, str]
) -> tuple[dict[str, Any], set[str]]:
    """Give the data with each `${NAME}` replaced, and the names used. `$${NAME}` stands for itself."""
    used: set[str] = set()

    def value_of(found: re.Match[str], place: Place) -> str:
        escaped, name = found.groups()
        if escaped:
            return str(escaped)
        if name not in environ:
            field, line = ".".join(map(str, place)), line_of(place, lines)
            raise SettingsError(say("settings.unset_variable", place=f"{file}:{line}", field=field, name=name))
        used.add(name)
        return environ[name]

    def replaced(value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda found: value_of(found, place), value)
        if isinstance(value, dict):
            return {name: replaced(inner, (*place, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [replaced(inner, (*place, index)) for index, inner in enumerate(value)]
        return value

    return replaced(data, ()), used


def line_of(place: Place, lines: Lines) -> int:
    """Give the line of a place, or of the nearest thing around it that was written down."""
    known: Place = ()
    for part in place:
        if (*known, part) in lines:
            known = (*known, part)
    return lines.get(known, 1)


class _Loader(yaml.SafeLoader):
    """The safe loader, with fewer guesses about what a bare word is."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - overrides the parent's table, which is declared so


_Loader.add_implicit_resolver(_MERGE, re.compile(r"^<<$"), ["<"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?$"),
    list("-0123456789"),
)


class _Survey:
    """Notes the line of everything, and refuses what a reader would misread."""

    def __init__(self, file: Path, lines: dict[Place, int]) -> None:
        self._file = file
        self._lines = lines
        self._inside: list[Node] = []

    def look_at(self, node: Node, place: Place) -> None:
        if any(node is outer for outer in self._inside):
            raise SettingsError(say("settings.round_in_a_circle", place=self._at(node)))
        self._inside.append(node)
        if isinstance(node, MappingNode):
            self._look_at_names(node, place)
        elif isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self._lines.setdefault((*place, index), _line(item))
                self.look_at(item, (*place, index))
        self._inside.pop()

    def _look_at_names(self, node: MappingNode, place: Place) -> None:
        own: dict[str, int] = {}
        for name, value in node.value:
            if not isinstance(name, ScalarNode):
                raise SettingsError(say("settings.bad_name", place=self._at(name)))
            if name.tag == _MERGE:
                # Anchored names count as written where they are used, below what is written there itself.
                self.look_at(value, place)
                continue
            name.tag = _TEXT
            inner = (*place, name.value)
            if name.value in own:
                field = ".".join(map(str, inner))
                raise SettingsError(say("settings.twice", place=self._at(name), field=field, first=own[name.value]))
            own[name.value] = self._lines[inner] = _line(name)
            self.look_at(value, inner)

    def _at(self, node: Node) -> str:
        return f"{self._file}:{_line(node)}"


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise SettingsError(say("settings.no_file", file=file, reason=exc.strerror)) from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(say("settings.not_utf8", file=file, byte=exc.start + 1)) from None
