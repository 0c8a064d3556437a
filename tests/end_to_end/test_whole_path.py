"""From two departments' tables to the registry: counted, true, and without a person's number anywhere."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

from deploy.district import changes, databases, truth_file
from deploy.district.sources import ENTERPRISE
from deploy.district.truth import personal_values
from deploy.installation import running, until
from exchange import look
from schemas import topics
from schemas.codec import contract
from tests.end_to_end.conftest import Ran, ran
from tests.end_to_end.refused import refused_rows
from tests.end_to_end.truth import Report, compare
from tests.two_departments import SOURCES
from transport.broker import Broker


def checked(made: Ran) -> Report:
    told = io.StringIO()
    truth_file.write(made.district, told)
    entries, refused = {"legal_person": made.entries()}, refused_rows(made.client, made.prefix, SOURCES)
    return compare(entries, told.getvalue().splitlines(), made.sources(), made.key(), refused)


def test_every_difference_from_the_truth_is_a_planted_one_and_every_planted_one_is_found(whole: Ran) -> None:
    report = checked(whole)

    assert report.clean, str(report)


def test_the_same_holds_for_databases_on_postgresql(broker: Broker, postgresql: str, tmp_path: Path) -> None:
    urls = {"market_supervision": postgresql, "local_tax": postgresql}
    made = ran(tmp_path / "installation", broker, urls, seed=12, persons=250)
    with running(made.there):
        made.there.start_exchange()
        assert until(made.counted, 60)

    report = checked(made)

    assert report.clean, str(report)


def test_what_a_cycle_read_was_sent_unchanged_or_refused_and_every_row_is_accounted_for(whole: Ran) -> None:
    status = whole.there.status()

    for department, source in SOURCES.items():
        run, now = whole.counts[department], status[source]
        assert run["read"] == run["sent"] + run["unchanged"] + run["refused"]
        assert run["read"] == now["rows_at_source"] == now["live"] + now["refused"]
        assert run["refused"] == now["refused"] == sum(run["refused_by_reason"].values()) > 0


def test_a_second_run_with_nothing_changed_sends_watermarks_only(whole: Ran) -> None:
    before = {department: messages(whole, department) for department in SOURCES}

    counts = {department: whole.there.connect_once(source) for department, source in SOURCES.items()}

    for department in SOURCES:
        new = messages(whole, department)[len(before[department]) :]
        assert counts[department]["sent"] == 0
        assert len(new) == whole.there.partitions
        assert all(key.startswith(b"~watermark:") for key in new)


def messages(made: Ran, department: str) -> list[bytes]:
    """The keys of a department's topic, oldest first."""
    found = list(look.read_all(made.client, topics.dept(made.prefix, department)))
    return [message.key or b"" for message in sorted(found, key=lambda each: (each.timestamp_ms, each.offset))]


def test_rare_names_arrive_as_their_characters(whole: Ran) -> None:
    names = {entry["facts"]["name"]["value"] for entry in whole.entries().values() if entry["facts"]["name"]}

    assert "示例䶮记小吃店" in names
    assert "示例龴和商行" in names


def test_a_row_moved_to_another_subject_leaves_no_claim_behind(whole: Ran) -> None:
    market = [row for row in whole.district.at("market_supervision") if row.outcome == "live" and not row.planted]
    here, there = market[40], market[41]
    moved = changes.move(whole.district, ENTERPRISE, here.record_id, there, changes.FIRST_DAY)
    databases.apply(moved, whole.urls)
    counts = whole.there.connect_once(SOURCES["market_supervision"])

    assert counts["sent"] == 1
    assert until(lambda: holders(whole, here.record_id) == [f"legal:org:{there.subject.value}"], 30)
    databases.apply([c._replace(before=c.now, now=c.before) for c in moved], whole.urls)
    whole.there.connect_once(SOURCES["market_supervision"])
    assert until(lambda: holders(whole, here.record_id) == [f"legal:org:{here.subject.value}"], 30)


def holders(made: Ran, record_id: str) -> list[str]:
    """Subjects of which the row is a member."""
    source = "market_supervision.enterprise"
    return [
        s
        for s, e in made.entries().items()
        if any((m["source"], m["record_id"]) == (source, record_id) for m in e["members"])
    ]


def test_a_restart_without_lmdb_gives_the_same_dump(whole: Ran, tmp_path: Path) -> None:
    before = whole.there.run("exchange", "dump")
    first = next(process for process in whole.there.processes if process.name == "exchange-0")
    first.stop()

    again = whole.there.start_exchange("exchange-fresh", "--until-idle", "2")

    assert again.popen.wait(60) == 0
    assert whole.there.run("exchange", "dump") == before
    assert '"kind": "cold"' in again.log.read_text()
    whole.there.start_exchange()


def test_no_number_of_a_person_stands_in_a_key_header_log_metric_or_reason(whole: Ran) -> None:
    planted = personal_values(whole.district)
    told = "\n".join([*logged(whole), *scraped(whole), *keyed(whole), *reasoned(whole)])

    assert len(planted) > 100
    assert not [value for value in planted if value in told]


def logged(made: Ran) -> list[str]:
    return [log.read_text() for log in (made.there.folder / "logs").iterdir()]


def scraped(made: Ran) -> list[str]:
    """The metrics page of every process that runs."""
    text = "\n".join(process.log.read_text() for process in made.there.processes if process.alive())
    ports = {int(port) for port in re.findall(r'"port": (\d+)', text)}
    pages = []
    for port in ports:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
                pages.append(page.read().decode())
        except OSError:
            continue
    assert pages
    return pages


def keyed(made: Ran) -> list[str]:
    """Every key and header of every topic."""
    admin = made.client.admin()
    names = [name for name in admin.describe_topics() if name.startswith(made.prefix)]
    admin.close()
    found = []
    for name in names:
        for message in look.read_all(made.client, name):
            headers = b" ".join(value for _, value in message.headers)
            found.append(((message.key or b"") + b" " + headers).decode("utf-8", "replace"))
    return found


def reasoned(made: Ran) -> list[str]:
    refusals = [r for name in SOURCES for r in look.quarantined(made.client, made.prefix, name, contract())]
    return [str(refusal) for refusal in refusals]


def test_an_applicants_licence_is_waived_and_no_longer_once_it_is_revoked_at_its_source(whole: Ran) -> None:
    applicant = "applicant=91350299XXDEM00151"

    def verdict() -> dict[str, Any]:
        told = json.loads(
            whole.there.run("approval", "evaluate", "food_business_licence", "--subject", applicant, "--json")
        )
        return next(material for material in told["materials"] if material["id"] == "business_licence")

    assert until(lambda: verdict()["verdict"] == "proved", 30)
    databases.revoke(whole.urls["market_supervision"], "91350299XXDEM00151", changes.FIRST_DAY)
    time.sleep(0.1)
    whole.there.connect_once(SOURCES["market_supervision"])

    assert until(lambda: verdict()["verdict"] == "disproved", 30)
