"""The probe of outputs, on reports of examinations: what a constant output means depends on whether anything can be learned."""

from __future__ import annotations

import pytest
from kerasdoctor.diagnostics.live import Gradient, Live, Output, Step
from kerasdoctor.diagnostics.probe import examine

from .conftest import PROBES

OUTPUTS = tuple(Output("out", kind, (8, 4), "float32", 0, 0.25, 0.25, 0.0) for kind in ("normal", "0 to 1", "0 to 255"))


@pytest.mark.parametrize(("norm", "fault"), [(0.0, True), (None, True), (3.5, False)])
def test_a_constant_output_is_a_fault_where_no_gradient_reaches_the_first_layer(
    norm: float | None, fault: bool
) -> None:
    """A MobileNet with fresh weights gives one output too, and learns: its BatchNormalization has seen no data yet."""
    steps = (Step("normal", "compiled", 1.4, (Gradient("first", "kernel", norm), Gradient("out", "bias", 0.2))),)
    live = Live("m", "keras", "3", outputs=OUTPUTS, steps=steps)
    finding = examine(PROBES["live-outputs"], live, "m", frozenset({"loss-not-decreasing"}))
    assert finding.fault is fault
    assert finding.topics == ("loss-not-decreasing",)
    assert ("nothing of the input" in finding.evidence[0].en) is fault
