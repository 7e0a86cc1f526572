"""The measurements: what they can be held to without running them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.probe import all_probes

ROOT = Path(__file__).parents[1]


def test_every_probe_has_a_planted_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new probe comes with a mutation of a sound subject that it must find."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    assert import_module("planted").measured_probes() == {probe.id for probe in all_probes()}


def test_sections_of_the_page_are_there() -> None:
    """Each measurement has written its part of docs/examination.md."""
    page = (ROOT / "docs" / "examination.md").read_text(encoding="utf-8")
    for name in ("healthy", "recall", "times"):
        assert page.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0].strip()
