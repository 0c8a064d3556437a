"""What every department owes to who reads it, shipped or a site's own: a new one is covered by being there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors import shipped as shipped_sources
from connectors.mapping import Source, load
from process import site
from schemas import lint
from schemas.catalogue import KINDS
from schemas.codec import feeds_of
from schemas.files import folder_of
from schemas.installed import Installed, shipped
from tests.sites import EXAMPLE, built

SHIPPED = sorted({folder_of(name) for name in lint.shipped_types()})
OWN = sorted(folder.name for folder in (EXAMPLE / "avro").iterdir())


@dataclass(frozen=True)
class Department:
    """One department: its record types, the files of its sources, and what its processes go by."""

    name: str
    types: dict[str, dict[str, Any]]
    files: dict[str, Path]
    installed: Installed

    def sources(self) -> list[Source]:
        return [load(file, _addresses(file), self.installed.contract) for file in self.files.values()]


def _addresses(file: Path) -> dict[str, str]:
    """Something for every variable the file asks for."""
    return dict.fromkeys(re.findall(r"\$\{(\w+)\}", file.read_text("utf-8")), "sqlite:////nowhere.db")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site, built."""
    return built(tmp_path_factory.mktemp("departments")).path


@pytest.fixture(params=[*SHIPPED, *OWN])
def department(request: pytest.FixtureRequest, own: Path) -> Department:
    name = request.param
    by = site.installed(own) if name in OWN else shipped()
    names = [each for each in by.contract.names() if by.contract[each].department == name]
    files = shipped_sources.files(own / site.SOURCES if name in OWN else None)
    return Department(
        name,
        {each: by.contract[each].document for each in names},
        {source: file for source, file in files.items() if source.split(".")[0] == name},
        by,
    )


def test_its_record_types_have_the_form_that_all_have(department: Department) -> None:
    types, others = department.types.items(), lint.shipped_types()

    assert [fault for name, document in types for fault in lint.faults_of_record_type(name, document, others)] == []


def test_its_record_types_speak_to_attributes_there_are_and_that_it_is_an_authority_for(department: Department) -> None:
    types, merged = department.types.items(), department.installed.catalogues

    assert [fault for name, document in types for fault in lint.faults_of_feeds(name, document, merged)] == []


def test_it_states_whatever_it_is_an_authority_for(department: Department) -> None:
    stated = {
        (document["subject"], feed.attribute)
        for document in department.types.values()
        for feed in feeds_of(document["fields"])
    }
    named = {
        (kind, attribute.name)
        for kind in KINDS
        for attribute in department.installed.catalogues[kind].attributes
        if any(authority.department == department.name for authority in attribute.authority)
    }

    assert named == stated


def test_its_sources_are_called_as_they_are_filed_and_write_its_own_record_types(department: Department) -> None:
    sources = department.sources()

    assert [source.name for source in sources] == list(department.files)
    assert {source.department for source in sources} <= {department.name}
    assert set(_written(sources)) <= set(department.types)


def test_every_record_type_of_it_has_a_source(department: Department) -> None:
    assert set(department.types) - set(_written(department.sources())) == set()


def _written(sources: list[Source]) -> Iterator[str]:
    return (part.type for source in sources for part in source.mapping.records)
