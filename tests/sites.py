"""The site that is shipped as an example, to be changed and spoilt: a copy in a folder of the test's own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exchange.policy import build

EXAMPLE = Path(__file__).parents[1] / "deploy" / "site"


@dataclass(frozen=True, slots=True)
class Folder:
    """A site's folder."""

    path: Path

    @property
    def lease(self) -> Path:
        return self.path / "avro" / "housing" / "lease-1.avsc"

    @property
    def catalogue(self) -> Path:
        return self.path / "catalogue" / "natural_person.yaml"

    def build(self) -> list[str]:
        return build(self.path)

    def change_lease(self, change: Callable[[dict[str, Any]], object], name: str = "lease-1") -> None:
        """The record type with something changed in it, under this name."""
        document = json.loads(self.lease.read_text("utf-8"))
        change(document)
        text = json.dumps(document, ensure_ascii=False, indent=1)
        self.lease.with_name(f"{name}.avsc").write_text(text, "utf-8")

    def change_catalogue(self, change: Callable[[dict[str, Any]], object]) -> None:
        document = yaml.safe_load(self.catalogue.read_text("utf-8"))
        change(document)
        self.catalogue.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")

    def files(self) -> dict[str, bytes]:
        """Everything in it, by where it lies."""
        found = (file for file in self.path.rglob("*") if file.is_file())
        return {str(file.relative_to(self.path)): file.read_bytes() for file in found}


def example(folder: Path) -> Folder:
    """A copy of the example that is still to be built."""
    return Folder(Path(shutil.copytree(EXAMPLE, folder / "site")))


def built(folder: Path) -> Folder:
    """A copy of the example as its processes read it."""
    made = example(folder)
    made.build()
    return made
