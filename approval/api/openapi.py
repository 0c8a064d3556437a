"""The API's description (OpenAPI 3.1), made from the shapes that questions and answers have."""

from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from approval.api.question import Question
from approval.api.shapes import Evaluated, ItemListed, Refused
from approval.items import Item

_REFERENCE: Final = "#/components/schemas/{model}"
_REFUSED: Final = {
    400: "The body is not one JSON object with every name once, or there is a query.",
    401: "A token is needed, or the one given is not known.",
    403: "The request comes from another site's page.",
    408: "The body took too long.",
    410: "What was on record at that time has been erased by law.",
    413: "The body is too large.",
    415: "The body is not of the type asked for.",
    421: "This machine does not answer under that name.",
    422: "A field is missing, unknown or not as it has to be; `field` names it.",
    500: "A defect of this system.",
    503: "Ask again later: too much is asked, the view is not there yet, or the audit log cannot be written.",
}


def document(*, token_needed: bool) -> dict[str, Any]:
    """The description as it is served."""
    asked: list[type[BaseModel]] = [Question]
    told: list[type[BaseModel]] = [Evaluated, ItemListed, Item, Refused]
    _, schemas = models_json_schema(
        [*((model, "validation") for model in asked), *((model, "serialization") for model in told)],
        ref_template=_REFERENCE,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tongban approval",
            "version": version("tongban"),
            "description": "Which materials of an item fall away, why, from whom, and as of when. Every question names "
            "purpose, case number and operator, and is written to the audit log before it is answered.",
        },
        "paths": {
            "/v1/evaluations": {"post": _evaluations(token_needed=token_needed)},
            "/v1/items": {"get": _items()},
            "/v1/items/{id}": {"get": _item()},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _evaluations(*, token_needed: bool) -> dict[str, Any]:
    return {
        "operationId": "evaluate",
        "summary": "Decide the materials of an item (办件材料核验)",
        "security": [{"token": []}] if token_needed else [{}, {"token": []}],
        "requestBody": {"required": True, "content": _content(_named(Question))},
        "responses": {
            "200": {"description": "A verdict per material.", "content": _content(_named(Evaluated))},
            **{str(code): _refusal(text) for code, text in _REFUSED.items()},
        },
    }


def _items() -> dict[str, Any]:
    listed = {"type": "array", "items": _named(ItemListed)}
    return {
        "operationId": "items",
        "summary": "The items that can be asked for (事项列表)",
        "security": [],
        "responses": {
            "200": {"description": "Every item.", "content": _content(listed)},
            "400": _refusal(_REFUSED[400]),
        },
    }


def _item() -> dict[str, Any]:
    return {
        "operationId": "item",
        "summary": "One item: its materials, and what makes each fall away (事项)",
        "security": [],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "The item.", "content": _content(_named(Item))},
            "400": _refusal(_REFUSED[400]),
            "404": _refusal("There is no such item."),
        },
    }


def _refusal(text: str) -> dict[str, Any]:
    return {"description": text, "content": _content(_named(Refused))}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _named(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}
