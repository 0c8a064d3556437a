"""`approval run` on a real broker: follows the registry, answers over HTTP, and says what it needs."""

import json
import signal
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from tests.approval.asking import JSON, QUESTION
from tests.approval.broker import publish
from tests.approval.command import NUMBER, SUBJECT, Approval, Running
from tests.approval.registry import MARKET, TAX, entry, everywhere, of_entry, of_history
from transport.client import Outgoing

TOKEN = b"t" * 32


def firm(prefix: str) -> list[Outgoing]:
    """A firm on record, and both departments complete."""
    now = datetime.now(UTC)
    value = entry(SUBJECT)
    marks = [*everywhere(MARKET, now, prefix=prefix), *everywhere(TAX, now, prefix=prefix)]
    return [of_entry(SUBJECT, value, 1, prefix), of_history(SUBJECT, value, 1, prefix), *marks]


def ask(running: Running, token: bytes | None = None, **more: Any) -> tuple[int, bytes]:
    authorization = {"Authorization": f"Bearer {token.hex()}"} if token else {}
    connection = HTTPConnection("127.0.0.1", running.api_port)
    connection.request("POST", "/v1/evaluations", json.dumps({**QUESTION, **more}), {**JSON, **authorization})
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def test_over_http_the_same_is_answered_as_by_the_command(approval: Approval) -> None:
    approval.set(default_grant="sensitive")
    publish(approval.kafka, firm(approval.kafka.prefix))
    with approval.running() as running:
        at = datetime.now(UTC).isoformat()
        subject = f"applicant={NUMBER}"
        printed = approval("evaluate", "food_business_licence", "--subject", subject, "--at", at, "--json")
        status, answered = ask(running, at=at)

    assert status == 200
    assert answered.decode() == printed
    assert '"proved"' in printed


def test_questions_stand_on_the_metrics_page_and_in_a_log_that_can_be_verified(approval: Approval) -> None:
    publish(approval.kafka, firm(approval.kafka.prefix))
    with approval.running() as running:
        ask(running)
        ask(running, subjects={"applicant": "12"})
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/metrics") as answer:
            metrics = answer.read().decode()
        while_running = json.loads(approval("audit", "verify"))
        running.process.send_signal(signal.SIGTERM)
        code = running.process.wait()
    kept = while_running["last"]
    log = approval.folder / "state" / "approval-audit.jsonl"
    afterwards = approval("audit", "verify", "--through", kept)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0])
    cut = approval("audit", "verify", "--through", kept, code=4)
    log.write_bytes(lines[0].replace(b"W023", b"W024") + lines[1])
    altered = approval("audit", "verify", code=4)

    assert 'tongban_approval_requests_total{outcome="answered"} 1.0' in metrics
    assert 'tongban_approval_requests_total{outcome="unreadable_number"} 1.0' in metrics
    assert "tongban_approval_answer_duration_seconds_count 1.0" in metrics
    assert code == 0
    assert while_running == json.loads(afterwards)
    assert (while_running["records"], while_running["cut_short"], while_running["unfinished"]) == (2, 0, False)
    assert "does not go through the record 2" in cut
    assert "approval-audit.jsonl:1: this record is not as it was written" in altered


def test_callers_have_the_grants_the_settings_give_them(approval: Approval) -> None:
    publish(approval.kafka, firm(approval.kafka.prefix))
    grant = {"sensitivity": "public", "token_file": str(approval.secret("terminal", TOKEN))}
    approval.set(grants={"terminal": grant}, default_grant="sensitive")
    with approval.running() as running:
        public, default, wrong = ask(running, TOKEN), ask(running), ask(running, b"w" * 32)

    assert [json.loads(answer)["subjects"]["applicant"]["subject"] for _, answer in (public, default)] == [
        None,
        SUBJECT,
    ]
    assert wrong[0] == 401


def test_a_second_one_with_the_same_log_is_turned_away(approval: Approval) -> None:
    publish(approval.kafka, firm(approval.kafka.prefix))
    with approval.running():
        assert "Another process writes the audit log" in approval("run", "--until-idle", "0.1", code=6)


def test_a_log_that_cannot_be_opened_stops_the_start(approval: Approval) -> None:
    (approval.folder / "state" / "approval-audit.jsonl").mkdir(parents=True)

    assert "cannot be written (Is a directory)" in approval("run", code=3)


def test_a_place_nobody_printed_is_refused(approval: Approval) -> None:
    assert "--through: write SEQUENCE:HASH" in approval("audit", "verify", "--through", "2", code=2)
