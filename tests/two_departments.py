"""Two departments whose tables both stand in databases: the smallest district in which somebody disagrees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    there.write()
    return there
