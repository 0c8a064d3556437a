"""Policies: a site's folder is built once for each change, and only what changes no entry is activated."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from exchange import control, provision
from exchange.control import Policy
from exchange.owner import OtherPolicyError
from exchange.policy import extension
from process.errors import SettingsError
from process.site import installed
from schemas import entry
from schemas.catalogue import Attribute, Catalogue, Extension, catalogues
from schemas.codec import contract
from schemas.installed import Installed, shipped, since, with_site
from schemas.subjects import DistrictKey
from schemas.topics import all_topics
from tests.exchange.examples import few
from tests.exchange.histories import Said, histories, ticks
from tests.exchange.log import Log
from tests.exchange.memory import PREFIX, Exchange
from tests.exchange.publishing import AUDIT
from tests.sites import built, example
from transport.client import Outgoing

KINDS = ("legal_person", "natural_person")
SHIPPED = Policy(shipped().policy, shipped().policy_text)
FLATS = {
    "name": "flats",
    "doc": "Flats it lets (出租房屋)",
    "type": "text",
    "equal": "text",
    "sensitivity": "public",
    "share": "none",
    "authority": [{"department": "housing", "tier": 1}],
}


def extended(*attributes: dict[str, Any], **authority: Any) -> Installed:
    """What is shipped, with this laid over the catalogue of legal persons."""
    added = Extension.model_validate({"attributes": attributes, "authority": authority})
    merged = {**catalogues(), "legal_person": catalogues()["legal_person"].extended(added)}
    return with_site({"registry/legal-person-3": entry.text(merged["legal_person"]).encode()}, merged)


WITH_FLATS = extended(FLATS)


# --- building --------------------------------------------------------------------------------------------------------
def test_building_publishes_the_record_types_and_the_entry_they_make_and_then_nothing_more(tmp_path: Path) -> None:
    site = example(tmp_path)

    assert site.build() == ["housing/lease-1", "registry/natural-person-3"]
    files = site.files()
    assert site.build() == []
    assert site.files() == files
    assert "avro/registry/legal-person-3.avsc" not in files


def test_a_changed_catalogue_is_the_next_number_and_the_one_before_stays(tmp_path: Path) -> None:
    site = built(tmp_path)
    before = site.files()
    site.change_catalogue(lambda told: told["attributes"][0].update(doc="Leases (租赁)"))

    assert site.build() == ["registry/natural-person-4"]
    kept = "avro/registry/natural-person-3.avsc"
    assert site.files()[kept] == before[kept]
    assert [form.name for form in installed(site.path).forms["natural_person"]] == [
        "registry/natural-person-2",
        "registry/natural-person-3",
        "registry/natural-person-4",
    ]


def test_a_build_that_was_cut_short_is_completed(tmp_path: Path) -> None:
    site = built(tmp_path)
    whole = site.files()
    (site.path / "ids.lock").unlink()

    site.build()

    assert site.files() == whole


def test_a_registry_schema_of_another_hand_is_not_published(tmp_path: Path) -> None:
    site = built(tmp_path)
    stray = site.path / "avro" / "registry" / "natural-person-8.avsc"
    stray.write_text("{}")

    with pytest.raises(SettingsError, match="registry schemas are made by `exchange policy build`"):
        site.build()


def test_a_form_that_held_an_attribute_otherwise_is_never_written_by(tmp_path: Path) -> None:
    site = built(tmp_path)

    def narrower(told: dict[str, Any]) -> None:
        told["attributes"][0]["fields"] = [f for f in told["attributes"][0]["fields"] if f["name"] != "registered_on"]

    site.change_catalogue(narrower)
    (site.path / "ids.lock").write_text(
        "".join(line for line in (site.path / "ids.lock").read_text().splitlines(True) if "lease-1" not in line)
    )
    site.change_lease(lambda lease: lease["fields"].pop())
    site.build()

    forms = [form.name for form in installed(site.path).forms["natural_person"]]
    assert forms == ["registry/natural-person-2", "registry/natural-person-4"]


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    site = example(tmp_path)
    (site.path / "ids.lock").mkdir()

    with pytest.raises(SettingsError, match=r"ids\.lock: this cannot be read or written"):
        site.build()


# --- forms -----------------------------------------------------------------------------------------------------------
def test_an_entry_is_written_by_the_oldest_form_that_can_say_it() -> None:
    both = WITH_FLATS
    silent = {attribute.name: None for attribute in both.catalogues["legal_person"].attributes}

    assert both.form("legal_person", {**silent, "name": {"value": "甲"}}).name == "registry/legal-person-2"
    assert both.form("legal_person", {**silent, "permits": []}).name == "registry/legal-person-2"
    assert both.form("legal_person", {**silent, "flats": {"value": "甲"}}).name == "registry/legal-person-3"


@few
@given(histories, ticks)
def test_what_was_written_before_a_policy_was_extended_is_written_the_same_after(
    history: list[Said], days: list[date]
) -> None:
    def written(by: Installed) -> list[Outgoing]:
        exchange = Exchange(installed=by)
        exchange.take([said.outgoing(3) for said in history])
        for day in days:
            exchange.take(exchange.day(day))
        return exchange.written

    assert written(WITH_FLATS) == written(shipped())


def test_who_began_with_an_older_form_goes_on_writing_what_it_can_say_by_it() -> None:
    first = {kind: [contract()[f"{entry.FAMILIES[kind]}-1"].id] for kind in KINDS}

    begun = since(shipped(), json.dumps({"forms": first}))

    assert [form.name for form in begun.forms["legal_person"]] == ["registry/legal-person-1", "registry/legal-person-2"]
    assert since(shipped(), shipped().policy_text) == since(shipped(), None) == shipped()


# --- what may follow -------------------------------------------------------------------------------------------------
def test_further_attributes_and_authorities_may_be_activated_and_are_named(tmp_path: Path) -> None:
    added = extension(SHIPPED, installed(built(tmp_path).path))

    assert added == ["natural_person.name (housing)", "natural_person.leases (housing)"]
    assert extension(Policy(shipped().policy), WITH_FLATS) == ["legal_person.flats (housing)"]


def test_other_words_about_an_attribute_may_be_activated(tmp_path: Path) -> None:
    site = built(tmp_path)
    before = installed(site.path)
    site.change_catalogue(
        lambda told: told["attributes"][0].update(doc="Other words", share="none", sensitivity="sensitive")
    )
    site.build()

    assert extension(Policy(before.policy, before.policy_text), installed(site.path)) == []


def of(catalogue: Catalogue, **changed: Any) -> Catalogue:
    """The catalogue with something changed in its attribute `flats`."""
    attributes = tuple(
        Attribute.model_validate({**FLATS, **changed}) if attribute.name == "flats" else attribute
        for attribute in catalogue.attributes
    )
    return catalogue.model_copy(update={"attributes": attributes})


HOUSING = {"department": "housing", "tier": 1}
LAND = {"department": "land", "tier": 1}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"type": "code", "equal": "code"}, "legal_person.flats is another here than the one activated"),
        ({"equal": "exact"}, "is another here"),
        ({"group": "household"}, "is another here"),
        ({"on_authority_loss": "fall_back"}, "is another here"),
        ({"authority": [LAND]}, "legal_person.flats: the authorities activated have been changed"),
        ({"authority": [{**HOUSING, "tier": 2}, LAND]}, "the authorities activated"),
        ({"authority": [{**HOUSING, "to": "2026-01-01"}]}, "the authorities activated"),
        ({"authority": [{**HOUSING, "to": "2026-01-01"}, {**HOUSING, "tier": 2, "from": "2026-01-01"}]}, "the authori"),
        ({"name": "dwellings"}, "legal_person.flats is activated, and there is no such attribute here"),
    ],
)
def test_what_could_change_an_entry_is_refused_with_words(changed: dict[str, Any], said: str) -> None:
    before = WITH_FLATS
    after = of(before.catalogues["legal_person"], **changed)
    merged = {**before.catalogues, "legal_person": after}
    files = {"registry/legal-person-3": entry.text(before.catalogues["legal_person"]).encode()}

    with pytest.raises(SettingsError, match=said):
        extension(Policy(before.policy, before.policy_text), with_site(files, merged))


def test_the_order_of_authorities_stays() -> None:
    before = extended({**FLATS, "authority": [HOUSING, LAND]})
    after = extended({**FLATS, "authority": [LAND, {"department": "new", "tier": 1}, HOUSING]})
    between = extended({**FLATS, "authority": [HOUSING, {"department": "new", "tier": 1}, LAND]})
    activated = Policy(before.policy, before.policy_text)

    assert extension(activated, between) == ["legal_person.flats (new)"]
    with pytest.raises(SettingsError, match="put in another order"):
        extension(activated, after)


def test_a_schema_that_entries_may_have_been_written_by_has_to_be_there() -> None:
    before = WITH_FLATS
    number = before.contract["registry/legal-person-3"].id
    file = entry.text(before.catalogues["legal_person"]).replace("Flats it lets", "Flats").encode()
    after = with_site({"registry/legal-person-3": file}, before.catalogues)

    with pytest.raises(SettingsError, match=str(number)):
        extension(Policy(before.policy, before.policy_text), after)


@pytest.mark.parametrize("content", [None, "{}", '{"legal_person": {"kind": "legal_person", "of_later": 1}}'])
def test_a_policy_that_does_not_say_what_it_holds_is_followed_by_none(content: str | None) -> None:
    with pytest.raises(SettingsError, match="is not said, or in words of another version"):
        extension(Policy("f" * 32, content), shipped())


# --- activating ------------------------------------------------------------------------------------------------------
@pytest.fixture
def log() -> Log:
    """A prefix that was begun by what is shipped."""
    made, wanted = Log(), all_topics(PREFIX, 3, shipped().departments)
    provision.apply(made.admin(), provision.plan(wanted, {}), wanted, 1)
    begun = control.generation(3, DistrictKey(bytes(range(32))), AUDIT.fingerprint)
    provision.begin(made, PREFIX, begun, shipped())
    return made


def test_a_policy_is_activated_in_every_partition_once_and_the_one_before_is_remembered(log: Log) -> None:
    both = WITH_FLATS

    assert provision.added(log, PREFIX, shipped()) is None
    assert provision.added(log, PREFIX, both) == ["legal_person.flats (housing)"]
    provision.activate(log, PREFIX, both)

    found = control.read(log, PREFIX, both.contract)
    assert {each.policies for each in found.values()} == {(SHIPPED, Policy(both.policy, both.policy_text))}
    assert control.installation(log, PREFIX, both.contract).policy == both.policy
    assert provision.added(log, PREFIX, both) is None


def test_what_is_activated_is_not_taken_back_by_who_does_not_know_it(log: Log) -> None:
    provision.activate(log, PREFIX, WITH_FLATS)

    with pytest.raises(SettingsError, match=r"legal_person\.flats is activated"):
        provision.added(log, PREFIX, shipped())


def test_nothing_is_added_to_what_was_never_begun() -> None:
    assert provision.added(Log(), PREFIX, WITH_FLATS) is None


@pytest.mark.parametrize("name", ["control/policy-1", "control/policy-2"])
def test_an_owner_goes_on_behind_the_policies_it_knows_of_and_stops_at_another(name: str) -> None:
    exchange = Exchange()
    fields = [field["name"] for field in contract()[name].document["fields"]]

    def activation(policy: str) -> Outgoing:
        told = dict.fromkeys(fields) | {"policy": policy, "activated_by": "topics apply"}
        return control.tick(PREFIX, 0, date.min, contract())._replace(value=contract().encode(name, told))

    assert exchange.take([activation("p")]) == []
    with pytest.raises(OtherPolicyError):
        exchange.take([activation("q")])
