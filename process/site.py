"""A site's own folder: departments that are not shipped, as data, read once when a process starts.

    avro/<department>/<name>-<number>.avsc     its record types
    avro/registry/, ids.lock                   what `exchange policy build` makes of the folder
    catalogue/legal_person.yaml, natural_person.yaml    further attributes, further authorities of shipped ones
    sources/<department>/<name>.yaml           where its rows are, for the connectors
    items/<item>.yaml                          its own items, for the approval side

Everything in it is checked before anything is built on it; every fault is told with file, line and field.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from process.errors import SettingsError
from process.messages import say
from process.settings import Lines, load_yaml, validated
from process.yaml_lines import line_of
from schemas import lint
from schemas.catalogue import KINDS, Catalogue, Extension, catalogues
from schemas.entry import FAMILIES, text
from schemas.files import LOCK, digest, files_in, locked, newest_name, next_name, published_files
from schemas.installed import Installed, shipped, with_site
from schemas.lint import Fault

SOURCES = "sources"
ITEMS = "items"
_REGISTRY = "registry/"


@dataclass(frozen=True, slots=True)
class Site:
    """A folder that was read: its record types, what its lock lists as published, and what it comes to."""

    folder: Path
    record_types: Mapping[str, bytes]
    published: Mapping[str, bytes]
    loose: frozenset[str]
    """Registry schemas that the lock does not list: of an interrupted build, or of somebody's own hand."""
    catalogues: Mapping[str, Catalogue]

    @property
    def built(self) -> bool:
        """Whether the lock lists everything that is needed, and nothing else is there."""
        return set(self.record_types) <= set(self.published) and not self.loose and not self.lacking()

    def lacking(self) -> dict[str, bytes]:
        """The registry schemas that the catalogues ask for and no published file is yet, under the next numbers."""
        known = {**published_files(), **self.published}
        wanted = {FAMILIES[kind]: text(catalogue).encode() for kind, catalogue in self.catalogues.items()}
        return {
            next_name(family, known): content
            for family, content in wanted.items()
            if known[newest_name(family, known)] != content
        }


def installed(folder: Path | None) -> Installed:
    """What a process goes by: what is shipped, and what the site's folder adds where one is named."""
    if folder is None:
        return shipped()
    site = read(folder)
    if not site.built:
        raise SettingsError(say("schemas.not_built", folder=folder))
    return with_site(site.published, site.catalogues)


def read(folder: Path) -> Site:
    """The folder as it is; raises `SettingsError` with every fault in it."""
    files, lock = _files(folder), _lock(folder)
    _refuse(folder, _altered(files, lock))
    made = {name for name in files if name.startswith(_REGISTRY)}
    record_types = {name: content for name, content in files.items() if name not in made}
    _refuse(folder, lint.faults_of_files(record_types, made))
    extensions = _extensions(folder)
    _refuse(folder, lint.faults_of_extensions(extensions))
    merged = {kind: shipped_.extended(extensions[kind]) for kind, shipped_ in catalogues().items()}
    _refuse(folder, lint.faults_of_statements(record_types, extensions, merged))
    published = {name: content for name, content in files.items() if name in lock}
    return Site(folder, record_types, published, frozenset(made - set(lock)), merged)


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise SettingsError(say("schemas.no_folder", folder=folder))
    avro = folder / "avro"
    here = (str(file.relative_to(folder)) for file in avro.rglob("*.avsc"))
    _refuse(folder, (Fault(file, (), "schemas.file_name", {}) for file in here if file.count("/") != 2))
    try:
        return files_in(avro) if avro.is_dir() else {}
    except OSError as exc:
        raise SettingsError(say("schemas.out_of_reach", place=exc.filename, reason=exc.strerror)) from exc


def _lock(folder: Path) -> Mapping[str, str]:
    file = folder / LOCK
    try:
        return locked(file.read_text("utf-8")) if file.is_file() else {}
    except ValueError as exc:
        raise SettingsError(say("schemas.bad_lock", place=file)) from exc


def _altered(files: Mapping[str, bytes], lock: Mapping[str, str]) -> Iterator[Fault]:
    for name, published in lock.items():
        if name not in files:
            yield Fault(lint.file_of(name), (), "schemas.gone", {})
        elif digest(files[name]) != published:
            following = next_name(name.rpartition("-")[0], files)
            yield Fault(lint.file_of(name), (), "schemas.edited", {"next": following})


def _extensions(folder: Path) -> dict[str, Extension]:
    found = {file.stem: file for file in sorted((folder / "catalogue").glob("*.y*ml"))}
    known = [f"{kind}.yaml" for kind in KINDS]
    strange, told = (file.name for file in found.values() if file.name not in known), {"hint": ", ".join(known)}
    _refuse(folder, (Fault(f"catalogue/{name}", (), "schemas.catalogue_unknown", told) for name in strange))
    return {kind: _extension(found[kind]) if kind in found else Extension() for kind in KINDS}


def _extension(file: Path) -> Extension:
    data, lines = load_yaml(file)
    return validated(Extension, data, lines, file)


def _refuse(folder: Path, faults: Iterable[Fault]) -> None:
    """Say every fault there is; nothing where there is none."""
    told = [
        say(f.code, **{"place": _at(folder / f.file, f.place), "field": _dotted(f.place), **f.fields}) for f in faults
    ]
    if told:
        raise SettingsError("\n".join(told))


def _dotted(place: lint.Place) -> str:
    return ".".join(map(str, place))


def _at(file: Path, place: lint.Place) -> str:
    """File and line; the file alone where a fault is about the whole of it."""
    lines = _lines(file) if place else {}
    return f"{file}:{line_of(place, lines)}" if lines else str(file)


def _lines(file: Path) -> Lines:
    """Where everything in a file stands. JSON is YAML but for odd spacing: a file written so is told without lines."""
    try:
        return load_yaml(file)[1]
    except SettingsError:
        return {}
