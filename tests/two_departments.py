"""Two departments whose tables both stand in databases: the smallest district in which somebody disagrees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import connectors
from deploy.installation import Installation

MARKET, TAX = "market_supervision", "local_tax"
SOURCES = {MARKET: "market_supervision.enterprise", TAX: "local_tax.taxpayer"}
"""The one source of each department."""


def urls(folder: Path) -> dict[str, str]:
    """A SQLite database for each department."""
    return {department: f"sqlite:///{folder / department}.db" for department in SOURCES}


def environ(databases: Mapping[str, str]) -> dict[str, str]:
    """What the sources' files ask for."""
    return {"MARKET_URL": databases[MARKET], "TAX_URL": databases[TAX]}


def installation(
    folder: Path, brokers: str, prefix: str, partitions: int, databases: Mapping[str, str], **more: Any
) -> Installation:
    """An installation over these databases, its settings written."""
    there = Installation(folder, brokers, prefix, partitions, environ(databases), **more)
    by_database(there.own_sources)
    there.write()
    return there


def by_database(folder: Path) -> None:
    """In a folder of a site's own sources: the tax office's files as the table they are made from."""
    shipped = Path(connectors.__file__).parent / "departments" / TAX / "taxpayer.yaml"
    own = folder / TAX / "taxpayer.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    said = yaml.safe_load(shipped.read_text("utf-8"))
    said["read"] = {"sql": {"url": "${TAX_URL}", "table": "dj_nsrxx"}}
    own.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
