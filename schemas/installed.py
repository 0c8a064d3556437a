"""What is installed: the contract, the catalogues and the policy that one process goes by.

A value, made once when a process starts and handed down: the shipped contract, or that with what a site's folder
adds. The policy is a hash of all that decides how entries are derived and written; two processes that have the
same write the same bytes.

An entry is written by the oldest form that can say it. So further attributes change no entry that has none of
them, and an entry's bytes are told by what is known of the subject, not by when it was last looked at.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from schemas.catalogue import KINDS, Catalogue, catalogues, departments
from schemas.codec import Contract, contract
from schemas.entry import FACTS, FAMILIES
from schemas.files import numbers, published_files
from schemas.shapes import named_types, shape


@dataclass(frozen=True, slots=True)
class Form:
    """A published schema that entries of a kind are written by, and the attributes it can hold."""

    name: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Installed:
    """What one process goes by."""

    contract: Contract
    catalogues: Mapping[str, Catalogue]
    forms: Mapping[str, Sequence[Form]]
    """By subject kind, the oldest first; the newest holds every attribute."""
    policy_text: str
    policy: str

    @property
    def departments(self) -> list[str]:
        """Every department there is."""
        return departments(self.catalogues.values())

    def form(self, kind: str, facts: Mapping[str, Any]) -> Form:
        """The form an entry with these facts is written by."""
        stated = {attribute for attribute, fact in facts.items() if fact}
        return next(form for form in self.forms[kind] if stated <= form.attributes)


@cache
def shipped() -> Installed:
    """What this distribution brings, for who has no folder of its own."""
    return _installed(contract(), catalogues())


def with_site(files: Mapping[str, bytes], merged: Mapping[str, Catalogue]) -> Installed:
    """What is shipped with a site's published files, and the catalogues that the site's are laid over."""
    return _installed(Contract({**published_files(), **files}), merged)


def _installed(known: Contract, merged: Mapping[str, Catalogue]) -> Installed:
    shipped_files = published_files()
    forms = {kind: _forms(kind, known, numbers(FAMILIES[kind], shipped_files)[-1]) for kind in KINDS}
    content: dict[str, Any] = {kind: catalogue.model_dump(mode="json") for kind, catalogue in merged.items()}
    content["forms"] = {kind: [known[form.name].id for form in each] for kind, each in forms.items()}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return Installed(known, merged, forms, text, hashlib.sha256(text.encode()).hexdigest()[:32])


def since(installed: Installed, first_policy_text: str | None) -> Installed:
    """As it is where that policy was activated first: what could be written by its forms still is.

    Without this, a later version of the product would write every entry anew, for it begins with a newer form.
    """
    if first_policy_text is None:
        return installed
    begun: Mapping[str, Sequence[int]] = json.loads(first_policy_text)["forms"]
    names = {installed.contract[name].id: name for name in installed.contract.names()}
    first = {kind: int(names[ids[0]].rpartition("-")[2]) for kind, ids in begun.items()}
    return replace(installed, forms={kind: _forms(kind, installed.contract, first[kind]) for kind in KINDS})


def _forms(kind: str, known: Contract, first: int) -> tuple[Form, ...]:
    """The form of that number and every later one that writes what it can say as the newest does."""
    names = [f"{FAMILIES[kind]}-{number}" for number in numbers(FAMILIES[kind], known.names()) if number >= first]
    parts = {name: _taken_apart(known[name].document) for name in names}
    around, facts = parts[names[-1]]
    return tuple(
        Form(name, frozenset(own))
        for name, (own_around, own) in parts.items()
        if own_around == around and own.items() <= facts.items()
    )


def _taken_apart(document: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The shape of an entry without its facts, and of each attribute's."""
    types = named_types(document)
    facts = types.pop(FACTS)["fields"]
    rest = [field for field in document["fields"] if field["name"] != "facts"]
    return shape({**document, "fields": rest}, types), {field["name"]: shape(field["type"], types) for field in facts}
