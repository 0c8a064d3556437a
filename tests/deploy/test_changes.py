"""Changes after the start: the sources and the truth move together."""

from datetime import date
from pathlib import Path

from deploy.district import changes, databases, named
from deploy.district.rows import LEGAL, NATURAL, Row, Subject
from deploy.district.sample import District, generate
from deploy.district.sources import ENTERPRISE, LOCAL_TAX, LOCAL_TAXPAYER, MARKET
from deploy.district.truth import Fact, about, truth_of

ON = date(2024, 3, 1)


def subject_of(code: str) -> Subject:
    return Subject("organisation_code", code[8:17])


def facts(district: District, code: str) -> dict[str, Fact]:
    return dict(truth_of(district).facts[subject_of(code)])


def row_of(district: District, department: str, code: str) -> Row:
    return next(row for row in district.at(department) if row.subject == subject_of(code))


def urls(tmp_path: Path) -> dict[str, str]:
    return {department: f"sqlite:///{tmp_path}/{department}.db" for department in (MARKET, LOCAL_TAX)}


def test_a_revoked_licence_is_revoked_in_the_truth() -> None:
    district = generate(1, 40)
    later = changes.after(district, changes.revoke(district, named.CLEAN_FOOD_COMPANY, ON))

    assert facts(district, named.CLEAN_FOOD_COMPANY)["status"].value == "ACTIVE"
    assert facts(later, named.CLEAN_FOOD_COMPANY)["status"].value == "REVOKED"


def test_revoking_by_url_alone_writes_what_the_change_writes(tmp_path: Path) -> None:
    district = generate(1, 40)
    databases.write(district, urls(tmp_path))
    changed = databases.revoke(urls(tmp_path)[MARKET], named.CLEAN_FOOD_COMPANY, ON)
    later = changes.after(district, changes.revoke(district, named.CLEAN_FOOD_COMPANY, ON))
    read = {row["UNISCID"]: row for row in databases.rows(urls(tmp_path)[MARKET], ENTERPRISE)}

    expected = row_of(later, ENTERPRISE, named.CLEAN_FOOD_COMPANY).columns
    assert changed == 1
    assert {**read[named.CLEAN_FOOD_COMPANY], "CD_TIMESCN": None} == {**expected, "CD_TIMESCN": None}


def test_a_moved_row_speaks_of_its_new_subject_and_no_longer_of_the_old() -> None:
    district = generate(1, 40)
    row, to = (row_of(district, ENTERPRISE, code) for code in (named.CLEAN_FOOD_COMPANY, named.DISPUTED_CATERER))
    later = changes.after(district, changes.move(district, ENTERPRISE, row.record_id, to, ON))

    assert facts(later, named.CLEAN_FOOD_COMPANY)["status"].state == "unknown"
    assert facts(later, named.CLEAN_FOOD_COMPANY)["name"].department == LOCAL_TAX
    assert facts(later, named.DISPUTED_CATERER)["name"].state == "disputed"
    assert facts(later, named.DISPUTED_CATERER)["name"].row == row.record_id


def test_where_an_authority_vanished_nothing_is_known_but_what_falls_back() -> None:
    district = generate(1, 40)
    row = row_of(district, ENTERPRISE, named.CLEAN_FOOD_COMPANY)
    left = facts(
        changes.after(district, changes.delete(district, ENTERPRISE, [row.record_id])), named.CLEAN_FOOD_COMPANY
    )

    assert left["name"] == Fact("unknown")
    assert left["industry"].department == LOCAL_TAX
    assert left["tax_status"].state == "known"


def test_a_flag_deletes_a_row_that_stays() -> None:
    district = generate(1, 40)
    row = row_of(district, LOCAL_TAXPAYER, named.CLEAN_FOOD_COMPANY)
    later = changes.after(district, changes.flag_deleted(district, LOCAL_TAXPAYER, row.record_id, ON))

    assert later.find(LOCAL_TAXPAYER, row.record_id).outcome == "deleted"
    assert facts(later, named.CLEAN_FOOD_COMPANY)["tax_status"] == Fact("unknown")


def test_a_spoilt_row_leaves_what_it_said_in_question() -> None:
    district = generate(1, 40)
    row = row_of(district, ENTERPRISE, named.CLEAN_FOOD_COMPANY)
    later = changes.after(district, changes.spoil(district, ENTERPRISE, row.record_id, ON))

    assert facts(later, named.CLEAN_FOOD_COMPANY)["name"].state == "in_question"
    assert facts(later, named.CLEAN_FOOD_COMPANY)["name"].value == row.says["name"].value
    assert facts(later, named.CLEAN_FOOD_COMPANY)["tax_status"].state == "known"


def test_the_sources_after_churn_hold_what_the_truth_says(tmp_path: Path) -> None:
    district = generate(2, 300)
    databases.write(district, urls(tmp_path))
    for seed in range(4):
        district, made = changes.churn(district, seed, 60)
        databases.apply(made, urls(tmp_path))

    for source, url in ((ENTERPRISE, urls(tmp_path)[MARKET]), (LOCAL_TAXPAYER, urls(tmp_path)[LOCAL_TAX])):
        held = sorted(map(str, databases.rows(url, source)))
        assert held == sorted(str(row.columns) for row in district.at(source))


def test_churn_is_the_same_for_a_seed_and_makes_every_kind_of_change() -> None:
    district = generate(2, 300)
    later, made = changes.churn(district, 5, 120)
    again, made_again = changes.churn(district, 5, 120)

    assert (later, made) == (again, made_again)
    assert {(c.before is None, c.now is None) for c in made} == {(True, False), (False, False), (False, True)}
    assert any(c.before and c.now and c.before.subject != c.now.subject for c in made)
    assert {c.now.outcome for c in made if c.now} == {"live", "deleted", "in_question"}


def test_churn_leaves_the_named_and_the_refused_alone() -> None:
    district = generate(2, 300)
    later, _ = changes.churn(district, 5, 200)

    assert [row for row in later.rows if row.person <= 5] == [row for row in district.rows if row.person <= 5]
    assert [r for r in later.rows if r.outcome == "refused"] == [r for r in district.rows if r.outcome == "refused"]


def test_a_fact_nobody_states_is_unknown() -> None:
    assert {fact.state for kind in (LEGAL, NATURAL) for fact in about(kind, []).facts.values()} == {"unknown"}
