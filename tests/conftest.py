"""What several tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture(scope="session")
def empty_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which nothing is installed."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
