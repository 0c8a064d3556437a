"""One broker that the tests of a file break, each with topics of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.transactions import Setting, setting
from transport.broker import LocalBroker
from transport.settings import Library


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    with LocalBroker(tmp_path_factory.mktemp("breakable") / "broker") as broker:
        yield broker


@pytest.fixture
def there(breakable: LocalBroker, library: Library) -> Setting:
    if not breakable.alive():  # a test that failed left it so
        breakable.start()
    return setting(breakable, library)
