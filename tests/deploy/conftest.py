"""A whole district for the tests that look at what is in it."""

import pytest

from deploy.district.sample import District, whole


@pytest.fixture(scope="session")
def district() -> District:
    return whole(seed=11, people=3_000)
