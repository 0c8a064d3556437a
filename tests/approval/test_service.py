"""The service put together from the settings: what it is given, and what it cannot answer with."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from approval.api.answering import Desk
from approval.api.service import answering
from approval.settings import Settings
from approval.view import View, engine_of
from process import settings
from process.errors import SettingsError
from schemas.installed import shipped
from tests.approval.registry import KEY


def secret(folder: Path, name: str, value: bytes) -> str:
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(value.hex())
    return str(file)


@contextmanager
def answered_with(folder: Path, **more: Any) -> Iterator[Desk]:
    """The service with these settings beside the ordinary ones, over an empty view."""
    ordinary = {
        "kafka": {"brokers": "127.0.0.1:1", "prefix": "t."},
        "state_dir": str(folder),
        "district_key_file": secret(folder, "district.key", KEY.secret),
    }
    (folder / "approval.yaml").write_text(yaml.safe_dump({**ordinary, **more}))
    chosen = settings.load(Settings, folder / "approval.yaml", {})
    with (
        closing(View(engine_of(chosen.database))),
        answering(chosen, shipped(), chosen.district_key(), CollectorRegistry()) as desk,
    ):
        yield desk


def grant(folder: Path, sensitivity: str, name: str = "token") -> dict[str, Any]:
    return {"sensitivity": sensitivity, "token_file": secret(folder, name, name.encode() * 32)}


def test_it_says_where_it_answers_and_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answered_with(tmp_path):
        (line,) = [yaml.safe_load(each) for each in capsys.readouterr().err.splitlines()]
        connection = HTTPConnection(line["address"], line["port"])
        connection.request("GET", "/v1/items")
        status = connection.getresponse().status
        connection.close()

    assert (line["event"], line["address"], status) == ("approval.answering", "127.0.0.1", 200)


def test_in_the_clear_beyond_the_loopback_it_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answered_with(tmp_path, api_address="0.0.0.0", grants={"terminal": grant(tmp_path, "public")}):  # noqa: S104
        assert "approval.answering_in_the_clear" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"api_address": "192.0.2.1"}, r"beyond the loopback \(api_address\) only grants are answered: give grants"),
        ({"api_certificate_file": "api.pem"}, "give api_certificate_file and api_certificate_key_file together"),
        ({"api_certificate_file": "no", "api_certificate_key_file": "no"}, "certificate or its key cannot be used"),
        ({"default_grant": "everything"}, r"approval.yaml:\d+: default_grant"),
        ({"grants": {"terminal": {"sensitivity": "secret"}}}, r"approval.yaml:\d+: grants.terminal.sensitivity"),
        (
            {"grants": {"terminal": {"sensitivity": "public", "token_file": "nowhere"}}},
            "nowhere: this key file cannot be read",
        ),
        ({"grants": {"A B": {}}}, "grants.A B"),
        ({"api_port": 70000}, r"approval.yaml:\d+: api_port"),
        ({"audit_log_key_file": "nowhere"}, "nowhere: this key file cannot be read"),
    ],
)
def test_settings_nobody_can_be_answered_with_stop_the_start(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said), answered_with(tmp_path, **more):
        pass


def test_two_callers_with_one_token_could_not_be_told_apart(tmp_path: Path) -> None:
    both = {"terminal": grant(tmp_path, "public"), "window": grant(tmp_path, "personal")}

    with (
        pytest.raises(SettingsError, match=r"window: terminal has the same token"),
        answered_with(tmp_path, grants=both),
    ):
        pass


def test_what_is_wrong_with_one_part_leaves_no_other_behind(tmp_path: Path) -> None:
    with answered_with(tmp_path) as desk:
        assert desk.can_write_down()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match="in use"), answered_with(tmp_path, api_port=port):
            pass
    with answered_with(tmp_path) as desk:
        assert desk.can_write_down()
