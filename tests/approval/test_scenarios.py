"""Scenarios: what becomes of each material of the shipped items, a sentence at a time, from registry to verdict.

They stand in `scenarios/*.yaml`: a district in small, and what is different from it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from approval.answer import answer, text
from approval.evaluation import Evaluation
from approval.items import SHIPPED, find
from approval.page import page
from approval.verdicts import Verdict
from process.yaml_lines import load_yaml
from tests.approval.small_district import District

FILES = sorted(Path(__file__).with_name("scenarios").glob("*.yaml"))


def scenarios() -> Iterator[Any]:
    for file in FILES:
        told, _ = load_yaml(file)
        for sentence, scenario in told["scenarios"].items():
            yield pytest.param({**told, **scenario}, id=sentence)


def evaluated(scenario: Mapping[str, Any]) -> Evaluation:
    changed = scenario.get("but", {})
    names = {**scenario["subjects"], **changed}
    merged = {name: {**scenario["subjects"].get(name, {}), **changed.get(name, {})} for name in names}
    told = {name: {key: value for key, value in each.items() if value is not None} for name, each in merged.items()}
    district = District(datetime.fromisoformat(scenario["today"]), told, scenario.get("sources", {}))
    found = district.evaluated(scenario["item"], scenario["asks"])
    looked_up = {district.named(subject) for subject in found.others}
    district.close()

    assert looked_up == set(scenario.get("looked_up", looked_up))
    return found


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_scenario(scenario: Mapping[str, Any]) -> None:
    found = evaluated(scenario)
    told = answer(found.item, found.subjects, found.decisions, found.at, found.others)
    material = next(each for each in told["materials"] if each["id"] == scenario["material"])

    assert material["verdict"] == scenario["verdict"], material["reason"]
    assert material["follow"] == scenario.get("follow", material["follow"])
    assert material["reason"]["code"] == scenario.get("reason", material["reason"]["code"])
    for written in (text({**told, "materials": [material]}, "zh"), page({**told, "materials": [material]}, "zh")):
        assert scenario.get("says", "") in written
        assert scenario.get("never_says", "\0") not in written


def test_every_verdict_is_reached_for_every_item_decided_by_facts() -> None:
    reached: dict[str, set[str]] = {}
    for parameter in scenarios():
        (scenario,) = parameter.values
        reached.setdefault(scenario["item"], set()).add(scenario["verdict"])

    assert reached == {file.stem: set(Verdict) for file in SHIPPED.glob("*.yaml")}


def test_every_material_decided_by_facts_is_proved_denied_missing_and_doubted_in_some_scenario() -> None:
    told: dict[tuple[str, str], set[str]] = {}
    for parameter in scenarios():
        (scenario,) = parameter.values
        told.setdefault((scenario["item"], scenario["material"]), set()).add(scenario["verdict"])
    decided = [(f.stem, m.id) for f in SHIPPED.glob("*.yaml") for m in find(f.stem).materials if m.any_of]
    asked = {"proved", "absent_as_of", "disproved", "stale", "source_behind", "disputed", "in_question"}

    assert {place: sorted(asked - told.get(place, set())) for place in decided if asked - told.get(place, set())} == {}
