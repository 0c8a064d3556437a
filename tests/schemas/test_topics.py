"""Every topic of an installation is as the readers of it need it."""

from __future__ import annotations

import pytest

from schemas import topics
from schemas.topics import Topic

DEPARTMENTS = ["local_tax", "market_supervision"]
ALL = {topic.name: topic for topic in topics.all_topics("x.", 12, DEPARTMENTS)}
DAY_MS = 86_400_000


def test_every_topic_stands_once_under_the_prefix() -> None:
    listed = topics.all_topics("x.", 12, DEPARTMENTS)

    assert len(ALL) == len(listed) == 16
    assert all(name.startswith("x.") for name in ALL)


def test_the_order_departments_are_named_in_makes_no_difference() -> None:
    assert topics.all_topics("x.", 12, DEPARTMENTS[::-1]) == topics.all_topics("x.", 12, DEPARTMENTS)


def test_every_name_that_others_ask_for_is_a_topic() -> None:
    per_department = [topics.dept, topics.positions, topics.quarantine, topics.reconciliation]
    asked = {name("x.", department) for name in per_department for department in DEPARTMENTS}
    asked |= {topics.registry("x.", kind) for kind in topics.KINDS}
    asked |= {name("x.") for name in (topics.history, topics.state, topics.control, topics.journal)}

    assert set(ALL) - asked == {"x.identity.edges", "x.identity.aliases"}
    assert asked <= set(ALL)


def test_what_meets_in_one_partition_has_as_many_partitions_everywhere() -> None:
    together = ["dept.local_tax", "dept.market_supervision", "registry.legal-person", "registry.natural-person"]
    together += ["registry.history", "exchange.state", "exchange.control", "exchange.journal"]

    assert {ALL[f"x.{name}"].partitions for name in together} == {12}


@pytest.mark.parametrize(
    "name", ["positions.local_tax", "reconciliation.local_tax", "identity.edges", "identity.aliases"]
)
def test_what_is_read_whole_by_one_has_one_partition(name: str) -> None:
    assert ALL[f"x.{name}"].partitions == 1


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("dept.local_tax", 30),
        ("quarantine.local_tax", 90),
        ("reconciliation.local_tax", 90),
        ("exchange.journal", 365),
    ],
)
def test_what_passes_is_kept_for_days(name: str, days: int) -> None:
    configs = ALL[f"x.{name}"].configs

    assert (configs["cleanup.policy"], configs["retention.ms"]) == ("delete", str(days * DAY_MS))


@pytest.mark.parametrize(
    "name",
    ["positions.local_tax", "registry.legal-person", "registry.history", "exchange.state", "identity.aliases"],
)
def test_what_is_known_is_compacted_and_its_tombstones_stay_a_month(name: str) -> None:
    configs = ALL[f"x.{name}"].configs

    assert (configs["cleanup.policy"], configs["delete.retention.ms"]) == ("compact", str(30 * DAY_MS))
    assert "retention.ms" not in configs


def test_control_is_kept_for_ever_in_every_word() -> None:
    configs = ALL["x.exchange.control"].configs

    assert (configs["cleanup.policy"], configs["retention.ms"]) == ("delete", "-1")


@pytest.mark.parametrize("topic", ALL.values(), ids=lambda topic: topic.name)
def test_every_stock_reader_can_read_every_topic(topic: Topic) -> None:
    assert topic.configs["compression.type"] == "lz4"
    assert int(topic.configs["max.message.bytes"]) <= 1_048_576


def test_what_wraps_a_departments_message_may_be_larger_than_it() -> None:
    wraps = ["quarantine.local_tax", "exchange.state", "registry.legal-person", "registry.history"]

    assert all(2 * ALL["x.dept.local_tax"].max_bytes <= ALL[f"x.{name}"].max_bytes for name in wraps)
