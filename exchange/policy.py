"""Policies: what `exchange policy build` makes of a site's folder, and which policy may follow the activated one.

Activating derives nothing anew. So only a policy that extends the activated one may follow it: further attributes,
and authorities that are new to an attribute. No record that is there speaks to what is new, for a record type may
only feed what its department is an authority for; so no entry that is there can change.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from exchange.control import Policy
from process.errors import SettingsError
from process.messages import say
from process.site import read
from schemas.catalogue import KINDS, Attribute, Catalogue
from schemas.files import LOCK, lock_text
from schemas.installed import Installed, shipped, with_site
from schemas.lint import file_of

# What is told of a value, beside the value: none of it decides anything.
_TOLD = {"doc", "sensitivity", "share"}


# --- building --------------------------------------------------------------------------------------------------------
def build(folder: Path) -> list[str]:
    """Write what the folder lacks, registry schemas and `ids.lock`; gives the files that are published now."""
    site = read(folder)
    made = site.lacking()
    for name in sorted(site.loose - set(made)):
        raise SettingsError(say("schemas.loose", place=folder / file_of(name)))
    whole = {**site.published, **site.record_types, **made}
    coming = sorted(set(whole) - set(site.published))
    if coming:
        with_site(whole, site.catalogues)  # what no process could go by is not published
        for name, content in made.items():
            _write(folder / file_of(name), content)
        # Last: only then is anything published.
        _write(folder / LOCK, lock_text(whole).encode())
    return coming


def _write(file: Path, content: bytes) -> None:
    coming = file.with_name(f".{file.name}.coming")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        coming.write_bytes(content)
        coming.replace(file)
    except OSError as exc:
        raise SettingsError(say("schemas.out_of_reach", place=file, reason=exc.strerror)) from exc


# --- activating ------------------------------------------------------------------------------------------------------
def extension(activated: Policy, installed: Installed) -> list[str]:
    """What the installed policy adds to the activated one; raises `SettingsError` where it does anything else."""
    content, before = _content(activated)
    told = [say(code, **fields) for code, fields in _breaches(before, installed.catalogues)]
    known = {installed.contract[name].id for name in installed.contract.names()}
    missing = [str(number) for ids in content["forms"].values() for number in ids if number not in known]
    if missing:
        told.append(say("exchange.policy_schema_gone", ids=", ".join(missing)))
    if told:
        raise SettingsError("\n".join(told))
    return list(_added(before, installed.catalogues))


def _content(activated: Policy) -> tuple[dict[str, Any], dict[str, Catalogue]]:
    text = shipped().policy_text if activated.hash == shipped().policy else activated.content
    try:
        content = json.loads(text or "{}")
        return content, {kind: Catalogue.model_validate(content[kind]) for kind in KINDS}
    except (KeyError, ValidationError) as exc:
        raise SettingsError(say("exchange.policy_unknown", policy=activated.hash)) from exc


def _breaches(
    before: Mapping[str, Catalogue], after: Mapping[str, Catalogue]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Whatever could change an entry that is there."""
    for kind, catalogue in before.items():
        known = {attribute.name: attribute for attribute in after[kind].attributes}
        for attribute in catalogue.attributes:
            told = {"attribute": f"{kind}.{attribute.name}"}
            if attribute.name not in known:
                yield "exchange.policy_attribute_gone", told
            elif _deciding(attribute) != _deciding(known[attribute.name]):
                yield "exchange.policy_attribute_changed", told
            elif _kept(attribute, known[attribute.name]) != attribute.authority:
                yield "exchange.policy_authority_changed", told


def _deciding(attribute: Attribute) -> dict[str, Any]:
    """All that decides what the attribute's facts are, but for who is an authority."""
    dumped = attribute.model_dump(exclude=_TOLD | {"authority"})
    fields = [{word: value for word, value in field.items() if word not in _TOLD} for field in dumped["fields"]]
    return {**dumped, "fields": fields}


def _kept(before: Attribute, after: Attribute) -> tuple[object, ...]:
    """What the authorities there were have become."""
    there = {authority.department for authority in before.authority}
    return tuple(authority for authority in after.authority if authority.department in there)


def _added(before: Mapping[str, Catalogue], after: Mapping[str, Catalogue]) -> Iterator[str]:
    for kind, catalogue in after.items():
        known = {attribute.name: attribute for attribute in before[kind].attributes}
        for attribute in catalogue.attributes:
            there = {a.department for a in known[attribute.name].authority} if attribute.name in known else set()
            new = sorted({a.department for a in attribute.authority} - there)
            if new:
                yield f"{kind}.{attribute.name} ({', '.join(new)})"
