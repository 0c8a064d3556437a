"""The item model: what an item file may say, checked where it comes in."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, PrivateAttr, StringConstraints, ValidationInfo, model_validator

from approval.items.checking import MONTHS, Known, attribute_of, check, knows, part_type
from approval.items.predicates import Frozen, Predicate
from schemas.catalogue import catalogues

Kind = Literal["legal_person", "natural_person"]

APPLICATION = "application"
COUNT = "count"  # told of a list of paid months: how many, and not which


def _a_day_of_every_year(text: str) -> str:
    try:
        if text != APPLICATION:
            date.fromisoformat(f"2001-{text}")
    except ValueError:
        raise ValueError("write application, or a day that every year has as MM-DD") from None
    return text


Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]


class Alternative(Frozen):
    """Predicates that prove the requirement together."""

    all_of: tuple[Predicate, ...] = Field(min_length=1)


class Said(Frozen):
    """A sentence for people, in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class LegalBasis(Frozen):
    """The rule that asks for the material; cited only where somebody has read it."""

    text: str
    source: str | None = Field(None, description="Where the text was read.")
    unconfirmed: Literal[True] | None = Field(None, description="Nobody has read the source yet.")

    @model_validator(mode="after")
    def _cited_or_marked(self) -> Self:
        if (self.source is None) == (self.unconfirmed is None):
            raise ValueError("give a source, or mark it unconfirmed: true")
        return self


class Material(Frozen):
    """One paper an applicant would bring, and what would make it unnecessary."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_zh: str
    name_en: str
    subject: str = Field("applicant", description="Role of the subject it speaks of.")
    requirement_zh: str = Field(description="What the paper proves.")
    requirement_en: str
    any_of: tuple[Alternative, ...] = Field(
        (), description="Any one of these is enough; tried in this order, and none is looked at once one has proved."
    )
    not_shared: Said | None = Field(None, description="Why no fact can prove it: the paper is always asked for.")
    authorities: tuple[str, ...] = Field((), description="Departments whose word is accepted.")
    max_age: timedelta | None = Field(
        None, gt=timedelta(0), description="Facts confirmed longer ago than this are stale (P1D)."
    )
    evidence_date: Annotated[str, AfterValidator(_a_day_of_every_year)] = Field(
        APPLICATION,
        description="The day on which facts must hold: application, or a fixed day of the year as MM-DD.",
    )
    unreadable_allowed: int = Field(
        0, ge=0, description="Above this many refused rows of unknown subject, absence is not said."
    )
    discloses: tuple[str, ...] = Field(
        (),
        description="What may be shown: attribute, attribute.part, attribute.count (of months); of another role than "
        "the material's own with its name before it. All else stays inside.",
    )
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

    def role_of(self, predicate: Predicate) -> str:
        """Whom the predicate speaks of."""
        return predicate.subject or self.subject

    def name_of(self, role: str, attribute: str, part: str | None = None) -> str:
        """What `discloses` calls it."""
        own = [] if role == self.subject else [role]
        return ".".join([*own, attribute, *([] if part is None else [part])])

    def tells(self, name: str) -> bool:
        """Whether what is so called may be shown: by itself, or with the whole of its attribute."""
        return name in self.discloses or name.rpartition(".")[0] in self.discloses


class Named(NamedTuple):
    """What a name in `discloses` stands for."""

    role: str
    kind: Kind
    attribute: str
    part: str | None


class Item(Frozen):
    """One item (事项) of a department."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    name_zh: str
    name_en: str
    department: str
    subjects: Mapping[str, Kind] = Field(description="Roles to kinds of subject; whoever asks names each by a number.")
    found: Mapping[str, Kind] = Field(
        default_factory=dict, description="Roles of subjects that facts of the others name; nobody has to give them."
    )
    sources: Mapping[str, tuple[Source, ...]] = Field(
        default_factory=dict,
        description="By attribute, the sources that state it: silence means nothing before each was heard of. Where "
        "a department has several, hearing of one of them is not enough.",
    )
    materials: tuple[Material, ...] = Field(min_length=1)
    _catalogues: Known = PrivateAttr(default_factory=catalogues)

    @property
    def catalogues(self) -> Known:
        """What it was checked against, and is decided and worded by."""
        return self._catalogues

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every role with its kind."""
        return {**self.subjects, **self.found}

    def named(self, material: Material, name: str) -> Named:
        """What a name in a material's `discloses` stands for; ValueError: nothing."""
        first, _, rest = name.partition(".")
        role, path = (first, rest) if first in self.kinds else (material.subject, name)
        attribute, _, part = path.partition(".")
        kind = self.kinds[role]
        described = attribute_of(self._catalogues, kind, attribute)
        if part:
            part_type(described, MONTHS if part == COUNT else part)
        return Named(role, kind, attribute, part or None)

    @model_validator(mode="after")
    def _speaks_of_known_things(self, info: ValidationInfo) -> Self:
        self._catalogues = info.context or self._catalogues
        ids = [material.id for material in self.materials]
        if len(ids) != len(set(ids)):
            raise ValueError("two materials have the same id")
        if set(self.subjects) & set(self.found):
            raise ValueError("a role stands in subjects and in found")
        for role in self.kinds:
            if any(knows(self._catalogues, kind, role) for kind in self.kinds.values()):
                raise ValueError(f"the role {role} is called like an attribute: discloses could not tell them apart")
        for attribute in self.sources:
            if not any(knows(self._catalogues, kind, attribute) for kind in self.kinds.values()):
                raise ValueError(f"sources: the catalogue has no attribute {attribute}")
        for material in self.materials:
            try:
                self._check(material)
            except ValueError as exc:
                raise ValueError(f"material {material.id}: {exc}") from exc
        return self

    def _check(self, material: Material) -> None:
        for role in (material.subject, *(material.role_of(predicate) for predicate in material.predicates)):
            if role not in self.subjects:
                raise ValueError(f"subjects names no role {role}")
        for predicate in material.predicates:
            kind = self.subjects[material.role_of(predicate)]
            check(predicate, self._catalogues, kind, self.kinds, material.authorities)
        for name in material.discloses:
            role, _, attribute, part = self.named(material, name)
            if name != material.name_of(role, attribute, part):
                raise ValueError(f"discloses: write {material.name_of(role, attribute, part)} for {name}")
