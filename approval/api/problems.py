"""Problems: what is said instead of an answer, with a code, in both languages, never repeating a value."""

from http import HTTPStatus
from typing import Any

from process.messages import Text, catalogue


class Problem(Exception):
    """A question that is not answered, and why."""

    def __init__(self, status: HTTPStatus, code: str, text: Text, field: str | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.text = text
        self.field = field

    def told(self) -> dict[str, Any]:
        """What the caller gets."""
        return {"error": {"code": self.code, "field": self.field, "en": self.text.en, "zh": self.text.zh}}


def problem(status: HTTPStatus, code: str, field: str | None = None, **filled: object) -> Problem:
    """A problem by the code of its text, filled with names from the code, never with what was asked."""
    text = catalogue("approval")[f"approval.api.{code}"]
    return Problem(status, code, Text(text.en.format(**filled), text.zh.format(**filled)), field)


def bad_field(field: str) -> Problem:
    """A field that is not as it has to be; says how it has to be."""
    expected = catalogue("approval")[f"approval.api.expected.{field}"]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", _both("bad_field", field, expected), field)


def _both(code: str, field: str, expected: Text) -> Text:
    text = catalogue("approval")[f"approval.api.{code}"]
    return Text(text.en.format(field=field, expected=expected.en), text.zh.format(field=field, expected=expected.zh))
