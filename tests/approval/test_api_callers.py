"""Who may ask: tokens, other sites' pages, names of this machine, TLS."""

import subprocess
from pathlib import Path

import pytest

from approval.api.server import Server
from approval.api.shapes import Evaluated
from approval.grants import Sensitivity
from process.errors import SettingsError
from tests.approval.asking import SUBJECT, Window, bearer, window
from tests.approval.test_api_refusals import said


def test_a_token_says_who_asks_and_how_much_may_be_told(fresh: Window) -> None:
    told = {grant: fresh.ask(grant=grant) for grant in Sensitivity}

    assert [record["caller"] for record in fresh.audited()] == [str(grant) for grant in Sensitivity]
    assert told[Sensitivity.PUBLIC].told["subjects"]["applicant"] == {
        "subject": None,
        "condition": "withheld",
        "name": "示例食品有限公司",
    }
    assert told[Sensitivity.INTERNAL].told["subjects"]["applicant"]["subject"] == SUBJECT
    assert all(Evaluated.model_validate_json(reply.body) for reply in told.values())


def test_a_token_may_be_written_in_either_case(asked: Window) -> None:
    token = {name: value.upper().replace("BEARER", "bearer") for name, value in bearer(Sensitivity.SENSITIVE).items()}

    assert asked.ask(headers=token).status == 200


@pytest.mark.parametrize("credentials", ["", "Bearer", "Bearer ", "Bearer 00", "Basic 01", "Bearer \xff", "01" * 32])
def test_a_token_nobody_knows_is_refused_and_the_default_does_not_stand_in(asked: Window, credentials: str) -> None:
    reply = asked.ask(headers={"Authorization": credentials})

    said(reply, 401, "no_token")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_beyond_the_loopback_nobody_is_answered_without_a_token(tmp_path: Path) -> None:
    with window(tmp_path, anonymous=None) as opened:
        nobody, page, somebody = opened.ask(), opened.fill_in(), opened.ask(grant=Sensitivity.PUBLIC)
        described = opened.get("/openapi.json").told

    said(nobody, 401, "no_token")
    assert (page.status, somebody.status) == (401, 200)
    assert described["paths"]["/v1/evaluations"]["post"]["security"] == [{"token": []}]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://elsewhere.example"},
    ],
)
def test_another_sites_page_is_not_answered_whatever_it_sends(asked: Window, headers: dict[str, str]) -> None:
    said(asked.ask(headers=headers), 403, "from_elsewhere")
    said(asked.ask(headers=headers, grant=Sensitivity.PUBLIC), 403, "from_elsewhere")
    assert asked.fill_in(headers=headers).status == 403


def test_our_own_page_is_answered(asked: Window) -> None:
    ours = f"http://127.0.0.1:{asked.server.port}"

    assert asked.fill_in(headers={"Sec-Fetch-Site": "same-origin", "Origin": ours}).status == 200
    # Under a stricter one a browser says of our own form that it comes from nowhere.
    assert asked.get("/").headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "[::1", "127.0.0.1@a.example", "10.0.0.1"]
)
def test_under_another_name_this_machine_does_not_answer_without_a_token(asked: Window, host: str) -> None:
    said(asked.ask(headers={"Host": host}), 421, "other_host")


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1:9", "[::1]:80"])
def test_under_its_own_names_it_does(asked: Window, host: str) -> None:
    assert asked.ask(headers={"Host": host}).status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "api.pem", folder / "api.key"
    making = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*making, *named, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def test_over_tls_the_same_is_answered_and_in_the_clear_nothing_is(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    with window(tmp_path, tls=certificate) as opened:
        answered = opened.ask()
        in_the_clear = opened.raw(b"GET /v1/items HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert answered.status == 200
    assert b"HTTP" not in in_the_clear


def test_a_certificate_without_its_key_is_told(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    foreign = tmp_path / "foreign.key"
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-out", foreign], check=True)
    locked = tmp_path / "locked.key"
    locking: list[str | Path] = [
        "openssl",
        "ec",
        "-in",
        certificate[1],
        "-aes256",
        "-passout",
        "pass:secret",
        "-out",
        locked,
    ]
    subprocess.run(locking, check=True, capture_output=True)

    for key in (foreign, locked, tmp_path / "nowhere.key"):
        with pytest.raises(SettingsError, match="certificate or its key cannot be used"):
            Server(_never, "127.0.0.1", 0, certificate[0], key)


async def _never(scope: object, receive: object, send: object) -> None:
    """An application that nobody reaches."""
