"""Random histories of one source: every promise holds at every step, and each rule that keeps them is needed."""

from __future__ import annotations

import os

import pytest

from tests.simulation.explore import RULES, SCENARIOS, outcome, run

SEEDS = int(os.environ.get("SIMULATED_SEEDS", "60"))

# Where chance finds that a rule is missing: the rule, a seed, and the promise that is broken without it.
FOUND = [
    ("present-stops-too", 54, "ghost"),
    ("absence-at-snapshot", 1, "false absence"),
    ("absence-cycle", 7, "false absence"),
    ("refused-under-readable-key", 7, "false absence"),
    ("refused-counted-once", 6, "promise 1"),
    ("note-voids-hash", 267, "promise 1"),
    ("held-in-band", 7, "promise 1"),
    ("store-matches-by-id", 161, "promise 1"),
    ("fuse-in-positions", 17, "fuse"),
]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_promise_holds_at_every_step_and_at_rest_the_registry_is_the_source(seed: int) -> None:
    assert outcome(run(seed), None) is None


@pytest.mark.parametrize(("rule", "seed", "promise"), FOUND)
def test_a_rule_that_is_put_back_is_caught(rule: str, seed: int, promise: str) -> None:
    assert outcome(run(seed), None) is None
    assert (outcome(run(seed), rule) or "").startswith(promise)


@pytest.mark.parametrize("rule", SCENARIOS)
def test_a_rule_that_chance_does_not_need_is_needed_by_a_written_sequence(rule: str) -> None:
    assert outcome(SCENARIOS[rule], None) is None
    assert outcome(SCENARIOS[rule], rule) is not None


def test_every_rule_is_shown_to_be_needed() -> None:
    assert {rule for rule, _, _ in FOUND} | SCENARIOS.keys() == RULES.keys()
