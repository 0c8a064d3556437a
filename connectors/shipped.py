"""Which sources there are: the shipped ones, and the site's own folder of the same form."""

import difflib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from process.errors import SettingsError
from process.messages import say


def files(own: Path | None) -> dict[str, Path]:
    """The file of every source by its name; a site's own source takes the place of a shipped one."""
    folders = [Path(str(resources.files("connectors") / "departments")), *([own] if own else [])]
    return {name: file for folder in folders for name, file in _in(folder)}


def find(name: str, own: Path | None) -> Path:
    """The file that is meant: a path, or the name of a source."""
    if Path(name).suffix in {".yaml", ".yml"}:
        return Path(name)
    known = files(own)
    if name.replace("/", ".") not in known:
        hint = ", ".join(difflib.get_close_matches(name, known, n=1) or sorted(known))
        raise SettingsError(say("connectors.no_source", name=name, hint=hint))
    return known[name.replace("/", ".")]


def _in(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.glob("*/*.yaml")):
        yield f"{file.parent.name}.{file.stem}", file
