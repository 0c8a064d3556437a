"""The attribute catalogue (一数一源): which attributes exist, and who is the authority for each.

One YAML per subject kind, read by data stewards as it stands. A site extends it: by attributes of its own, and
by authorities for those there are.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StringConstraints, model_validator

KINDS = ("legal_person", "natural_person")


class OnLoss(StrEnum):
    """What becomes of an attribute when its authority's row is gone."""

    UNKNOWN = "unknown"
    FALL_BACK = "fall_back"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Authority(_Frozen):
    """One department's tier for one attribute, and the period in which it holds."""

    department: str = Field(description="Folder name of the department.")
    tier: PositiveInt = Field(description="1 speaks first.")
    since: date | None = Field(None, alias="from", description="First day; none: always has.")
    until: date | None = Field(None, alias="to", description="Day from which it no longer may; none: open.")

    def holds(self, day: date | None) -> bool:
        """Whether a claim that takes effect on `day` (none: earlier than any date) falls into the period."""
        if day is None:
            return self.since is None
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Sensitivity = Literal["public", "internal", "personal", "sensitive"]
Equal = Literal["text", "code", "exact"]
# Comparing reads a value as what it is: a code by its canonical form, a day as it stands.
_COMPARED: Mapping[str, tuple[Equal, ...]] = {"text": ("text", "exact"), "code": ("code",), "date": ("exact",)}


def _require_comparable(type_: str, equal: Equal | None) -> None:
    if equal is not None and type_ in _COMPARED and equal not in _COMPARED[type_]:
        raise ValueError(f"a {type_} is compared as {' or '.join(_COMPARED[type_])}: give equal so")


class Member(_Frozen):
    """One part of the value of a `record` attribute."""

    name: Name
    doc: str
    type: Literal["text", "code", "date"]
    equal: Equal = Field("exact", description="How two of it are compared.")
    sensitivity: Sensitivity

    @model_validator(mode="after")
    def _is_comparable(self) -> Self:
        _require_comparable(self.type, self.equal)
        return self


class Attribute(_Frozen):
    """One attribute of a subject kind."""

    name: Name
    doc: str
    type: Literal["text", "code", "date", "record"]
    cardinality: Literal["one", "many"] = Field("one", description="many: a list of facts, past and coming ones too.")
    fields: tuple[Member, ...] = Field((), description="What a record value is made of.")
    key: tuple[Name, ...] = Field(
        (), description="For many: fields that tell two elements apart; none: each row states one of its own."
    )
    equal: Equal | None = Field(None, description="How two values are compared; a record by its fields.")
    group: str | None = Field(None, description="Attributes of a group are taken from one record.")
    sensitivity: Sensitivity = Field(description="Of the attribute; a record's fields have their own beside it.")
    share: Literal["unconditional", "conditional", "none"]
    on_authority_loss: OnLoss = OnLoss.UNKNOWN
    authority: tuple[Authority, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [field.name for field in self.fields]
        if (self.type == "record") != bool(names) or (self.type == "record") == (self.equal is not None):
            raise ValueError("a record has fields, everything else says how it is equal")
        _require_comparable(self.type, self.equal)
        if len(names) != len(set(names)) or not set(self.key) <= set(names):
            raise ValueError("fields stand once each, and the key is of them")
        if self.cardinality == "many" and (self.type != "record" or self.group):
            raise ValueError("many is for records, and stands in no group")
        return self

    def tier(self, department: str, day: date | None) -> int | None:
        """The department's tier for a claim that takes effect on `day`; none: it may not speak."""
        return next((a.tier for a in self.authority if a.department == department and a.holds(day)), None)

    def place(self, department: str) -> int:
        """Where the department stands among the authorities: breaks ties inside a tier."""
        return next((i for i, a in enumerate(self.authority) if a.department == department), len(self.authority))


class Catalogue(_Frozen):
    """All attributes of one subject kind."""

    kind: Literal["legal_person", "natural_person"]
    topic: str
    attributes: tuple[Attribute, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [attribute.name for attribute in self.attributes]
        if len(names) != len(set(names)):
            raise ValueError("an attribute stands twice")
        return self

    def extended(self, extension: "Extension") -> "Catalogue":
        """This catalogue with what a site adds, behind what stands here."""
        there = (
            attribute.model_copy(update={"authority": attribute.authority + extension.authority[attribute.name]})
            if attribute.name in extension.authority
            else attribute
            for attribute in self.attributes
        )
        return Catalogue(kind=self.kind, topic=self.topic, attributes=(*there, *extension.attributes))


class Extension(_Frozen):
    """What a site adds to the catalogue of one subject kind."""

    attributes: tuple[Attribute, ...] = Field((), description="Attributes that are not shipped.")
    authority: Mapping[Name, Annotated[tuple[Authority, ...], Field(min_length=1)]] = Field(
        default_factory=dict, description="Further authorities of shipped attributes, by attribute."
    )


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """The shipped catalogues by kind; what a process goes by comes from `schemas.installed`."""
    here = resources.files(__package__)
    return {
        kind: Catalogue.model_validate(yaml.safe_load((here / f"{kind}.yaml").read_text("utf-8"))) for kind in KINDS
    }


def departments(all_of: Iterable[Catalogue]) -> list[str]:
    """Every department that is an authority for something."""
    return sorted({a.department for c in all_of for attribute in c.attributes for a in attribute.authority})
