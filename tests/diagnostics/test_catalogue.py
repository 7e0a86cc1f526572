"""The list of probes: what is told without importing them is what they say, also when the file is old."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kerasdoctor.diagnostics import catalogue
from kerasdoctor.diagnostics.probe import all_probes


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for the file that nothing else reads."""
    file = tmp_path / "probes.json"
    monkeypatch.setattr(catalogue, "FILE", file)
    catalogue.listed_probes.cache_clear()
    yield file
    catalogue.listed_probes.cache_clear()


def told() -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(p.id, p.subject, p.promise.zh, p.topics) for p in catalogue.listed_probes()]


def test_the_list_is_what_the_probes_say(elsewhere: Path) -> None:
    """Written and read again, nothing is lost."""
    catalogue.write()
    assert elsewhere.exists()
    assert told() == [(p.id, p.subject, p.promise.zh, p.topics) for p in all_probes()]
    assert not hasattr(catalogue.listed_probes()[0], "look")


@pytest.mark.parametrize("spoiled", ["", "[]", '{"sources": "", "probes": []}', '{"sources": 1}'])
def test_a_stale_or_broken_list_is_not_believed(elsewhere: Path, spoiled: str) -> None:
    """Then the probes themselves are asked."""
    elsewhere.write_text(spoiled, encoding="utf-8")
    assert [each[0] for each in told()] == [p.id for p in all_probes()]


def test_a_list_of_other_things_is_not_believed(elsewhere: Path) -> None:
    """A field of another type is as good as no list."""
    catalogue.write()
    written = json.loads(elsewhere.read_text(encoding="utf-8"))
    written["probes"][0]["topics"] = 3
    elsewhere.write_text(json.dumps(written), encoding="utf-8")
    assert len(told()) == len(all_probes())


def test_a_probe_is_found_by_its_id() -> None:
    """Its module is called as it is, so that one can be had without the others."""
    assert [catalogue.probe_of(probe.id) for probe in all_probes()] == list(all_probes())
