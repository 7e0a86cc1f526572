"""What several tests share."""

from __future__ import annotations

import pytest
from kerasdoctor.knowledge.entry import Entry, load_entries
from kerasdoctor.knowledge.index import Index
from kerasdoctor.knowledge.indexing import build
from kerasdoctor.knowledge.matcher import Calibration, Matcher


@pytest.fixture(scope="session")
def entries() -> list[Entry]:
    """All entries."""
    return load_entries()


@pytest.fixture(scope="session")
def index(entries: list[Entry]) -> Index:
    """An index built now, so that no test passes on a stale one."""
    return build(entries)


@pytest.fixture(scope="session")
def matcher(index: Index) -> Matcher:
    """A matcher on that index."""
    return Matcher(index, Calibration.load())
