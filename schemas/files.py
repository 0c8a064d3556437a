"""Published files: where they lie, the ids their content gives them, and the lock that holds them as they are.

A published file is never edited. `ids.lock` lists each with its digest, so an edited one is told; the id is
made from the content alone, so a file may be called by another number and what it wrote stays readable.
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable

LOCK = "ids.lock"
_SUFFIX = ".avsc"


def published_files() -> dict[str, bytes]:
    """Every .avsc file of this distribution by name, like `local_tax/taxpayer-1`."""
    return files_in(resources.files("schemas").joinpath("avro"))


def files_in(avro: Traversable) -> dict[str, bytes]:
    """Every .avsc file in the folders of a folder, by the name of its folder and its own."""
    folders = (folder for folder in avro.iterdir() if folder.is_dir())
    found = ((folder, file) for folder in folders for file in folder.iterdir() if file.name.endswith(_SUFFIX))
    return dict(
        sorted((f"{folder.name}/{file.name.removesuffix(_SUFFIX)}", file.read_bytes()) for folder, file in found)
    )


def folder_of(name: str) -> str:
    """The folder a published file lies in: the department, for a record type."""
    return name.partition("/")[0]


def schema_id(content: bytes) -> int:
    """The id a file is known by on the wire: the first 31 bits of its SHA-256."""
    return int.from_bytes(hashlib.sha256(content).digest()[:4], "big") >> 1


def digest(content: bytes) -> str:
    """What the lock holds of a file's content."""
    return hashlib.sha256(content).hexdigest()


def lock_text(files: Mapping[str, bytes]) -> str:
    """What `ids.lock` has to hold: id, SHA-256 and name of every published file, by name."""
    return "".join(f"{schema_id(files[name]):>10} {digest(files[name])} {name}\n" for name in sorted(files))


def locked(text: str) -> dict[str, str]:
    """The digest of every file a lock lists, by name; raises ValueError for a line that is none."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {name: told for _id, told, name in rows}


def newest_name(family: str, names: Iterable[str]) -> str:
    """The name with the highest number: `registry/legal-person` gives `registry/legal-person-2`."""
    return f"{family}-{numbers(family, names)[-1]}"


def next_name(family: str, names: Iterable[str]) -> str:
    """The name behind that, whose number nothing has yet."""
    return f"{family}-{numbers(family, names)[-1] + 1}"


def numbers(family: str, names: Iterable[str]) -> list[int]:
    """The numbers a family has, the smallest first."""
    found = (name.removeprefix(f"{family}-") for name in names if name.startswith(f"{family}-"))
    return sorted(int(number) for number in found if number.isdigit())
