"""The clerk's form and page: filled in, refused and answered, with nothing in an address and nothing unescaped."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from approval.api.form import form
from approval.items import Item, every
from tests.approval.asking import FIELDS, NUMBER, SUBJECT, Reply, Window, window
from tests.approval.registry import FIRM, entry, fact, of_entry
from tests.approval.test_api_refusals import PERSON

HOSTILE = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """What a browser makes of a page, as far as tests ask."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(reply.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def inputs(self) -> dict[str | None, dict[str, str | None]]:
        return {each["name"]: each for each in self.all("input")}


def test_the_form_asks_for_what_a_question_needs_and_sends_it_as_a_body(asked: Window) -> None:
    page = Page(asked.get("/"))
    (form,) = page.all("form")

    assert (form["method"], form["action"]) == ("post", "/")
    assert set(page.inputs) == {*FIELDS, "at"}
    assert {name for name, each in page.inputs.items() if "required" in each} == set(FIELDS) - {"item"}
    assert page.inputs["subjects.applicant"]["autocomplete"] == "off"
    assert "统一社会信用代码" in page.text


def test_a_form_filled_in_gives_the_page_with_the_case_it_was_asked_in(asked: Window) -> None:
    reply = asked.fill_in()
    page = Page(reply)

    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert all(each in page.text for each in ("示例食品有限公司", "免提交", FIELDS["case_number"]))
    assert NUMBER not in reply.text
    assert [each["href"] for each in page.all("a")] == ["/?item=food_business_licence"]


def test_a_time_without_an_offset_is_beijings(fresh: Window) -> None:
    fresh.fill_in({**FIELDS, "at": "2024-05-20T09:30"})
    fresh.fill_in({**FIELDS, "at": "2024-05-20T09:30+00:00"})

    assert [record["asked_at"] for record in fresh.audited()] == [
        "2024-05-20T01:30:00.000Z",
        "2024-05-20T09:30:00.000Z",
    ]


def test_a_refused_form_says_why_marks_the_field_and_keeps_what_was_right(asked: Window) -> None:
    reply = asked.fill_in({**FIELDS, "subjects.applicant": "12"})
    page = Page(reply)

    assert reply.status == 422
    assert "申请人 不是有效的" in page.text
    assert "subjects.applicant" not in page.text
    assert "aria-invalid" in page.inputs["subjects.applicant"]
    assert {name: page.inputs[name].get("value") for name in ("subjects.applicant", "case_number", "operator")} == {
        "subjects.applicant": None,
        "case_number": FIELDS["case_number"],
        "operator": FIELDS["operator"],
    }


@pytest.mark.parametrize("field", ["purpose", "operator", "case_number", "at"])
def test_no_number_comes_back_from_a_refused_form(asked: Window, field: str) -> None:
    reply = asked.fill_in({**FIELDS, "subjects.applicant": PERSON, field: PERSON})

    assert reply.status == 422
    assert PERSON not in reply.text


@pytest.mark.parametrize("field", [*FIELDS, "at", "subjects.secret", "secret"])
def test_what_is_filled_in_is_text_and_never_markup(asked: Window, field: str) -> None:
    reply = asked.fill_in({**FIELDS, field: HOSTILE})

    assert not Page(reply).all("script")
    assert reply.status in {200, 422}


def test_what_departments_wrote_is_text_and_never_markup(fresh: Window) -> None:
    fresh.publish(of_entry(SUBJECT, entry(SUBJECT, {**FIRM, "name": fact(HOSTILE), "scope": fact(f"食品{HOSTILE}")})))
    reply = fresh.fill_in({**FIELDS, "case_number": HOSTILE})

    assert reply.status == 200
    assert not Page(reply).all("script")
    assert HOSTILE in Page(reply).text


@pytest.mark.parametrize(
    "body",
    [b"item", b"item=a&item=b", b"item=%ff", "item=食品".encode(), b"&".join(b"f%d=1" % n for n in range(41))],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_form_gives_the_form_and_says_so(asked: Window, body: bytes) -> None:
    reply = asked.send("POST", "/", body, {"Content-Type": "application/x-www-form-urlencoded"})

    assert reply.status == 400
    assert "请求体不是字段不重复的表单" in Page(reply).text


def test_json_is_no_form(asked: Window) -> None:
    assert asked.send("POST", "/", b"{}", {"Content-Type": "application/json"}).status == 415


def test_of_several_items_the_one_chosen_is_asked_for_and_the_others_are_linked(tmp_path: Path) -> None:
    shipped = every()["food_business_licence"]
    other = shipped.model_copy(update={"id": "other", "name_zh": "其他", "subjects": {"child": "natural_person"}})
    with window(tmp_path, items={"a": _named(shipped, "a"), "other": other}) as opened:
        first, second, unknown = (Page(opened.get(path)) for path in ("/", "/?item=other", "/?item=unknown"))

    assert (first.inputs["item"]["value"], second.inputs["item"]["value"], unknown.inputs["item"]["value"]) == (
        "a",
        "other",
        "a",
    )
    assert "公民身份号码" in second.text
    assert [each["href"] for each in second.all("a")] == ["/?item=a"]


def test_without_items_there_is_nothing_to_fill_in() -> None:
    assert "没有可选择的事项" in form({}, None)


def _named(item: Item, name: str) -> Item:
    return item.model_copy(update={"id": name})
