"""A broker that goes away makes the reader wait and carry on."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from prometheus_client import CollectorRegistry

from approval import reader
from approval.reader import Gauges
from approval.view import View, engine_of
from tests.approval.broker import followed, install, publish, wait
from tests.approval.registry import KEY, MARKET, of_watermark, watermark
from transport.broker import LocalBroker
from transport.settings import Kafka

TAKEN = "tongban_approval_records_total"
TOPIC = {"topic": "registry.legal-person"}


def test_the_reader_waits_for_a_broker_that_was_killed_and_goes_on_where_it_was(tmp_path: Path) -> None:
    registry, stop = CollectorRegistry(), Event()
    gauges = Gauges(registry)
    with (
        LocalBroker(tmp_path / "data") as broker,
        closing(View(engine_of(f"sqlite:///{tmp_path / 'view.db'}"))) as view,
    ):
        kafka = Kafka(brokers=broker.bootstrap, prefix="t.")
        install(kafka)
        publish(kafka, [of_watermark(MARKET, 0, watermark(MARKET, 0, datetime.now(UTC), 1))])
        following = Thread(target=reader.run, args=(followed(kafka), view, gauges, KEY, stop))
        following.start()
        wait(lambda: registry.get_sample_value(TAKEN, TOPIC) == 1, following)
        broker.kill()
        wait(lambda: not gauges.told()[1], following)
        broker.start()
        publish(kafka, [of_watermark(MARKET, 0, watermark(MARKET, 0, datetime.now(UTC), 2))])
        wait(lambda: registry.get_sample_value(TAKEN, TOPIC) == 2, following)
        stop.set()
        following.join()

    assert gauges.told() == (True, True)
    assert registry.get_sample_value(TAKEN, TOPIC) == 2
