"""Settings: a YAML file, then the environment, checked once and frozen.

`TONGBAN_POLL_SECONDS` fills the field `poll_seconds`, `TONGBAN_BROKERS` the field
`brokers` of the nested model `kafka`. A name that nothing knows stops the start, and
every error says the file, the line, the field and the way out. What was written as a
value is never repeated in an error: it may be a secret.
"""

import difflib
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from process.errors import SettingsError
from process.messages import say
from process.yaml_lines import Lines, Place, line_of, load_yaml, with_variables

__all__ = ["Lines", "Place", "load", "load_yaml", "secret", "validated", "with_variables"]

PREFIX = "TONGBAN_"

# Read elsewhere than in a settings file, so no model has a field for them.
ELSEWHERE = frozenset({"TONGBAN_CACHE", "TONGBAN_SHOW_DEFECT_TEXT"})

# A district key shorter than its hash would be the weakest part of every pseudonym.
SECRET_BYTES = 32

M = TypeVar("M", bound=BaseModel)


def load(model: type[M], file: Path, environ: Mapping[str, str]) -> M:
    """Give the settings that the file and the environment make together."""
    written, lines = load_yaml(file)
    data, used = with_variables(written, lines, file, environ)
    fills = _fills(model)
    _refuse_unknown({name for name in environ if name.startswith(PREFIX)} - used, fills)
    given = {fills[name]: name for name in fills if name in environ}
    for place, name in given.items():
        _fill(data, place, environ[name])
    return _checked(model, data, lines, file, given)


def validated(model: type[M], data: object, lines: Lines, file: Path, context: object = None) -> M:
    """Give the model that YAML read by `load_yaml` makes, or say what is wrong on which line.

    `context` is what the model's own checks may ask for.
    """
    return _checked(model, data, lines, file, {}, context)


def secret(path: Path) -> bytes:
    """Give the key that a file holds as hexadecimal text."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = file.read()
    except OSError as exc:
        raise SettingsError(say("settings.secret_unreadable", file=path, reason=exc.strerror)) from exc
    if mode & stat.S_IRWXO:
        raise SettingsError(say("settings.secret_open_to_all", file=path, mode=f"{mode:04o}"))
    return _key(text, path)


def _key(text: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        # The cause would repeat what stands in the file.
        raise SettingsError(say("settings.secret_not_hexadecimal", file=path)) from None
    if len(key) < SECRET_BYTES:
        raise SettingsError(say("settings.secret_short", file=path, count=len(key), least=SECRET_BYTES))
    return key


def _fills(model: type[BaseModel]) -> dict[str, Place]:
    nested = [kafka for kafka in _models_in(model, "kafka") if "kafka" in model.model_fields]
    fills: dict[str, Place] = {
        PREFIX + name.upper(): ("kafka", name) for kafka in nested for name in kafka.model_fields
    }
    return fills | {PREFIX + name.upper(): (name,) for name in model.model_fields if name != "kafka"}


def _refuse_unknown(names: Collection[str], fills: Mapping[str, Place]) -> None:
    for name in sorted(set(names) - set(fills) - ELSEWHERE):
        code, hint = _suggestion(name, fills, "variable")
        raise SettingsError(say(code, name=name, hint=hint))


def _fill(data: dict[str, Any], place: Place, value: str) -> None:
    for part in place[:-1]:
        # A `kafka:` with nothing under it reads as null, and is as good as one left out.
        if data.get(str(part)) is None:
            data[str(part)] = {}
        data = data[str(part)]
    if isinstance(data, dict):
        data[str(place[-1])] = value


def _checked(
    model: type[M], data: object, lines: Lines, file: Path, given: Mapping[Place, str], context: object = None
) -> M:
    try:
        return model.model_validate(data, context=context)
    except ValidationError as exc:
        # A misspelt name first: the one that is then missing is usually the same.
        errors = exc.errors(include_url=False, include_input=False)
        errors.sort(key=lambda error: error["type"] != "extra_forbidden")
        told = [_told(model, error, _whereabouts(error["loc"], lines, file, given)) for error in errors]
        # The cause would repeat the values, secrets among them.
        raise SettingsError("\n".join(told)) from None


def _whereabouts(loc: Place, lines: Lines, file: Path, given: Mapping[Place, str]) -> str:
    return given.get(loc) or f"{file}:{line_of(loc, lines)}"


def _told(model: type[BaseModel], error: Mapping[str, Any], place: str) -> str:
    # A check of several settings together belongs to none of them.
    field = ".".join(str(part) for part in error["loc"]) or "settings"
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            code, hint = _suggestion(str(error["loc"][-1]), _names_at(model, error["loc"][:-1]), "name")
            return say(code, place=place, field=field, hint=hint)
        case "missing":
            return say("settings.missing", place=place, field=field)
        case "literal_error" | "enum" | "union_tag_invalid":
            expected = context.get("expected", context.get("expected_tags"))
            return say("settings.not_one_of", place=place, field=field, expected=expected)
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return say("settings.out_of_bounds", place=place, field=field, bound=_bound(context))
        case kind if kind in _PLAIN:
            return say(_PLAIN[kind], place=place, field=field)
    reason = error["msg"].removeprefix("Value error, ")
    return say("settings.bad_value", place=place, field=field, reason=reason)


_PLAIN = {
    "int_parsing": "settings.not_a_whole_number",
    "int_type": "settings.not_a_whole_number",
    "int_from_float": "settings.not_a_whole_number",
    "float_parsing": "settings.not_a_number",
    "float_type": "settings.not_a_number",
    "decimal_parsing": "settings.not_a_number",
    "bool_parsing": "settings.not_a_truth_value",
    "bool_type": "settings.not_a_truth_value",
    "string_type": "settings.not_text",
    "list_type": "settings.not_a_list",
    "tuple_type": "settings.not_a_list",
    "dict_type": "settings.not_names_with_values",
    "model_type": "settings.not_names_with_values",
    "model_attributes_type": "settings.not_names_with_values",
}


def _bound(context: Mapping[str, object]) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return " ".join(f"{signs[name]} {value}" for name, value in context.items() if name in signs)


def _suggestion(name: str, known: Collection[str], what: str) -> tuple[str, str]:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"settings.misspelt_{what}", close[0]
    return f"settings.unknown_{what}", ", ".join(sorted(known))


def _names_at(model: type[BaseModel], loc: Place) -> set[str]:
    models = [model]
    for part in loc:
        # A place in a list, a key of a mapping and the tag of a union are no fields: the models stay.
        models = [inner for each in models for inner in _models_in(each, part)] or models
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_in(model: type[BaseModel], part: str | int) -> list[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if part in (name, field.alias):
            return list(_models_of(field.annotation))
    return []


def _models_of(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_of(argument)
