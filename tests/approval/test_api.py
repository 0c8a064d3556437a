"""Questions over HTTP: what is told, and that it is written down first."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approval.answer import answer
from approval.api.app import MOST_QUESTIONS
from approval.api.shapes import Evaluated, ItemListed
from approval.audit import verify
from approval.evaluation import evaluate
from approval.grants import PROVENANCE, Labels, Sensitivity
from approval.items import Item, every
from schemas.catalogue import catalogues
from schemas.plain import to_json
from tests.approval.asking import FIELDS, NUMBER, QUESTION, SEALING, SUBJECT, Reply, Window, bearer, window
from tests.approval.cases import item_with
from tests.approval.registry import FIRM, code, entry, fact, of_entry

ATTRIBUTES = [each for each in catalogues()["legal_person"].attributes if each.type in {"text", "code", "date"}]
CURL = re.compile(
    r"curl -s http://[^/]*(?P<path>\S+) -H '(?P<name>.*): (?P<value>.*)' --data @- <<'EOF'\n(?P<body>(?s:.*?))\nEOF"
)


def licence(reply: Reply) -> dict[str, Any]:
    materials: list[dict[str, Any]] = reply.told["materials"]
    return next(each for each in materials if each["id"] == "business_licence")


def test_a_question_is_answered_as_the_command_would(asked: Window) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    reply = asked.ask({**QUESTION, "at": at.isoformat()}, Sensitivity.SENSITIVE)
    item = every()["food_business_licence"]
    decided = evaluate(asked.desk.register, item, {"applicant": NUMBER}, at, asked.desk.now)

    assert reply.status == 200
    assert (
        reply.text
        == to_json(answer(decided.item, decided.subjects, decided.decisions, decided.at, decided.others)) + "\n"
    )
    assert licence(reply)["verdict"] == "proved"


def test_the_question_in_the_readme_is_answered(asked: Window) -> None:
    found = CURL.search(Path(__file__).parents[2].joinpath("README.md").read_text("utf-8"))
    assert found is not None

    reply = asked.send("POST", found["path"], found["body"].encode(), {found["name"]: found["value"]})

    assert reply.status == 200


def test_what_changes_in_the_registry_is_answered_at_the_next_question(fresh: Window) -> None:
    before = licence(fresh.ask())
    fresh.publish(of_entry(SUBJECT, entry(SUBJECT, {**FIRM, "status": fact(code("REVOKED", "2"))}), 2))

    assert (before["follow"], licence(fresh.ask())["follow"]) == ("waive", "ask_clerk")


def test_a_number_nobody_carries_is_a_subject_with_nothing_on_record(asked: Window) -> None:
    reply = asked.ask({**QUESTION, "subjects": {"applicant": "000000027"}})

    assert (reply.status, licence(reply)["verdict"]) == (200, "absent_as_of")


def test_items_are_listed_and_told(asked: Window) -> None:
    listed, told = asked.get("/v1/items"), asked.get("/v1/items/food_business_licence")

    assert [ItemListed.model_validate(each).id for each in listed.told] == list(every())
    assert Item.model_validate(told.told) == every()["food_business_licence"]


def test_nothing_answered_is_kept_by_a_browser_or_shown_inside_another_page(asked: Window) -> None:
    for reply in (asked.ask(), asked.fill_in(), asked.get("/"), asked.get("/nowhere")):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
        assert "Server" not in reply.headers


def test_questions_are_counted_and_timed(fresh: Window) -> None:
    fresh.ask()
    fresh.ask()
    fresh.ask({})

    assert (fresh.count("answered"), fresh.count("missing_field")) == (2, 1)
    assert fresh.registry.get_sample_value("tongban_approval_answer_duration_seconds_count") == 2


def test_every_answer_is_written_down_with_case_purpose_and_operator(fresh: Window) -> None:
    named = ("purpose", "case_number", "operator")
    fresh.ask(grant=Sensitivity.PERSONAL)
    fresh.fill_in()
    by_program, by_clerk = fresh.audited()

    for record in (by_program, by_clerk):
        assert {name: record[name] for name in named} == {name: QUESTION[name] for name in named}
        assert record["outcome"] == "answered"
        assert record["item"] == {"id": "food_business_licence", "version": 2}
        assert record["decisions"]["business_licence"] == "proved"
        assert record["disclosed"] == {"applicant": ["address", "legal_representative", "name", "scope", "status"]}
        assert record["offsets"] == {"t.registry.legal-person": [3, 2, 2]}
    assert (by_program["caller"], by_program["grant"]) == ("personal", "personal")
    assert (by_clerk["caller"], by_clerk["grant"]) == ("default", "internal")
    assert verify(fresh.log, SEALING).last.sequence == 2


def test_the_log_names_a_subject_so_that_only_the_key_can_tell_whom(fresh: Window) -> None:
    fresh.ask()
    fresh.ask({**QUESTION, "subjects": {"applicant": "000000027"}})
    first, second = fresh.audited()

    assert first["subjects"]["applicant"] not in {None, second["subjects"]["applicant"]}
    assert NUMBER not in fresh.log.read_text()
    assert "示例食品有限公司" not in fresh.log.read_text()


def test_what_cannot_be_written_down_is_not_answered(fresh: Window) -> None:
    fresh.log.rename(fresh.log.with_suffix(".old"))
    away, page = fresh.ask(), fresh.fill_in()
    ready = fresh.desk.can_write_down()
    fresh.log.with_suffix(".old").rename(fresh.log)

    for reply in (away, page):
        assert reply.status == 503
        assert "示例食品有限公司" not in reply.text
        assert "审计日志无法写入" in reply.text
    assert away.code == "not_audited"
    assert not ready


def test_a_full_disk_is_not_answered_over_and_an_answer_comes_once_there_is_room(fresh: Window) -> None:
    fresh.desk.audit.close()
    fresh.log.rename(fresh.log.with_suffix(".old"))
    fresh.log.symlink_to("/dev/full")
    full = fresh.ask()
    still_full = fresh.desk.can_write_down()
    fresh.log.unlink()
    fresh.log.with_suffix(".old").rename(fresh.log)

    assert (full.status, full.code, still_full) == (503, "not_audited", False)
    assert fresh.desk.can_write_down()
    assert fresh.ask().status == 200
    assert [record["outcome"] for record in fresh.audited()] == ["writable_again", "answered"]


def item_of_all() -> Item:
    """Each attribute decides a material of its own, which discloses it."""
    items = [
        item_with(
            [{"attribute": each.name, "present": True}],
            id=f"paper_{each.name}",
            discloses=[each.name],
            authorities=[authority.department for authority in each.authority],
        )
        for each in ATTRIBUTES
    ]
    return items[0].model_copy(update={"materials": tuple(each.materials[0] for each in items)})


@pytest.fixture(scope="module")
def all_disclosed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with window(tmp_path_factory.mktemp("all"), items={"item": item_of_all()}) as opened:
        yield opened


@st.composite
def planted(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Facts of a firm, and the texts by which each attribute would be found in an answer."""
    facts: dict[str, Any] = {}
    found: dict[str, list[str]] = {}
    for number, attribute in enumerate(ATTRIBUTES):
        first, second, third = (f"{each}{number}{draw(st.text('甲乙丙', max_size=3))}号" for each in ("值", "码", "异"))
        day = date(1900 + number, draw(st.integers(1, 12)), draw(st.integers(1, 28)))
        values = {"text": (first, third), "code": (code(first, second), code(None, third)), "date": (day, day)}
        value, other = values[attribute.type]
        state = draw(st.sampled_from(["known", "disputed", "in_question"]))
        facts[attribute.name] = fact(value, state=state, dissent=[{"value": other, "member": 1, "tier": 2}])
        found[attribute.name] = [day.isoformat()] if attribute.type == "date" else [first, second, third]
    return facts, found


