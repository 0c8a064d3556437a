"""Topics and the generation: what is planned, completed, and refused for life."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from exchange import control, provision
from process.errors import SettingsError, TransientError
from schemas.codec import contract
from schemas.installed import shipped
from schemas.subjects import DistrictKey
from schemas.topics import all_topics
from tests.exchange.log import Log
from tests.exchange.memory import PREFIX
from transport.client import TopicDescription, TopicPartition

DEPARTMENTS = ("local_tax", "market_supervision")
KEY = DistrictKey(bytes(range(32)))
CONTROL = f"{PREFIX}exchange.control"


def plan(log: Log, partitions: int = 3) -> provision.Plan:
    wanted = all_topics(PREFIX, partitions, DEPARTMENTS)
    return provision.plan(wanted, log.admin().describe_topics([topic.name for topic in wanted]))


def apply(log: Log, partitions: int = 3, key: DistrictKey = KEY, policy: str = "policy", audit: str = "audit") -> int:
    wanted = all_topics(PREFIX, partitions, DEPARTMENTS)
    provision.apply(log.admin(), plan(log, partitions), wanted, 1)
    return provision.begin(log, PREFIX, control.generation(partitions, key, audit), replace(shipped(), policy=policy))


def keep(log: Log, **counts: int) -> None:
    """Lose what was written to partitions of the control topic, but for the first so many records."""
    for number, count in enumerate(counts.values()):
        del log.messages[TopicPartition(CONTROL, number)][count:]


# --- topics ----------------------------------------------------------------------------------------------------------
def test_the_first_plan_creates_every_topic_and_the_next_has_nothing_to_do() -> None:
    log = Log()
    first = plan(log)
    apply(log)

    assert len(first.missing) == len(log.topics) == len(all_topics(PREFIX, 3, DEPARTMENTS))
    assert plan(log).lines() == []


def test_a_plan_shows_what_was_changed_by_hand_and_apply_sets_it_right() -> None:
    log = Log()
    apply(log)
    name = f"{PREFIX}registry.legal-person"
    log.admin().set_configs(name, {"cleanup.policy": "delete"})
    log.admin().delete_topics([f"{PREFIX}registry.history"])

    lines = plan(log).lines()
    apply(log)

    assert [line.split()[:2] for line in lines] == [["create", f"{PREFIX}registry.history"], ["alter", name]]
    assert "cleanup.policy: delete -> compact" in lines[1]
    assert plan(log).lines() == []


def test_settings_that_nobody_asked_for_are_left_alone() -> None:
    log = Log()
    apply(log)
    log.admin().set_configs(f"{PREFIX}registry.history", {"segment.bytes": "1"})

    assert plan(log).lines() == []


def test_a_topic_with_another_partition_count_is_shown_and_refused_before_anything_is_done() -> None:
    log = Log()
    name = f"{PREFIX}dept.local_tax"
    log.topics[name] = TopicDescription(5, 1, {})

    assert f"unfit   {name}  partitions=5, 3 needed" in plan(log).lines()
    with pytest.raises(SettingsError, match=f"{name} has partitions 5, 3 is needed"):
        apply(log)
    assert list(log.topics) == [name]


def test_a_department_that_joins_later_gets_its_topics() -> None:
    log = Log()
    apply(log)
    wanted = all_topics(PREFIX, 3, [*DEPARTMENTS, "steward"])

    planned = provision.plan(wanted, log.admin().describe_topics())

    assert {topic.name for topic in planned.missing} == {
        f"{PREFIX}{kind}.steward" for kind in ("dept", "positions", "quarantine", "reconciliation")
    }


# --- the generation --------------------------------------------------------------------------------------------------
def test_the_first_apply_writes_the_same_beginning_to_every_partition_and_the_next_nothing() -> None:
    log = Log()

    assert (apply(log), apply(log)) == (9, 0)
    found = control.read(log, PREFIX, contract())
    assert len({str(each) for each in found.values()}) == 1
    assert control.installation(log, PREFIX, contract()).policy == "policy"


def test_an_apply_that_was_cut_short_is_completed_with_what_it_had_begun() -> None:
    log = Log()
    apply(log)
    begun = control.installation(log, PREFIX, contract()).generation
    keep(log, first=3, second=1, third=0)
    with pytest.raises(TransientError, match="Partition 1 of"):
        control.installation(log, PREFIX, contract())

    written = apply(log)

    found = control.read(log, PREFIX, contract())
    assert written == 2 + 3
    assert [each.generation for each in found.values()] == [begun] * 3


def test_a_half_written_beginning_is_not_completed_by_rules_that_are_not_its_own() -> None:
    log = Log()
    apply(log, policy="first")
    keep(log, first=3, second=1, third=0)

    apply(log, policy="second")

    assert {each.policies[-1].hash for each in control.read(log, PREFIX, contract()).values()} == {"first"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"key": DistrictKey(bytes(32))}, "key_fingerprint"),
        ({"key": DistrictKey(KEY.secret, "B")}, "key_letter"),
        ({"key": DistrictKey(KEY.secret, "A", "HMAC-SM3")}, "key_fingerprint"),
        ({"audit": "another"}, "audit_fingerprint"),
    ],
)
def test_settings_of_another_generation_are_refused_by_the_name_of_the_field(
    changed: dict[str, Any], field: str
) -> None:
    log = Log()
    apply(log)
    before = {place: len(messages) for place, messages in log.messages.items()}

    with pytest.raises(SettingsError, match=f"another {field} than"):
        apply(log, **changed)
    assert {place: len(messages) for place, messages in log.messages.items()} == before


def test_another_partition_count_is_refused_although_the_topics_were_deleted_meanwhile() -> None:
    log = Log()
    apply(log)
    for name in [name for name in log.topics if name != CONTROL]:
        log.admin().delete_topics([name])

    with pytest.raises(SettingsError, match="partitions"):
        apply(log, partitions=4)


def test_nothing_starts_under_a_prefix_where_nothing_was_applied() -> None:
    with pytest.raises(TransientError, match="does not exist under this prefix"):
        control.installation(Log(), PREFIX, contract())


def test_every_installation_has_an_id_of_its_own() -> None:
    ids = {control.generation(3, KEY, "audit")["installation"] for _ in range(5)}

    assert len(ids) == 5


# --- days ------------------------------------------------------------------------------------------------------------
def test_the_newest_day_of_a_partition_is_the_latest_said_and_not_the_last() -> None:
    log = Log()
    apply(log)
    for day in (date(2990, 1, 2), date(2990, 1, 1)):
        log.write([control.tick(PREFIX, 1, day, contract())])

    ticks = control.installation(log, PREFIX, contract()).ticks

    assert ticks[1] == date(2990, 1, 2)
    assert ticks[0] < ticks[1]
