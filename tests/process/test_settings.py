"""Settings: who fills what, and what a person reads when something is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, SecretStr, model_validator

from process.errors import SettingsError
from process.settings import load, load_yaml, secret, validated


class _Kafka(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    brokers: str
    password: SecretStr | None = None


class _Column(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: Literal["yuan", "wan"] = "yuan"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: _Kafka
    poll_seconds: PositiveFloat = 30.0
    workers: int = Field(1, ge=1)
    columns: dict[str, list[_Column]] = Field(default_factory=dict)


class _Span(BaseModel):
    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError("the first comes after the last")
        return self


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def test_the_file_is_read_and_the_environment_is_read_over_it(file: Path) -> None:
    file.write_text("kafka: {brokers: here:9092}\npoll_seconds: 5\n")
    environ = {"TONGBAN_BROKERS": "there:9092", "TONGBAN_WORKERS": "4", "HOME": "/"}

    settings = load(_Settings, file, environ)

    assert settings == _Settings(kafka=_Kafka(brokers="there:9092"), poll_seconds=5.0, workers=4)


@pytest.mark.parametrize("text", ["", "kafka:\n", "# nothing yet\n"])
def test_the_environment_alone_is_enough(file: Path, text: str) -> None:
    file.write_text(text)

    settings = load(_Settings, file, {"TONGBAN_BROKERS": "there:9092"})

    assert settings.kafka.brokers == "there:9092"


def test_an_unknown_name_is_told_with_its_line_and_the_name_that_was_meant(file: Path) -> None:
    told = _refusal(file, "kafka: {brokers: b}\n\npol_seconds: 5\n")

    assert told == [
        f"{file}:3: there is no setting pol_seconds. Was poll_seconds meant?",
        f"{file}:3：没有名为 pol_seconds 的设置项。是否应为 poll_seconds？",
    ]


def test_a_name_like_no_other_is_told_with_those_there_are(file: Path) -> None:
    told = _refusal(file, "kafka:\n  brokers: b\n  xyz: 1\n")

    assert told[0] == f"{file}:3: there is no setting kafka.xyz. Known here: brokers, password."


def test_a_name_inside_a_list_inside_a_mapping_is_told_with_its_own_line(file: Path) -> None:
    told = _refusal(file, "kafka: {brokers: b}\ncolumns:\n  first:\n  - name: A\n    units: yuan\n")

    assert told[0] == f"{file}:5: there is no setting columns.first.0.units. Was unit meant?"


def test_every_wrong_setting_is_told_at_once(file: Path) -> None:
    told = _refusal(
        file, "poll_seconds: soon\nworkers: 0\nkafka: {}\ncolumns:\n  a:\n  - {name: 7, unit: li}\n  b: none\n"
    )

    assert told[::2] == [
        f"{file}:3: kafka.brokers is missing. Add it here, or remove what makes it necessary.",
        f"{file}:1: poll_seconds must be a number.",
        f"{file}:2: workers must be ≥ 1.",
        f"{file}:6: columns.a.0.name must be text; put quotes around it if it looks like a number.",
        f"{file}:6: columns.a.0.unit must be one of: 'yuan' or 'wan'.",
        f"{file}:7: columns.b must be a list.",
    ]


def test_a_wrong_value_from_the_environment_is_told_with_the_name_of_the_variable(file: Path) -> None:
    told = _refusal(file, "kafka: {brokers: b}\n", {"TONGBAN_WORKERS": "many"})

    assert told[0] == "TONGBAN_WORKERS: workers must be a whole number."


def test_a_misspelt_variable_stops_the_start(file: Path) -> None:
    told = _refusal(file, "kafka: {brokers: b}\n", {"TONGBAN_POL_SECONDS": "5"})

    assert "TONGBAN_POL_SECONDS fills no setting" in told[0]
    assert "Was TONGBAN_POLL_SECONDS meant?" in told[0]


def test_a_variable_named_in_the_file_takes_its_place(file: Path) -> None:
    file.write_text("kafka: {brokers: '${HOST}:${TONGBAN_PORT}', password: '$${HOST}'}\n")

    settings = load(_Settings, file, {"HOST": "h", "TONGBAN_PORT": "9"})

    assert settings.kafka.brokers == "h:9"
    assert settings.kafka.password == SecretStr("${HOST}")


def test_a_variable_named_in_the_file_and_not_set_is_told_with_its_line(file: Path) -> None:
    told = _refusal(file, "kafka:\n  brokers: ${HOST}:9092\n")

    assert told[0].startswith(f"{file}:2: kafka.brokers asks for the environment variable HOST, which is not set.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kafka: [\n", ":2: this is not valid YAML"),
        ("\nkafka: \x07\n", ":2: this is not valid YAML"),
        ("- kafka\n", ":1: names with values"),
        ("kafka: {brokers: a}\nkafka: {brokers: b}\n", ":2: kafka is given a second time (first in line 1)"),
        ("? [a]\n: b\n", ":1: a name on the left of the colon"),
        ("kafka: &a {brokers: *a}\n", ":1: this value refers to itself"),
    ],
)
def test_a_file_that_cannot_be_meant_is_told_with_its_line(file: Path, text: str, told: str) -> None:
    assert _refusal(file, text)[0].startswith(f"{file}{told}")


def test_a_file_that_is_not_there_or_no_text_is_told(file: Path) -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        load(_Settings, file, {})
    file.write_bytes("kafka: {brokers: 广}".encode("gb18030"))
    with pytest.raises(SettingsError, match=r"not UTF-8 text \(byte 18\)"):
        load(_Settings, file, {})


def test_no_error_and_no_print_shows_a_secret(file: Path) -> None:
    planted = "Wm9-planted"
    file.write_text(f"kafka: {{brokers: b, password: {planted}}}\n")
    shown = [repr(load(_Settings, file, {})), str(load(_Settings, file, {}))]
    shown += _refusal(file, f"kafka: {{brokers: [{planted}], password: [{planted}]}}\nworkers: {planted}\n")
    shown += _refusal(file, f"kafka: {{brokers: b, password: {planted}}}\n", {"TONGBAN_WORKERS": planted})

    assert planted not in "\n".join(shown)


@given(
    st.sampled_from(["01", "0x1F", "007.5", "NO", "on", "2024-05-01", "12:30", "1_000", "1e5", "Null", ".5", "True"])
)
def test_a_code_stays_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, code: str) -> None:
    file = tmp_path_factory.getbasetemp() / "codes.yaml"
    file.write_text(f"{code}: {code}\nlist: [{code}]\n")

    data, _ = load_yaml(file)

    assert data == {code: code, "list": [code]}


def test_plain_numbers_truth_and_nothing_are_what_they_look_like(file: Path) -> None:
    file.write_text("a: [0, -7, 12, 0.5, -1.5e-3, true, false, null, ~]\nb:\n1: x\nnull: y\n")

    data, _ = load_yaml(file)

    assert data == {"a": [0, -7, 12, 0.5, -0.0015, True, False, None, None], "b": None, "1": "x", "null": "y"}


def test_an_anchored_part_is_taken_in_where_it_is_named(file: Path) -> None:
    file.write_text("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n")

    data, lines = load_yaml(file)

    assert data["y"] == {"a": 1, "b": 3}
    assert (lines["y", "a"], lines["y", "b"]) == (1, 4)


_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), _plain, max_size=4))
def test_what_yaml_writes_is_read_as_it_was_and_every_name_has_a_line(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(yaml.safe_dump(data))

    read, lines = load_yaml(file)

    assert read == data
    assert set(lines) == {()} | {place for name, value in data.items() for place in _places(value, (name,))}


def test_other_models_are_checked_with_the_same_words(file: Path) -> None:
    file.write_text("name: A\nunits: wan\n")
    data, lines = load_yaml(file)

    with pytest.raises(SettingsError, match=r":2: there is no setting units\. Was unit meant\?"):
        validated(_Column, data, lines, file)


def test_settings_that_do_not_go_together_are_told_in_the_words_of_who_checks_them(file: Path) -> None:
    file.write_text("first: 2\nlast: 1\n")

    with pytest.raises(SettingsError, match=f"^{file}:1: settings: the first comes after the last\\.\n"):
        load(_Span, file, {})


def test_a_key_file_gives_its_bytes(tmp_path: Path) -> None:
    key = _key_file(tmp_path, "00ff" * 16 + "\n", 0o640)

    assert secret(key) == b"\x00\xff" * 16


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("ab" * 32, 0o644, r"every user of this machine may use this key file \(mode 0644\)"),
        ("ab" * 31, 0o600, r"the key has 31 bytes; at least 32 are needed"),
        ("Wm9-planted", 0o600, r"holds hexadecimal digits and nothing else"),
        ("龥" * 64, 0o600, r"holds hexadecimal digits and nothing else"),
    ],
)
def test_a_key_file_that_protects_nothing_is_refused_and_not_shown(
    tmp_path: Path, text: str, mode: int, told: str
) -> None:
    key = _key_file(tmp_path, text, mode)

    with pytest.raises(SettingsError, match=told) as refusal:
        secret(key)
    assert text not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="this key file cannot be read"):
        secret(tmp_path / "nowhere")


def _refusal(file: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        load(_Settings, file, environ or {})
    return str(refusal.value).splitlines()


def _places(value: object, place: tuple[str | int, ...]) -> set[tuple[str | int, ...]]:
    inner: dict[str | int, object] = {}
    if isinstance(value, dict):
        inner = dict(value)
    elif isinstance(value, list):
        inner = dict(enumerate(value))
    return {place}.union(*(_places(each, (*place, part)) for part, each in inner.items()))


def _key_file(folder: Path, text: str, mode: int) -> Path:
    file = folder / "district.key"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file
