"""Items (事项) as data: which materials an item asks for, and which facts make one fall away.

One YAML file per item, read by the people who answer for it. A material is either decided (`any_of`: sets of
predicates, each set enough by itself) or `not_shared`: no department supplies what would prove it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from process.errors import SettingsError
from process.messages import say
from process.settings import load_yaml, validated
from schemas.catalogue import Attribute, catalogues

SHIPPED = Path(__file__).parent

Kind = Literal["legal_person", "natural_person"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Predicate(_Frozen):
    """What one fact has to say: one attribute and exactly one comparison."""

    attribute: str = Field(description="Name in the attribute catalogue.")
    present: Literal[True] | None = Field(None, description="There is a value.")
    absent: Literal[True] | None = Field(None, description="It is known that there is none.")
    equals: str | None = Field(None, description="The value, forgiving width, case and spaces.")
    one_of: tuple[str, ...] | None = Field(None, alias="in", min_length=1, description="One of these values.")
    contains_any: tuple[str, ...] | None = Field(None, min_length=1, description="At least one of these stands in it.")
    on_or_before: date | None = Field(None, description="A date no later than this.")
    on_or_after: date | None = Field(None, description="A date no earlier than this.")

    @property
    def comparison(self) -> str:
        """The name of the comparison it makes."""
        return next(name for name in _COMPARISONS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _compares_once(self) -> Self:
        if sum(getattr(self, name) is not None for name in _COMPARISONS) != 1:
            raise ValueError(f"give exactly one of: {', '.join(_COMPARISONS.values())}")
        return self


# Field to the name it has in the file.
_COMPARISONS = {
    "present": "present",
    "absent": "absent",
    "equals": "equals",
    "one_of": "in",
    "contains_any": "contains_any",
    "on_or_before": "on_or_before",
    "on_or_after": "on_or_after",
}
_TYPES = {
    "equals": {"text", "code"},
    "one_of": {"text", "code"},
    "contains_any": {"text"},
    "on_or_before": {"date"},
    "on_or_after": {"date"},
}


class Alternative(_Frozen):
    """Predicates that prove the requirement together."""

    all_of: tuple[Predicate, ...] = Field(min_length=1)


class Said(_Frozen):
    """A sentence for people, in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class LegalBasis(_Frozen):
    """The rule that asks for the material; cited only where somebody has read it."""

    text: str
    source: str | None = Field(None, description="Where the text was read.")
    unconfirmed: Literal[True] | None = Field(None, description="Nobody has read the source yet.")

    @model_validator(mode="after")
    def _cited_or_marked(self) -> Self:
        if (self.source is None) == (self.unconfirmed is None):
            raise ValueError("give a source, or mark it unconfirmed: true")
        return self


class Material(_Frozen):
    """One paper an applicant would bring, and what would make it unnecessary."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_zh: str
    name_en: str
    subject: str = Field("applicant", description="Role of the subject it speaks of.")
    requirement_zh: str = Field(description="What the paper proves.")
    requirement_en: str
    any_of: tuple[Alternative, ...] = Field((), description="Any one of these is enough.")
    not_shared: Said | None = Field(None, description="Why no fact can prove it: the paper is always asked for.")
    authorities: tuple[str, ...] = Field((), description="Departments whose word is accepted.")
    max_age: timedelta | None = Field(
        None, gt=timedelta(0), description="Facts confirmed longer ago than this are stale (P1D)."
    )
    evidence_date: Literal["application"] = Field("application", description="The time at which facts must hold.")
    unreadable_allowed: int = Field(
        0, ge=0, description="Above this many refused rows of unknown subject, absence is not said."
    )
    discloses: tuple[str, ...] = Field((), description="Attributes whose values may be shown; all others stay inside.")
    legal_basis: LegalBasis

    @model_validator(mode="after")
    def _decided_or_not_shared(self) -> Self:
        if bool(self.any_of) == (self.not_shared is not None):
            raise ValueError(f"material {self.id}: give any_of, or say in not_shared why nothing can prove it")
        if self.any_of and not (self.authorities and self.max_age):
            raise ValueError(f"material {self.id}: what is decided by facts needs authorities and max_age")
        return self

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """Every predicate, in file order."""
        return tuple(predicate for alternative in self.any_of for predicate in alternative.all_of)


class Item(_Frozen):
    """One item (事项) of a department."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    name_zh: str
    name_en: str
    department: str
    subjects: Mapping[str, Kind] = Field(description="Roles to kinds of subject.")
    materials: tuple[Material, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _speaks_of_known_things(self) -> Self:
        ids = [material.id for material in self.materials]
        if len(ids) != len(set(ids)):
            raise ValueError("two materials have the same id")
        for material in self.materials:
            if material.subject not in self.subjects:
                raise ValueError(f"material {material.id}: subjects names no role {material.subject}")
            _check(material, {a.name: a for a in catalogues()[self.subjects[material.subject]].attributes})
        return self


def _check(material: Material, attributes: Mapping[str, Attribute]) -> None:
    """Refuses what could never be decided: an attribute nobody knows, a comparison that does not fit, no authority."""
    named = [*(predicate.attribute for predicate in material.predicates), *material.discloses]
    for name in named:
        if name not in attributes:
            known = ", ".join(attributes)
            raise ValueError(f"material {material.id}: the catalogue has no attribute {name}; it has {known}")
    for predicate in material.predicates:
        attribute, comparison = attributes[predicate.attribute], predicate.comparison
        if attribute.type not in _TYPES.get(comparison, {attribute.type}):
            misfit = f"{_COMPARISONS[comparison]} does not fit {attribute.name}, which is a {attribute.type}"
            raise ValueError(f"material {material.id}: {misfit}")
        if not {authority.department for authority in attribute.authority} & set(material.authorities):
            raise ValueError(f"material {material.id}: none of its authorities has a say on {attribute.name}")


def read(file: Path) -> Item:
    """The item a file holds; what is wrong with it is said with line and field."""
    data, lines = load_yaml(file)
    return validated(Item, data, lines, file)


def every(folders: tuple[Path, ...] = (SHIPPED,)) -> Mapping[str, Item]:
    """Every item by name, the folder that is looked into first speaking for it."""
    files = {file.stem: file for folder in reversed(folders) for file in folder.glob("*.yaml")}
    return {name: read(files[name]) for name in sorted(files)}


def find(item: str, folders: tuple[Path, ...] = (SHIPPED,)) -> Item:
    """The item of that name; the file is called like it."""
    for folder in folders:
        if (file := folder / f"{item}.yaml").is_file():
            return read(file)
    known = sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
    raise SettingsError(say("approval.unknown_item", item=item, known=", ".join(known)))
