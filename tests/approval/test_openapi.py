"""The description of the API: whole, and true of what is served."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.routing import Route

from approval.api.app import Counts, app
from approval.api.callers import Callers
from approval.api.openapi import document
from approval.api.question import Question
from tests.approval.asking import Window

DESCRIBED = document(token_needed=False)


def test_it_is_served_as_it_is_made(asked: Window) -> None:
    assert asked.get("/openapi.json").told == DESCRIBED


def test_every_page_for_programs_is_described_and_no_other(asked: Window) -> None:
    made = app(asked.desk, Callers({}, None), Counts(CollectorRegistry()))
    routes = [each for each in made.routes if isinstance(each, Route)]
    served = {(each.path, method.lower()) for each in routes for method in each.methods or () if method != "HEAD"}
    described = {(path, method) for path, methods in DESCRIBED["paths"].items() for method in methods}

    assert described == {(path, method) for path, method in served if path.startswith("/v1/")}


def test_every_name_it_refers_to_is_there_and_none_is_left_over() -> None:
    schemas = DESCRIBED["components"]["schemas"]
    referred = {each.removeprefix("#/components/schemas/") for each in _references(DESCRIBED)}

    assert referred == set(schemas)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _references(each)


def test_every_operation_says_what_comes_back() -> None:
    for operation in (each for methods in DESCRIBED["paths"].values() for each in methods.values()):
        assert operation["operationId"]
        assert all(answer["description"] and answer["content"] for answer in operation["responses"].values())
        assert {"200", "400"} <= set(operation["responses"])


def test_every_field_of_a_question_is_explained() -> None:
    fields = DESCRIBED["components"]["schemas"]["Question"]["properties"]

    assert set(fields) == set(Question.model_fields)
    assert all(each["description"] for each in fields.values())


def test_every_refusal_of_a_question_is_described() -> None:
    described = set(DESCRIBED["paths"]["/v1/evaluations"]["post"]["responses"])

    assert described == {"200", "400", "401", "403", "408", "410", "413", "415", "421", "422", "500", "503"}
