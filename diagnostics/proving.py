"""Proves a mended copy: it runs beside the original on the same made inputs, of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..knowledge.text import Text
from .live import difference
from .live_inputs import KINDS, made_inputs
from .live_keras import Runner

BATCH = 4
# float32 sums in another order; Keras 2 and 3 differ by this much in deep nets.
SAME = 1e-4
_OTHER_SHAPE = 1e9


@dataclass(frozen=True)
class Proof:
    """How the copy was checked.

    `same`: it gives the outputs of the original. `other`: some repairs were meant to change the outputs; without those it gives
    the outputs of the original, with them it runs and gives others. `runs`: it loads and runs, but the original does not run in
    any Keras here, so that nothing could be compared. `differs`: the outputs differ though they should not. `before` and
    `after` name the Keras and release in which each ran; `difference` is relative to the largest output.
    """

    outcome: Literal["same", "other", "runs", "differs"]
    before: str
    after: str
    difference: float | None
    text: Text


@dataclass(frozen=True)
class Ran:
    """A model and the Keras that it runs in."""

    keras: Runner
    model: Any

    def __str__(self) -> str:
        """The Keras and its release."""
        return f"{self.keras.name} {self.keras.version}"

    def outputs(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs for each kind of inputs, one behind the other."""
        return [part for each in inputs for part in self.keras.arrays(self.keras.call(self.model, each))]


def prove(copy: Ran, original: Ran | None, plain: Ran | None, tolerance: float) -> Proof:
    """Run the copy beside the original.

    Args:
        copy: the copy, loaded as a user would load it.
        original: the original; None where no Keras here runs it.
        plain: the copy without the repairs that mean to change outputs; None where no such repair was made.
        tolerance: up to which difference outputs are the same.
    """
    inputs = [made_inputs(copy.model, kind, BATCH) for kind in KINDS]
    after = copy.outputs(inputs)
    if original is None:
        text = Text(
            f"the copy loads and runs in {copy}; the original runs in no Keras here, so nothing could be compared",
            f"副本能在 {copy} 中加载并运行；原文件在这里的任何 Keras 中都无法运行，因此无从比较",
        )
        return Proof("runs", "", str(copy), None, text)
    before = original.outputs(inputs)
    most = _most(before, after)
    if plain is None:
        return _judged(most, original, copy, tolerance)
    kept = _most(before, plain.outputs(inputs))
    return _meant(kept, most, original, copy) if kept <= tolerance else _judged(kept, original, copy, tolerance)


def _most(before: list[Any], after: list[Any]) -> float:
    if len(before) != len(after):
        return _OTHER_SHAPE
    return max((difference(a, b) for a, b in zip(before, after, strict=True)), default=0.0)


def _judged(most: float, original: Ran, copy: Ran, tolerance: float) -> Proof:
    """Outputs that ought to be the same."""
    if most <= tolerance:
        text = Text(
            f"the original in {original} and the copy in {copy} give the same outputs (largest relative difference {_how(most)})",
            f"原文件（{original}）与副本（{copy}）输出一致（最大相对差 {_how(most)}）",
        )
        return Proof("same", str(original), str(copy), most, text)
    text = Text(
        f"NOT verified: the outputs of the copy ({copy}) differ from the original's ({original}) by {_how(most)}",
        f"未通过验证：副本（{copy}）与原文件（{original}）的输出相差 {_how(most)}",
    )
    return Proof("differs", str(original), str(copy), most, text)


def _meant(kept: float, most: float, original: Ran, copy: Ran) -> Proof:
    """Outputs that ought to differ, and by nothing but the repairs that mean it."""
    text = Text(
        f"without the repairs that mean to change outputs, the copy in {copy} gives the same as the original in {original} "
        f"(largest relative difference {_how(kept)}); with them it runs, and its outputs differ by {_how(most)}",
        f"不算有意改变输出的修复，副本（{copy}）与原文件（{original}）输出一致（最大相对差 {_how(kept)}）；"
        f"加上它们，副本能运行，输出相差 {_how(most)}",
    )
    return Proof("other", str(original), str(copy), most, text)


def _how(value: float) -> str:
    return f"{value:.1e}" if value < 1 else f"{value:.3g}"
