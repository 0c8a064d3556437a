"""A site's folder: whatever is wrong in it is told with file, line and field before anything is built on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from process.errors import SettingsError
from process.messages import catalogue
from process.site import installed, read
from schemas.catalogue import catalogues
from schemas.codec import contract
from schemas.files import published_files
from schemas.installed import shipped
from tests.sites import Folder, built, example

Document = dict[str, Any]


@pytest.fixture
def site(tmp_path: Path) -> Folder:
    return example(tmp_path)


def refused(site: Folder) -> str:
    """The English of what is said of the folder."""
    with pytest.raises(SettingsError) as said:
        read(site.path)
    return "\n".join(str(said.value).splitlines()[::2])


def line(file: Path, text: str) -> int:
    """The first line with that text."""
    return next(number for number, each in enumerate(file.read_text("utf-8").splitlines(), 1) if text in each)


# --- what a process goes by ------------------------------------------------------------------------------------------
def test_who_has_no_folder_goes_by_what_is_shipped() -> None:
    assert installed(None) is shipped()


def test_a_built_folder_adds_its_departments_to_what_is_shipped(tmp_path: Path) -> None:
    both = installed(built(tmp_path).path)

    assert set(both.departments) - set(shipped().departments) == {"housing"}
    assert set(both.contract.names()) - set(contract().names()) == {"housing/lease-1", "registry/natural-person-3"}
    attributes = [attribute.name for attribute in both.catalogues["natural_person"].attributes]
    assert attributes == [attribute.name for attribute in catalogues()["natural_person"].attributes] + ["leases"]
    name = next(each for each in both.catalogues["natural_person"].attributes if each.name == "name")
    assert [authority.department for authority in name.authority][-1] == "housing"
    assert both.policy != shipped().policy


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such folder"):
        installed(tmp_path / "nowhere")


def unbuilt(site: Folder) -> None:
    (site.path / "ids.lock").unlink()


def with_a_loose_schema(site: Folder) -> None:
    (site.path / "avro" / "registry" / "natural-person-9.avsc").write_bytes(b"{}")


def with_another_record_type(site: Folder) -> None:
    site.change_lease(lambda lease: lease.update(doc="Another."), "lease-2")


def with_another_attribute(site: Folder) -> None:
    site.change_catalogue(lambda told: told["attributes"][0].update(doc="Leases in other words (租赁)"))


@pytest.mark.parametrize(
    "change", [unbuilt, with_a_loose_schema, with_another_record_type, with_another_attribute], ids=lambda c: c.__name__
)
def test_a_folder_that_changed_since_it_was_built_is_not_gone_by(
    tmp_path: Path, change: Callable[[Folder], None]
) -> None:
    site = built(tmp_path)
    change(site)

    with pytest.raises(SettingsError, match=f"Run: exchange policy build {re.escape(str(site.path))}"):
        installed(site.path)


# --- what is published stays -----------------------------------------------------------------------------------------
def test_a_published_file_that_was_edited_is_named_with_the_number_that_is_free(tmp_path: Path) -> None:
    site = built(tmp_path)
    site.change_lease(lambda lease: lease.update(doc="Edited."))

    said = refused(site)

    assert said.startswith(f"{site.lease}: this file is published")
    assert "write the change into avro/housing/lease-2.avsc" in said


def test_a_published_file_that_is_gone_is_missed(tmp_path: Path) -> None:
    site = built(tmp_path)
    site.lease.unlink()

    assert refused(site).startswith(f"{site.lease}: this file is published (ids.lock) and is not there")


def test_a_lock_that_is_none_is_refused(site: Folder) -> None:
    (site.path / "ids.lock").write_text("housing/lease-1\n")

    assert "this is no list of published files" in refused(site)


# --- names and ids ---------------------------------------------------------------------------------------------------
MISNAMED = ["Housing/lease-1", "housing/lease", "housing/lease-0", "housing/Lease-1", "lease-1", "a/housing/lease-1"]


@pytest.mark.parametrize("name", MISNAMED)
def test_a_file_is_called_by_department_name_and_number(site: Folder, name: str) -> None:
    file = site.path / "avro" / f"{name}.avsc"
    file.parent.mkdir(parents=True, exist_ok=True)
    site.lease.rename(file)

    assert refused(site).startswith(f"{file}: a record type's file is called avro/<department>")


def test_a_department_is_not_called_as_the_product_calls_its_own(site: Folder) -> None:
    (site.path / "avro" / "housing").rename(site.path / "avro" / "control")

    assert "no department may be called so: control, identity" in refused(site)


def test_a_name_that_is_shipped_too_is_refused(site: Folder) -> None:
    (site.path / "avro" / "housing").rename(site.path / "avro" / "local_tax")
    (site.path / "avro" / "local_tax" / "lease-1.avsc").rename(site.path / "avro" / "local_tax" / "arrears-1.avsc")

    assert "the product ships local_tax/arrears-1 too" in refused(site)


def test_a_registry_schema_whose_name_is_shipped_by_now_is_refused_and_may_be_called_otherwise(tmp_path: Path) -> None:
    site = built(tmp_path)
    made = site.path / "avro" / "registry" / "natural-person-3.avsc"
    lock = site.path / "ids.lock"
    clashing = made.rename(made.with_name("natural-person-2.avsc"))
    lock.write_text(lock.read_text().replace("natural-person-3", "natural-person-2"))

    assert refused(site).startswith(f"{clashing}: the product ships registry/natural-person-2 too")

    clashing.rename(made.with_name("natural-person-7.avsc"))
    lock.write_text(lock.read_text().replace("natural-person-2", "natural-person-7"))
    assert installed(site.path).forms["natural_person"][-1].name == "registry/natural-person-7"


def test_the_content_of_a_shipped_file_is_not_published_twice(site: Folder) -> None:
    site.lease.write_bytes(published_files()["public_security/residence-1"])

    assert "the content, or by chance the id, of public_security/residence-1" in refused(site)


def test_what_cannot_be_read_is_named(site: Folder) -> None:
    site.lease.unlink()
    site.lease.mkdir()

    assert refused(site).startswith(f"{site.lease}: this cannot be read or written")


# --- record types ----------------------------------------------------------------------------------------------------
def fields(lease: Document) -> list[Document]:
    found: list[Document] = lease["fields"]
    return found


def of(name: str) -> Callable[[Document], Document]:
    return lambda lease: next(field for field in fields(lease) if field["name"] == name)


ADDRESS, REGISTERED, FROM = of("address"), of("registered_on"), of("from")


def head(lease: Document) -> list[Document]:
    return fields(fields(lease)[0]["type"])


def code(lease: Document) -> Document:
    found: Document = of("division")(lease)["type"][1]
    return found


def put(of_: Callable[[Document], Document], **changed: Any) -> Callable[[Document], None]:
    return lambda lease: of_(lease).update(changed)


def less(of_: Callable[[Document], Document], word: str) -> Callable[[Document], object]:
    return lambda lease: of_(lease).pop(word)


LEASES = "natural_person.leases"
NAME = of("tenant_name")
TEXTS = ["null", {"type": "array", "items": "string"}]

SPOILT: list[tuple[str, Callable[[Document], object], str]] = [
    ("no subject", lambda d: d.pop("subject"), "whose `subject` is one of legal_person, natural_person"),
    ("a field without doc", put(ADDRESS, doc=" "), "address: a doc is missing"),
    ("a part of the head without doc", lambda d: head(d)[1].pop("doc"), "record_id: a doc is missing"),
    ("a type without doc", less(code, "doc"), "Code: a doc is missing"),
    ("a field without a label", less(ADDRESS, "sensitivity"), "address: a sensitivity is missing"),
    ("an unknown label", put(ADDRESS, sensitivity="secret"), "address: a sensitivity is missing"),
    ("no head", lambda d: fields(d).pop(0), "the first field of a record type is `meta`"),
    ("no field at all", lambda d: d.update(fields=[]), "the first field of a record type is `meta`"),
    ("a head of another kind", lambda d: fields(d)[0].update(type=["null", "string"]), "the first field of a"),
    ("a head with a field less", lambda d: head(d).pop(), "tongban.Meta is another type here"),
    ("a code of another form", lambda d: fields(code(d)).pop(), "tongban.Code is another type here"),
    ("another's name", lambda d: d.update(namespace="tongban.local_tax", name="Taxpayer"), "the name of another type"),
    ("a number", put(ADDRESS, type=["null", "long"]), "address: a field of a record is null or one of string"),
    ("a required field", put(ADDRESS, type="string", default=""), "address: a field of a record is null or one of"),
    ("a list", put(ADDRESS, type=TEXTS), "address: a field of a record is null or one of string"),
    ("feeding nothing", put(ADDRESS, feeds="x.leases.address"), "address: `feeds` names no attribute"),
    ("feeding no part", put(ADDRESS, feeds=LEASES), "address: `feeds` names no attribute"),
    (
        "a day as a text",
        put(ADDRESS, feeds=f"{LEASES}.from"),
        "address: natural_person.leases.from is a date",
    ),
    ("one part twice", put(REGISTERED, feeds=f"{LEASES}.from"), "another field feeds natural_person.leases.from"),
    ("less than all", less(REGISTERED, "feeds"), "states all of it; registered_on is missing"),
    ("too open", put(ADDRESS, sensitivity="sensitive"), "address: this field is more sensitive"),
    ("no authority", put(NAME, feeds="natural_person.household_address"), "housing is no authority for household_addr"),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
def test_a_record_type_that_is_not_whole_is_told_by_its_field(
    site: Folder, change: Callable[[Document], object], said: str
) -> None:
    site.change_lease(change)

    told = refused(site)

    assert told.startswith(str(site.lease))
    assert said in told


def test_a_fault_is_told_with_its_line(site: Folder) -> None:
    site.change_lease(put(ADDRESS, feeds="x.y"))

    assert refused(site).startswith(f"{site.lease}:{line(site.lease, 'x.y')}: address: ")


def test_a_type_that_holds_itself_is_another_type(site: Folder) -> None:
    site.change_lease(lambda lease: fields(code(lease))[0].update(type=["null", "tongban.Code"]))

    assert "tongban.Code is another type here" in refused(site)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "this is no JSON: Expecting property name"),
        ("", "this is no JSON: Expecting value"),
        ("[]", "a record type is a record"),
        ('"string"', "a record type is a record"),
        ('{"type": "record"}', "this is no Avro schema: "),
        ('{"type": "record", "name": "L", "fields": [{"name": "x", "type": "nowhere"}]}', "this is no Avro schema: "),
        ('{"type": "record", "name": "L", "fields": 5}', "this is no Avro schema: "),
        ("[" * 100_000, "this is no "),
    ],
)
def test_a_file_that_is_no_schema_is_told_and_not_stumbled_over(site: Folder, content: str, said: str) -> None:
    site.lease.write_text(content)

    assert refused(site).startswith(f"{site.lease}: {said}")


def test_a_file_with_tabs_is_read_and_told_without_a_line(site: Folder) -> None:
    document = json.loads(site.lease.read_text("utf-8"))
    ADDRESS(document).pop("doc")
    site.lease.write_text(json.dumps(document, indent="\t"), "utf-8")

    assert refused(site) == f"{site.lease}: address: a doc is missing. Say in it, for people, what this is."


def test_everything_that_is_wrong_is_told_at_once(site: Folder) -> None:
    site.change_lease(lambda lease: [ADDRESS(lease).pop("doc"), FROM(lease).pop("sensitivity")])

    assert len(refused(site).splitlines()) == 2


# --- the catalogue ---------------------------------------------------------------------------------------------------
def leases(told: Document) -> Document:
    found: Document = told["attributes"][0]
    return found


def flag(name: str, **changed: Any) -> Document:
    """A plain attribute of the housing office."""
    labels = {"sensitivity": "personal", "share": "conditional"}
    authority = [{"department": "housing", "tier": 1}]
    return {"name": name, "doc": "A word", "type": "text", "equal": "text", **labels, "authority": authority} | changed


PART = {"name": "x", "doc": "X", "type": "text", "sensitivity": "public"}
WORDS = flag("leases_", type="record", equal=None, fields=[PART])


def add(attribute: Document) -> Callable[[Document], None]:
    return lambda told: told["attributes"].append(attribute)


def second(department: str) -> Callable[[Document], None]:
    return lambda told: told["authority"]["name"].append({"department": department, "tier": 4})


UNSOUND: list[tuple[str, Callable[[Document], object], str]] = [
    ("a word nobody knows", lambda d: d.update(attribute=[]), "there is no setting attribute"),
    ("a shipped attribute", put(leases, name="residences"), "attributes.0.name: there is an attribute residences"),
    ("twice", lambda d: add(leases(d))(d), "attributes.1.name: there is an attribute leases already"),
    ("a type of the entry", put(leases, name="member"), "a second type tongban.registry.Member"),
    ("a type of another", add(WORDS), "a second type tongban.registry.Leases"),
    ("a code compared as text", lambda d: leases(d)["fields"][1].update(equal="text"), "a code is compared as code"),
    ("a day compared as text", lambda d: leases(d)["fields"][2].update(equal="text"), "a date is compared as exact"),
    ("no such attribute", lambda d: d["authority"].update(nick=d["authority"]["name"]), "there is no attribute nick"),
    ("no authority", lambda d: d["authority"].update(name=[]), "authority.name"),
    ("a silent authority", add(flag("word")), "attributes.1.authority.0: no record type of housing speaks to"),
    ("a shipped one again", second("public_security"), "what is shipped is not changed"),
    ("a stranger", second("nobody"), "authority.name.1: no record type of nobody speaks to natural_person.name"),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in UNSOUND], ids=[case[0] for case in UNSOUND])
def test_a_catalogue_that_cannot_be_laid_over_the_shipped_one_is_told_with_line_and_field(
    site: Folder, change: Callable[[Document], object], said: str
) -> None:
    site.change_catalogue(change)

    told = refused(site)

    assert re.match(rf"{re.escape(str(site.catalogue))}:\d+: ", told)
    assert said in told


@pytest.mark.parametrize("name", ["natural-person.yaml", "natural_person.yml", "person.yaml"])
def test_a_catalogue_under_a_name_that_nobody_reads_is_told(site: Folder, name: str) -> None:
    site.catalogue.rename(site.catalogue.with_name(name))

    assert "no catalogue is called so. Known: legal_person.yaml, natural_person.yaml" in refused(site)


def test_a_department_without_authority_would_not_be_read_and_is_told(site: Folder) -> None:
    (site.path / "catalogue" / "natural_person.yaml").unlink()
    site.change_lease(lambda lease: [field.pop("feeds", None) for field in fields(lease)])

    assert "housing is an authority for nothing" in refused(site)


def test_every_fault_has_been_met_here() -> None:
    """What is said of a folder is said in both languages; no text waits for a fault that cannot be."""
    used = Path(__file__).parents[2].joinpath("schemas", "lint.py").read_text("utf-8")
    used += Path(__file__).parents[2].joinpath("process", "site.py").read_text("utf-8")
    used += Path(__file__).parents[2].joinpath("exchange", "policy.py").read_text("utf-8")

    assert set(re.findall(r"\"(schemas\.[a-z_]+)\"", used)) == set(catalogue("schemas"))
