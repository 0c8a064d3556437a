"""What tests of the approval side may ask for: windows of the API, and the command on a registry of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.approval.asking import Window, window
from tests.approval.broker import install
from tests.approval.command import Approval
from transport.settings import Kafka


@pytest.fixture
def installed(kafka: Kafka) -> Kafka:
    install(kafka)
    return kafka


@pytest.fixture
def approval(installed: Kafka, tmp_path: Path) -> Approval:
    return Approval(installed, tmp_path)


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A window that tests ask at and leave as it was."""
    with window(tmp_path_factory.mktemp("asked")) as opened:
        yield opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Window]:
    """A window of the test's own."""
    with window(tmp_path) as opened:
        yield opened
