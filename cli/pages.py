"""What `evaluate` prints. Diagnoses and topics are written by `diagnosis_page.py` and `topic_page.py` of `diagnostics/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..knowledge.evaluation import Evaluation


def evaluation_page(evaluation: Evaluation, *, misses: bool) -> str:
    """The figures as a table, in percent with 95 % intervals."""
    read = evaluation.as_json()
    rows = [("all", read), *read["by_kind"].items(), *read["by_lang"].items()]
    lines = [f"{'':10} {'right first':>22} {'in first three':>22} {'MRR':>22} {'false alarms':>22}"]
    for name, figures in rows:
        cells = [_cell(figures[key]) for key in ("top1", "top3", "mrr", "false_alarms")]
        lines.append(f"{name:10} " + " ".join(f"{cell:>22}" for cell in cells))
    lines.append(f"{read['left_out']} cases left out: their topics have no entry yet")
    if misses:
        for miss in evaluation.misses():
            named = ", ".join(miss.named[:3]) or "not known"
            expected = ", ".join(sorted(miss.case.expect)) or "not known"
            lines.append(f"{miss.case.id}: {named} ({miss.confidence:.2f}); expected {expected}")
    return "\n".join(lines)


def _cell(figure: dict[str, float | int | None]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.1%} [{low:.0%}, {high:.0%}] {figure['n']}"
