"""The reader on a real broker: what is published is evaluated, what is not committed is not seen."""

import json
import signal
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from prometheus_client import CollectorRegistry

from approval import reader
from approval.reader import Gauges
from approval.view import View, engine_of
from process.errors import SettingsError, TransientError
from schemas.subjects import DistrictKey
from tests.approval.broker import followed, publish, wait
from tests.approval.command import NUMBER, SUBJECT, Approval
from tests.approval.registry import (
    FIRM,
    KEY,
    MARKET,
    TAX,
    code,
    entry,
    everywhere,
    fact,
    of_alias,
    of_entry,
    of_history,
    of_watermark,
    watermark,
)
from transport.client import Outgoing
from transport.settings import Kafka


def marks(prefix: str, cycle: int = 1) -> list[Outgoing]:
    now = datetime.now(UTC)
    return [*everywhere(MARKET, now, cycle, prefix), *everywhere(TAX, now, cycle, prefix)]


def both(value: bytes, change: int, prefix: str) -> list[Outgoing]:
    """A change as the exchange publishes it: in the registry and in the history."""
    return [of_entry(SUBJECT, value, change, prefix), of_history(SUBJECT, value, change, prefix)]


def test_a_published_firm_is_waived_then_revoked_and_its_past_can_be_asked(approval: Approval) -> None:
    prefix = approval.kafka.prefix
    publish(approval.kafka, [*both(entry(SUBJECT), 1, prefix), *marks(prefix)])
    approval("run", "--until-idle", "0.5")
    before = approval.licence()
    between = datetime.now(UTC).isoformat()
    revoked = entry(SUBJECT, {**FIRM, "status": fact(code("REVOKED", "2"))}, cycle=2)
    publish(approval.kafka, [*both(revoked, 2, prefix), *marks(prefix, 2)])
    approval("run", "--until-idle", "0.5")
    after, past = approval.licence(), approval.licence("--at", between)

    assert (before["verdict"], before["follow"]) == ("proved", "waive")
    assert (after["verdict"], after["follow"]) == ("disproved", "ask_clerk")
    assert past["verdict"] == "proved"
    assert {each["department"] for each in before["facts"]} == {"market_supervision"}


def test_what_is_not_committed_or_taken_back_is_not_on_record(approval: Approval) -> None:
    prefix = approval.kafka.prefix
    publish(approval.kafka, marks(prefix))
    publish(approval.kafka, both(entry(SUBJECT), 1, prefix), commit=False)
    approval("run", "--until-idle", "0.5")
    never = approval.licence()
    publish(approval.kafka, [*both(entry(SUBJECT), 1, prefix), *marks(prefix)])
    publish(approval.kafka, [of_entry(SUBJECT, None, prefix=prefix), *marks(prefix, 2)])
    approval("run", "--until-idle", "0.5")
    gone = approval.licence()

    assert (never["verdict"], gone["verdict"]) == ("absent_as_of", "absent_as_of")


def test_the_page_stands_alone_and_shows_no_number(approval: Approval) -> None:
    prefix = approval.kafka.prefix
    publish(approval.kafka, [*both(entry(SUBJECT, numbers=[("credit_code", "X")]), 1, prefix), *marks(prefix)])
    approval("run", "--until-idle", "0.5")
    file = approval.folder / "page.html"
    approval("evaluate", "food_business_licence", "--subject", f"applicant={NUMBER}", "--page", str(file))
    page = file.read_text("utf-8")

    assert "示例食品有限公司" in page
    assert "免提交" in page
    assert NUMBER not in page
    assert "legal:org" not in page
    assert "http" not in page


def test_status_tells_sources_and_counts(approval: Approval) -> None:
    prefix = approval.kafka.prefix
    publish(approval.kafka, [*both(entry(SUBJECT), 1, prefix), *marks(prefix, 4)])
    approval("run", "--until-idle", "0.5")
    told = json.loads(approval("status", "--json"))

    assert told["caught_up"] is True
    assert told["entries"] == [{"kind": "legal_person", "condition": "live", "count": 1}]
    assert {source["source"]: source["cycle"] for source in told["sources"]} == {
        MARKET: {"least": 4, "most": 4},
        TAX: {"least": 4, "most": 4},
    }


