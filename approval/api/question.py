"""A question: who asks what of whom, in which case and for what; read from a hostile body, checked once.

The body is limited in bytes before it is read, in names and depth while it is; what is wrong is said by the name of
the field, and never by what stood in it.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from approval.api.problems import Problem, bad_field
from approval.civil import CIVIL_TIME
from approval.items import Item
from process.logs import masked

MAX_BYTES: Final = 64 * 1024
_MAX_FORM_FIELDS: Final = 40
_ROLE: Final = "subjects."
_SHORTEST_NUMBER: Final = 6

# No control characters, no line or paragraph separators: a field is one line of a record.
_Line = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")
_Name = StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)
_Number = StringConstraints(strip_whitespace=True, min_length=1, max_length=64)


# Departments' records do not reach further, and arithmetic on days still works here.
_YEARS: Final = range(1990, 2200)


def _moment(given: object) -> datetime | None:
    """A time in ISO form; a number of seconds is none."""
    if given is None:
        return None
    at = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    if at.tzinfo is None or at.year not in _YEARS:
        raise ValueError("no offset, or out of range")
    return at.astimezone(UTC)


class Question(BaseModel):
    """What is asked, of whom, and on whose behalf."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Question")

    item: Annotated[str, _Name] = Field(description="Item (事项) to decide, for example food_business_licence.")
    subjects: Mapping[Annotated[str, _Name], Annotated[str, _Number]] = Field(
        max_length=16, description="Whom it is about: a number of the subject for every role of the item."
    )
    at: Annotated[AwareDatetime | None, BeforeValidator(_moment)] = Field(
        None, description="As known at this earlier time, with its offset; else now."
    )
    purpose: Annotated[str, _Line] = Field(
        min_length=2, max_length=200, description="What the answer is needed for; no number of anybody."
    )
    case_number: Annotated[str, _Line] = Field(max_length=64, description="The case (办件) it is needed in.")
    operator: Annotated[str, _Line] = Field(
        max_length=64, description="Who asks, by the name they are known by at work; no identity number."
    )

    def for_item(self, item: Item) -> Mapping[str, str]:
        """The number given for each role of the item; refuses too many, too few, and numbers where words belong."""
        roles = ", ".join(item.subjects)
        if not set(self.subjects) <= set(item.subjects):
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_role", "subjects", roles=roles)
        for role in item.subjects:
            if role not in self.subjects:
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "missing_field", f"{_ROLE}{role}")
        self._refuse_numbers()
        return self.subjects

    def _refuse_numbers(self) -> None:
        """What is written down of a question may not carry anybody's number."""
        numbers = {bare for each in self.subjects.values() if len(bare := _bare(each)) >= _SHORTEST_NUMBER}
        for field in ("purpose", "operator", "case_number"):
            text = str(getattr(self, field))
            # A case number may well be long and of digits; it may not be the subject's.
            if any(number in _bare(text) for number in numbers) or (field != "case_number" and masked(text) != text):
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "number_in_text", field)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).upper()


def of_json(body: bytes) -> Question:
    """The question a JSON body asks."""
    try:
        data = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "not_json") from None
    if not isinstance(data, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "not_json")
    return _checked(data)


def of_form(fields: Mapping[str, str]) -> Question:
    """The question the page's form asks; a time without an offset is Beijing's."""
    data: dict[str, Any] = {name: value for name, value in fields.items() if not name.startswith(_ROLE)}
    subjects = {name.removeprefix(_ROLE): value for name, value in fields.items() if name.startswith(_ROLE)}
    at = data.pop("at", "").strip()
    return _checked({**data, "subjects": subjects} | ({"at": _civil(at)} if at else {}))


def form_fields(body: bytes) -> Mapping[str, str]:
    """What stands in the fields of a form that was sent."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FORM_FIELDS,
        )
        return _once(pairs)
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, "not_form") from None


def _civil(given: str) -> datetime:
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise bad_field("at") from None
    return at.replace(tzinfo=CIVIL_TIME) if at.tzinfo is None else at


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Names with values; a name given twice would mean one thing to us and another to somebody before us."""
    told: dict[str, Any] = {}
    for name, value in pairs:
        if name in told:
            raise ValueError("given twice")
        told[name] = value
    return told


def _no_constant(_name: str) -> None:
    raise ValueError("not JSON")


def _checked(data: Mapping[str, Any]) -> Question:
    try:
        return Question.model_validate(data)
    except ValidationError as exc:
        # The cause would repeat the values.
        raise _wrong(exc) from None


def _wrong(exc: ValidationError) -> Problem:
    """The first thing wrong, by a name of ours: a name that nobody knows may be anything."""
    first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    field = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_field", known=", ".join(Question.model_fields))
    if first["type"] == "missing":
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "missing_field", field)
    return bad_field(field)
