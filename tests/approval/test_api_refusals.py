"""Questions that are not answered: status, code, a text in both languages, and nothing of what was asked."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import approval
from approval.api.shapes import Refused
from process.messages import catalogue
from tests.approval.asking import JSON, NUMBER, QUESTION, SUBJECT, Reply, Window, window
from tests.approval.registry import entry, of_entry, of_history

PERSON = "350299198001010017"


def said(reply: Reply, status: int, told: str, field: str | None = None) -> None:
    """It is this refusal, in both languages, and repeats nothing of what was asked."""
    refusal = Refused.model_validate_json(reply.body).error
    text = catalogue("approval")[f"approval.api.{told}"]

    assert (reply.status, refusal.code, refusal.field) == (status, told, field)
    assert refusal.en.startswith(text.en.partition("{")[0])
    assert refusal.zh.startswith(text.zh.partition("{")[0])
    assert not any(each in reply.text for each in (NUMBER, PERSON, "W023", "secret", "None"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        "受理".encode("gb18030"),
        b"\xef\xbb\xbf{}",
        b'{"item": NaN}',
        b'{"item": -Infinity}',
        b'{"at": ' + b"1" * 5000 + b"}",
        b'{"item": "a", "item": "b"}',
        b'{"subjects": {"applicant": "000000019", "applicant": "000000027"}}',
        b"[" * 30_000,
        b'{"item":' * 8_000,
        b'{"item": "a"} {"item": "b"}',
        b"item=food_business_licence",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_one_json_object_with_every_name_once_is_refused(asked: Window, body: bytes) -> None:
    said(asked.send("POST", "/v1/evaluations", body, JSON), 400, "not_json")


@pytest.mark.parametrize("name", ["item", "subjects", "purpose", "case_number", "operator"])
def test_a_question_that_leaves_something_out_is_told_what(asked: Window, name: str) -> None:
    said(asked.ask({each: value for each, value in QUESTION.items() if each != name}), 422, "missing_field", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("item", 7),
        ("item", "Food Licence"),
        ("item", "../audit"),
        ("item", "a" * 65),
        ("subjects", "000000019"),
        ("subjects", ["000000019"]),
        ("subjects", {"applicant": 19}),
        ("subjects", {"applicant": ""}),
        ("subjects", {"applicant": "1" * 65}),
        ("subjects", {"applicant": None}),
        ("subjects", {"applicant": "\ud800"}),
        ("subjects", {"Applicant!": NUMBER}),
        ("subjects", {"\ud800": NUMBER}),
        ("subjects", {f"role_{number}": NUMBER for number in range(17)}),
        ("at", "2024-05-20"),
        ("at", "2024-05-20T09:30:00"),
        ("at", "yesterday"),
        ("at", 1_700_000_000),
        ("at", True),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("at", "9999-12-31T23:59:59-14:00"),
        ("at", "1024-05-20T09:30:00+08:00"),
        ("purpose", ""),
        ("purpose", "   "),
        ("purpose", "x"),
        ("purpose", "x" * 201),
        ("purpose", "two\nlines"),
        ("purpose", "two\u2028lines"),
        ("purpose", "nul\x00"),
        ("purpose", "\ud800\ud800"),
        ("purpose", {"text": "x"}),
        ("case_number", ""),
        ("case_number", 2024),
        ("case_number", "x" * 65),
        ("operator", "\t"),
        ("operator", "x" * 65),
        ("operator", "bell\x07"),
        ("operator", None),
    ],
)
def test_a_field_that_is_not_as_it_has_to_be_is_told_how_it_has_to_be(asked: Window, name: str, value: Any) -> None:
    said(asked.ask({**QUESTION, name: value}), 422, "bad_field", name)


def test_a_field_nobody_knows_is_refused_without_repeating_its_name(asked: Window) -> None:
    said(asked.ask({**QUESTION, f"secret {PERSON}": 1}), 422, "unknown_field")


def test_an_item_nobody_knows_is_refused(asked: Window) -> None:
    said(asked.ask({**QUESTION, "item": "secret_item"}), 422, "unknown_item", "item")
    said(asked.get("/v1/items/secret_item"), 404, "unknown_item", "item")


def test_roles_are_those_of_the_item(asked: Window) -> None:
    said(asked.ask({**QUESTION, "subjects": {}}), 422, "missing_field", "subjects.applicant")
    said(asked.ask({**QUESTION, "subjects": {"applicant": NUMBER, "secret": NUMBER}}), 422, "unknown_role", "subjects")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("purpose", f"核对 {PERSON}"),
        ("purpose", "核对 3502 9919 8001 0100 17"),
        ("purpose", f"核对 {NUMBER}"),
        ("purpose", f"核对 {NUMBER[:4]}-{NUMBER[4:]}"),
        ("purpose", "核对 ０００００００１９"),
        ("operator", PERSON),
        ("operator", f"张三 {NUMBER}"),
        ("case_number", f"案 {NUMBER}"),
    ],
)
def test_what_is_written_down_holds_no_number(asked: Window, name: str, text: str) -> None:
    said(asked.ask({**QUESTION, name: text}), 422, "number_in_text", name)


def test_a_long_case_number_is_no_persons(asked: Window) -> None:
    assert asked.ask({**QUESTION, "case_number": "350299202405200000123"}).status == 200


def test_a_number_nobody_can_read_and_an_erased_past_are_refused_and_written_down(fresh: Window) -> None:
    fresh.publish(of_history(SUBJECT, None, 1), *[of_entry(SUBJECT, entry(SUBJECT), 2)] * 3)

    said(fresh.ask({**QUESTION, "subjects": {"applicant": "12"}}), 422, "unreadable_number", "subjects.applicant")
    said(fresh.ask({**QUESTION, "at": "2023-11-14T22:13:21Z"}), 410, "erased")
    assert [record["outcome"] for record in fresh.audited()] == ["unreadable_number", "erased"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_type_is_refused(asked: Window, kind: str) -> None:
    said(asked.ask(headers={"Content-Type": kind}), 415, "other_content_type")


def test_a_charset_behind_the_type_is_no_other_type(asked: Window) -> None:
    assert asked.ask(headers={"Content-Type": "Application/JSON; charset=utf-8"}).status == 200


@pytest.mark.parametrize("size", [64 * 1024, 3 * 1024 * 1024])
def test_a_body_too_large_is_refused(asked: Window, size: int) -> None:
    said(asked.ask({**QUESTION, "purpose": "x" * size}), 413, "too_large")


@pytest.mark.parametrize("query", [f"applicant={PERSON}", PERSON, f"item=food_business_licence&{PERSON}"])
@pytest.mark.parametrize(
    "path", ["/v1/evaluations", "/v1/items", "/v1/items/food_business_licence", "/openapi.json", "/"]
)
def test_a_number_in_an_address_is_refused_at_the_first_try(asked: Window, path: str, query: str) -> None:
    post = path == "/v1/evaluations"
    body = json.dumps(QUESTION).encode() if post else None

    said(asked.send("POST" if post else "GET", f"{path}?{query}", body, JSON), 400, "query_not_taken")


@pytest.mark.parametrize(
    "path", ["/secret", f"/v1/evaluations/{PERSON}", "/v1", "/openapi.json/", "//", "/v1/items/a/b"]
)
def test_what_is_not_there_is_told_without_repeating_the_path(asked: Window, path: str) -> None:
    said(asked.get(path), 404, "no_page")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/evaluations", {"POST"}),
        ("PUT", "/v1/evaluations", {"POST"}),
        ("OPTIONS", "/v1/evaluations", {"POST"}),
        ("POST", "/v1/items", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_told_which_one_there_is(asked: Window, method: str, path: str, allowed: set[str]) -> None:
    reply = asked.send(method, path, None, {})

    said(reply, 405, "other_method")
    assert set(reply.headers["Allow"].split(", ")) == allowed


def test_without_a_view_nothing_is_answered(fresh: Window) -> None:
    with fresh.desk.register.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    empty = fresh.ask()
    with fresh.desk.register.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE meta")

    said(empty, 503, "no_view")
    said(fresh.ask(), 503, "no_view")
    assert fresh.audited() == []


def test_a_defect_is_told_as_one_and_quotes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> datetime:
        raise ValueError(f"secret {PERSON}")

    with window(tmp_path, now=broken) as opened:
        reply = opened.ask()
    logged = capsys.readouterr().err

    said(reply, 500, "defect")
    assert '"event": "approval.answer_failed"' in logged
    assert "test_api_refusals.py" in logged
    assert "secret" not in logged


def test_every_refusal_that_has_a_text_is_used() -> None:
    prefix = "approval.api."
    texts = {each.removeprefix(prefix) for each in catalogue("approval") if each.startswith(prefix)}
    written = "".join(file.read_text("utf-8") for file in Path(approval.__path__[0], "api").glob("*.py"))

    assert [each for each in texts if "." not in each and f'"{each}"' not in written] == []
