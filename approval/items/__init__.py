"""Items (事项) as data: which materials an item asks for, and which facts make one fall away.

One YAML file per item, read by the people who answer for it. A material is either decided (`any_of`: sets of
predicates, each set enough by itself, tried in this order) or `not_shared`: no department supplies what would
prove it. What predicates can say stands in `approval.items.predicates`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from approval.items.checking import Known
from approval.items.item import COUNT, Alternative, Item, Kind, LegalBasis, Material, Named, Said
from approval.items.predicates import Predicate
from process.errors import SettingsError
from process.messages import say
from process.settings import load_yaml, validated

__all__ = [
    "COUNT",
    "SHIPPED",
    "Alternative",
    "Item",
    "Kind",
    "LegalBasis",
    "Material",
    "Named",
    "Predicate",
    "Said",
    "every",
    "find",
    "read",
]

SHIPPED: Final = Path(__file__).parent


def read(file: Path, known: Known | None = None) -> Item:
    """The item a file holds; what is wrong with it is said with line and field. `known`: None for what is shipped."""
    data, lines = load_yaml(file)
    return validated(Item, data, lines, file, known)


def every(folders: tuple[Path, ...] = (SHIPPED,), known: Known | None = None) -> Mapping[str, Item]:
    """Every item by name, the folder that is looked into first speaking for it."""
    files = {file.stem: file for folder in reversed(folders) for file in folder.glob("*.yaml")}
    return {name: read(files[name], known) for name in sorted(files)}


def find(item: str, folders: tuple[Path, ...] = (SHIPPED,), known: Known | None = None) -> Item:
    """The item of that name; the file is called like it."""
    for folder in folders:
        if (file := folder / f"{item}.yaml").is_file():
            return read(file, known)
    names = sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
    raise SettingsError(say("approval.unknown_item", item=item, known=", ".join(names)))