def test_a_reader_killed_and_started_again_leaves_the_rows_of_one_that_was_not(approval: Approval) -> None:
    prefix = approval.kafka.prefix
    publish(approval.kafka, [*both(entry(SUBJECT), 1, prefix), *marks(prefix)])
    with approval.running() as (process, *_):
        publish(approval.kafka, [*both(entry(SUBJECT, cycle=2), 2, prefix), *marks(prefix, 2)])
        process.kill()
    approval("run", "--until-idle", "0.5")
    killed = approval.rows()
    (approval.folder / "state" / "view.db").unlink()
    approval("run", "--until-idle", "0.5")

    assert killed == approval.rows()
    assert len(killed["past_entries"]) == 2


def test_a_reader_tells_that_it_is_ready_and_ends_well_when_asked(approval: Approval) -> None:
    publish(approval.kafka, marks(approval.kafka.prefix))
    with approval.running() as (process, port, _):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            ready = json.load(answer)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            metrics = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        code = process.wait()

    assert ready == {"ready": True, "caught_up": True, "connected": True, "audit_log_writable": True}
    assert 'tongban_approval_records_total{topic="registry.legal-person"} 6.0' in metrics
    assert code == 0


def test_an_unknown_schema_ends_the_reader_with_try_again_later(approval: Approval) -> None:
    unknown = b"\0" + (7).to_bytes(4, "big") + b"body"
    publish(approval.kafka, [of_entry(SUBJECT, unknown, prefix=approval.kafka.prefix)])

    assert "schema id 7" in approval("run", code=3)


def test_without_a_view_evaluation_says_what_to_start(approval: Approval) -> None:
    told = approval("evaluate", "food_business_licence", "--subject", f"applicant={NUMBER}", code=3)

    assert "approval run" in told


def test_a_number_can_be_given_on_standard_input_where_no_process_list_shows_it(approval: Approval) -> None:
    publish(approval.kafka, [*both(entry(SUBJECT), 1, approval.kafka.prefix), *marks(approval.kafka.prefix)])
    approval("run", "--until-idle", "0.5")
    told = approval(
        "evaluate", "food_business_licence", "--subject", "applicant=-", "--lang", "en", given=f"{NUMBER}\n"
    )

    assert "[no paper needed] Copy of the business licence: proved" in told


def test_wrong_arguments_are_refused_without_repeating_numbers(approval: Approval) -> None:
    wrong_role = approval("evaluate", "food_business_licence", "--subject", f"owner={NUMBER}", code=2)
    no_time_zone = approval(
        "evaluate", "food_business_licence", "--subject", f"applicant={NUMBER}", "--at", "2024-05-20", code=2
    )

    assert NUMBER not in wrong_role
    assert "--at 2024-05-20" in no_time_zone


def test_another_district_key_is_refused(installed: Kafka, tmp_path: Path) -> None:
    other = DistrictKey(bytes(32))
    view = View(engine_of(f"sqlite:///{tmp_path / 'view.db'}"))

    with closing(view), pytest.raises(SettingsError, match="key_fingerprint"):
        reader.follow(followed(installed), view, Gauges(CollectorRegistry()), other, Event(), 0.1)


def test_an_installation_without_a_generation_is_waited_for(kafka: Kafka, tmp_path: Path) -> None:
    view = View(engine_of(f"sqlite:///{tmp_path / 'view.db'}"))

    with closing(view), pytest.raises(TransientError, match="exchange topics apply"):
        reader.follow(followed(kafka), view, Gauges(CollectorRegistry()), KEY, Event(), 0.1)


def test_a_running_reader_follows_and_stops_when_asked(installed: Kafka, tmp_path: Path) -> None:
    view = View(engine_of(f"sqlite:///{tmp_path / 'view.db'}"))
    registry, stop = CollectorRegistry(), Event()
    following = Thread(target=reader.run, args=(followed(installed), view, Gauges(registry), KEY, stop))
    following.start()
    mark = of_watermark(MARKET, 0, watermark(MARKET, 0, datetime.now(UTC)), installed.prefix)
    publish(installed, [of_alias(SUBJECT, "legal:org:000000027", prefix=installed.prefix), mark])
    topic = {"topic": "registry.legal-person"}
    wait(lambda: registry.get_sample_value("tongban_approval_records_total", topic) == 2, following)
    stop.set()
    following.join()
    view.close()

    assert registry.get_sample_value("tongban_approval_caught_up") == 1
