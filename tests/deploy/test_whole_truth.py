"""The truth of the whole district: every difference is planted, and every planted one shows."""

from __future__ import annotations

from collections import Counter, defaultdict

from deploy.district import kinds, synthetic
from deploy.district.people import NaturalPerson
from deploy.district.sample import District, whole
from deploy.district.sources import POLICE, RELATION, RESIDENCE, RESIDENT, SOCIAL
from deploy.district.truth import LISTS, TIERS, alike, truth_of
from schemas.catalogue import catalogues


def test_every_kind_of_dirt_is_planted_even_in_a_small_district() -> None:
    planted = {(row.source, kind) for row in whole(2, 2_000).rows for kind, _ in row.planted}

    assert {(kind.source, kind.name) for kind in kinds.KINDS} - planted == set()


def test_dirt_is_planted_about_as_often_as_its_rate_says(district: District) -> None:
    rows = Counter(row.source for row in district.rows)
    planted = Counter((row.source, kind) for row in district.rows for kind, _ in row.planted)
    always = [kind for kind in kinds.KINDS if kind.rate >= 0.01 and kind.source in {RESIDENT, RESIDENCE, RELATION}]

    for kind in (kind for kind in always if kind.name not in {"lower_case_x", "open_month_blank"}):
        assert 0.5 < planted[kind.source, kind.name] / (rows[kind.source] * kind.rate) < 1.6


def test_every_difference_of_a_person_from_the_true_world_is_a_planted_one(district: District) -> None:
    told = truth_of(district)
    planted = {(plant.subject, plant.attribute) for plant in told.planted}
    people = {
        row.subject: district.people[row.person].truth()
        for row in district.rows
        if row.department in {POLICE, SOCIAL} and row.counts
        if row.subject.value in numbers_of(district.people[row.person])
    }
    surprising = [
        (subject, name)
        for subject, truth in people.items()
        for name, fact in told.facts[subject].items()
        if fact.value is not None and name in truth
        if fact.dissent or alike(fact.value) != alike(truth[name])
        if (subject, name) not in planted
    ]

    assert len(people) > 2_000
    assert surprising == []


def numbers_of(person: NaturalPerson) -> set[str]:
    return {person.document, synthetic.shortened(person.document)}


def test_every_planted_difference_between_police_and_insurance_shows_in_the_facts(district: District) -> None:
    told = truth_of(district)
    between = {"name_differs_from_police", "sex_differs_from_police", "birth_differs_from_police"}
    plants = [plant for plant in told.planted if plant.kind in between and plant.outcome == "live"]
    facts = [told.facts[plant.subject][str(plant.attribute)] for plant in plants]

    assert len(plants) > 20
    for plant, fact in zip(plants, facts, strict=True):
        assert fact.row == plant.row or plant.row in {dissent.row for dissent in fact.dissent}


def test_two_ratings_of_one_year_and_two_households_of_one_person_are_disputed(district: District) -> None:
    told = truth_of(district)
    rated = [p for p in told.planted if p.kind == "rated_twice" and p.row.startswith("PK")]
    registered = [p for p in told.planted if p.kind == "registered_twice" and p.attribute == "household_address"]

    for plant in rated:
        ratings = told.subjects[plant.subject].lists["tax_credit_ratings"]
        assert [each.state for each in ratings if plant.row in {other.row for other in each.others}] == ["disputed"]
    for plant in registered:
        assert told.facts[plant.subject]["household_address"].state == "disputed"
    assert rated
    assert registered


def test_the_attributes_are_those_of_the_catalogue_and_so_are_their_authorities() -> None:
    for kind, catalogue in catalogues().items():
        one = {a.name: a for a in catalogue.attributes if a.cardinality == "one"}
        many = {a.name: a for a in catalogue.attributes if a.cardinality == "many"}
        assert {name: tuple(a.department for a in one[name].authority) for name in one} == TIERS[kind]
        assert {name: many[name].key for name in many} == LISTS[kind]


def test_the_parts_of_an_element_are_those_of_the_catalogue(district: District) -> None:
    fields = {(kind, a.name): {f.name for f in a.fields} for kind, c in catalogues().items() for a in c.attributes}
    stated: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in district.rows:
        for word in row.words():
            if word.element is not None:
                stated[word.subject.kind, word.element.attribute] |= set(word.element.parts)

    assert {place: names for place, names in fields.items() if names} == stated
