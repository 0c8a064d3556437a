"""The store in memory does what the real one does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.mapper import Target
from connectors.plan import Change, Note
from connectors.store import Store
from tests.simulation.store import DictStore

notes = st.lists(
    st.builds(
        Note,
        st.sampled_from("AB").map(lambda subject: Target("", "market_supervision/enterprise-1", subject)),
        st.sampled_from([b"x" * 16, b"y" * 16, None]),
        st.booleans(),
    ),
    max_size=2,
    unique_by=lambda note: note.target,
).map(tuple)
rows = st.sampled_from(["r1", "r2"])
changes = st.builds(Change, rows, notes, notes, st.just(()))
steps = st.one_of(
    st.tuples(st.just("note"), st.lists(changes, max_size=2), st.sampled_from("abc"), st.sampled_from("abc")),
    st.tuples(st.just("settle"), st.lists(changes, max_size=2)),
    st.tuples(st.just("join"), st.lists(st.tuples(rows, notes), max_size=2)),
    st.tuples(st.just("wipe")),
)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.close()


def told(store: Store) -> Any:
    found = [store.noted(row) for row in ("r1", "r2", "r3")]
    return store.count(), list(store.all()), found, [store.matches(each) for each in "abc"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=8))
def test_whatever_is_done_to_it_the_store_in_memory_tells_what_the_real_one_tells(
    real: Store, steps: list[tuple[Any, ...]]
) -> None:
    real.wipe()
    memory = DictStore(real.folder)
    for name, *arguments in steps:
        for store in (real, memory):
            getattr(store, name)(*arguments)

    assert told(memory) == told(real)
