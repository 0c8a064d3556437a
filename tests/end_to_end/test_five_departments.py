"""From five departments, each in its own form, to the registry: true of companies and people, part by part."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.district import changes, databases, delivery, people_changes, sample, truth_file
from deploy.district.delivery import Places
from deploy.district.drops import SHANGHAI
from deploy.district.sample import District
from deploy.district.sources import DEPARTMENTS, LOCAL_TAX, MARKET, POLICE, SOCIAL, SOURCES, STATE_TAX
from deploy.installation import Installation, running, until
from exchange import look
from schemas.codec import contract
from tests.end_to_end.dropped import table
from tests.end_to_end.refused import refused_rows
from tests.end_to_end.truth import Report, compare
from transport.broker import Broker
from transport.client import Client, connect
from transport.settings import Kafka

PEOPLE = 5_000
PARTITIONS = 3
AT = datetime(2024, 6, 30, 2, 0, tzinfo=SHANGHAI)
ON = date(2024, 7, 1)


@dataclass(slots=True)
class Ran:
    """An installation over the whole district, every source read once; `district` is what its departments hold now."""

    there: Installation
    places: Places
    district: District
    client: Client

    def read(self) -> None:
        """One cycle of every source, and the exchange has taken all of it."""
        with ThreadPoolExecutor(2) as pool:
            cycles = {
                name: run["cycle"]
                for name, run in zip(SOURCES, pool.map(self.there.connect_once, SOURCES), strict=True)
            }
        assert until(lambda: self._counted() == cycles, 120)

    def _counted(self) -> dict[str, int | None]:
        """The cycle of each source that has been taken whole."""
        status = look.status(self.client, self.there.prefix, contract())
        return {each.source: each.cycle for each in status if each.balanced and each.partitions == PARTITIONS}

    def entries(self) -> dict[str, dict[str, dict[str, Any]]]:
        topics = {"legal_person": "legal-person", "natural_person": "natural-person"}
        return {kind: dict(look.entries(self.client, self.there.prefix, t, contract())) for kind, t in topics.items()}

    def held(self) -> dict[str, list[dict[str, str | None]]]:
        """What stands at every source, dropped files read by a second hand."""
        found = {}
        for name, source in SOURCES.items():
            if source.form == "sql":
                found[name] = databases.rows(self.places.urls[source.department], name)
            else:
                folder = self.places.folders[source.department]
                found[name] = table(folder, source.family, source.columns, source.key[0])
        return found

    def checked(self, folder: Path) -> Report:
        with (folder / "truth.jsonl").open("w+", encoding="utf-8") as file:
            truth_file.write(self.district, file)
            file.seek(0)
            key = bytes.fromhex(self.there.key("district").read_text())
            refused = refused_rows(self.client, self.there.prefix, DEPARTMENTS)
            return compare(self.entries(), file, self.held(), key, refused)


@pytest.fixture(scope="module")
def whole(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder, prefix = tmp_path_factory.mktemp("five"), f"five{uuid.uuid4().hex[:8]}."
    district, places = sample.whole(11, PEOPLE), Places.below(folder)
    delivery.deliver([district], places, AT)
    there = Installation(folder / "installation", broker.bootstrap, prefix, PARTITIONS, environ(places))
    there.write()
    there.apply_topics()
    with running(there):
        there.start_exchange()
        yield Ran(there, places, district, connect(Kafka(brokers=broker.bootstrap, prefix=prefix)))


def environ(places: Places) -> dict[str, str]:
    """What the sources' files ask for."""
    return {
        "MARKET_URL": places.urls[MARKET],
        "STATE_TAX_URL": places.urls[STATE_TAX],
        "SOCIAL_URL": places.urls[SOCIAL],
        "LOCAL_TAX_FOLDER": str(places.folders[LOCAL_TAX]),
        "POLICE_FOLDER": str(places.folders[POLICE]),
    }


def test_every_difference_from_the_truth_is_a_planted_one_and_every_planted_one_is_found(
    whole: Ran, tmp_path: Path
) -> None:
    whole.read()
    report = whole.checked(tmp_path)

    assert report.clean, str(report)
    assert len(report.planted_found) > PEOPLE / 4


def test_the_same_holds_after_companies_and_people_have_changed(whole: Ran, tmp_path: Path) -> None:
    later, of_companies = changes.churn(whole.district, 1, 60)
    later, of_people = people_changes.churn(later, 1, 60, ON)
    delivery.apply(later, [*of_companies, *of_people], whole.places, AT + timedelta(days=1))
    whole.district = later
    whole.read()
    report = whole.checked(tmp_path)

    assert report.clean, str(report)