@given(planted(), st.fixed_dictionaries({each.name: st.sampled_from(Sensitivity) for each in ATTRIBUTES}))
@settings(max_examples=15, deadline=None)
def test_no_value_labelled_above_the_grant_stands_anywhere_in_an_answer(
    all_disclosed: Window, made: tuple[dict[str, Any], dict[str, list[str]]], known: Labels
) -> None:
    facts, found = made
    all_disclosed.publish(of_entry(SUBJECT, entry(SUBJECT, facts)))
    assert isinstance(all_disclosed.desk.labels, dict)
    all_disclosed.desk.labels["legal_person"] = known
    for grant in Sensitivity:
        above = [name for name in found if not grant.reaches(known[name])]
        json_ = all_disclosed.ask({**QUESTION, "item": "item"}, grant)
        page = all_disclosed.fill_in({**FIELDS, "item": "item"}, bearer(grant))

        assert (json_.status, page.status) == (200, 200)
        for written in (json_.text, page.text):
            assert [name for name in above if any(each in written for each in found[name])] == []
            assert grant.reaches(PROVENANCE) or SUBJECT not in written
        assert Evaluated.model_validate_json(json_.body)


def test_many_ask_at_once_and_every_answer_is_in_the_log_once(fresh: Window) -> None:
    cases = [f"case-{number}" for number in range(80)]
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda case: fresh.ask({**QUESTION, "case_number": case}), cases))

    assert {reply.status for reply in replies} == {200}
    assert sorted(record["case_number"] for record in fresh.audited()) == sorted(cases)
    assert verify(fresh.log, SEALING).last.sequence == 80


class Held:
    """A clock that tells the time only when it is let."""

    def __init__(self) -> None:
        self.asked = Event()
        self.let = Event()

    def __call__(self) -> datetime:
        self.asked.set()
        self.let.wait()
        return datetime.now(UTC)


def test_more_than_can_be_answered_at_once_is_told_to_come_again(tmp_path: Path) -> None:
    held, one_at_a_time, above, busy = Held(), Lock(), 10, list[Reply]()

    def ask(_number: int) -> int:
        reply = opened.ask()
        with one_at_a_time:
            busy.extend([reply] if reply.status == 503 else [])
            if len(busy) == above:
                held.let.set()
        return reply.status

    with window(tmp_path, now=held) as opened, ThreadPoolExecutor(MOST_QUESTIONS + above) as pool:
        statuses = list(pool.map(ask, range(MOST_QUESTIONS + above)))

    assert (statuses.count(200), statuses.count(503)) == (MOST_QUESTIONS, above)
    assert {reply.code for reply in busy} == {"busy"}


def test_what_is_being_answered_when_it_is_stopped_still_is(tmp_path: Path) -> None:
    held = Held()
    with window(tmp_path, now=held) as opened, ThreadPoolExecutor(2) as pool:
        answering = pool.submit(opened.ask)
        held.asked.wait()
        stopping = pool.submit(opened.server.stop)
        with suppress(OSError):
            while True:
                opened.get("/v1/items")
        held.let.set()
        stopping.result()
        reply = answering.result()

    assert (reply.status, licence(reply)["verdict"]) == (200, "proved")
    assert len(opened.audited()) == 1
