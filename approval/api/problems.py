"""Problems: what is said instead of an answer, with a code, in both languages, never repeating a value."""

from http import HTTPStatus
from typing import Any

from process.messages import Text, catalogue


class Problem(Exception):
    """A question that is not answered, and why: the code of a text, filled with names of ours and never with values."""

    def __init__(self, status: HTTPStatus, code: str, field: str | None = None, **filled: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.field = field
        self._filled = filled

    def text(self, field: Text | None = None) -> Text:
        """What is said; of the field by its name, or by what its reader calls it."""
        text, filled = (
            catalogue("approval")[f"approval.api.{self.code}"],
            {**self._filled, "field": field or self.field},
        )
        en = {name: each.en if isinstance(each, Text) else each for name, each in filled.items()}
        zh = {name: each.zh if isinstance(each, Text) else each for name, each in filled.items()}
        return Text(text.en.format(**en), text.zh.format(**zh))

    def told(self) -> dict[str, Any]:
        """What a program gets."""
        text = self.text()
        return {"error": {"code": self.code, "field": self.field, "en": text.en, "zh": text.zh}}


def bad_field(field: str) -> Problem:
    """A field that is not as it has to be; says how it has to be."""
    expected = catalogue("approval")[f"approval.api.expected.{field}"]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", field, expected=expected)
