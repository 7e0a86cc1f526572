"""Panels and scales of the plot of a training log: what is drawn together, and where a value stands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..knowledge.text import Text
from .training_log import RATE, TrainingLog, direction, finite, is_accuracy, is_loss

WIDTH = 860.0
_DECADES = 2.0
_MAX_PANELS = 6
_MAX_SERIES = 8
_LABELS = 12


@dataclass(frozen=True)
class Panel:
    """Series that are drawn on one scale."""

    title: Text
    names: tuple[str, ...]


def panels_of(log: TrainingLog) -> list[Panel]:
    """The losses, the accuracies, each other metric with its validation, and the learning rate; the first of each.

    A metric that no finding and no reader can place is drawn too, as long as there is room (`_MAX_PANELS`).
    """
    names = [name for name in log.series if name != RATE]
    bases = dict.fromkeys(name.removeprefix("val_") for name in names)
    losses = sorted((base for base in bases if is_loss(base)), key=lambda base: base != "loss")
    accuracies = [base for base in bases if is_accuracy(base)]
    others = [base for base in bases if base not in losses and base not in accuracies]
    others.sort(key=lambda base: direction(base) is None)
    groups = [(Text("loss", "损失"), losses), (Text("accuracy", "准确率"), accuracies)]
    groups += [(Text(_short(base), _short(base)), [base]) for base in others]
    panels = [Panel(title, _series(log, group)) for title, group in groups if group][: _MAX_PANELS - 1]
    rate = [Panel(Text("learning rate", "学习率"), (RATE,))] if RATE in log.series else []
    return panels + rate


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"  # noqa: PLR2004


def _series(log: TrainingLog, bases: list[str]) -> tuple[str, ...]:
    names = [name for base in bases for name in (base, f"val_{base}") if name in log.series]
    return tuple(names[:_MAX_SERIES])


@dataclass(frozen=True)
class Scale:
    """Where rows and values stand in a panel, in pixels; `log` for a logarithmic one."""

    left: float
    right: float
    top: float
    height: float
    rows: int
    low: float
    high: float
    log: bool
    empty: bool = False
    starts: frozenset[int] = frozenset()  # the first row of each run

    @classmethod
    def of(cls, log: TrainingLog, panel: Panel, left: float, right: float, top: float, height: float) -> Scale:
        """The scale that fits the finite values of a panel: logarithmic where they span over two decades."""
        starts = frozenset(i for i in range(1, len(log.epochs)) if log.epochs[i] <= log.epochs[i - 1])
        values = [v for name in panel.names for v in log.series[name] if v is not None and finite(v)]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        wide = low > 0 and math.log10(high) - math.log10(low) > _DECADES
        if wide:
            low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(min(300.0, math.log10(high)))
        else:
            step = _step(low, high)
            least, most = low, high
            low, high = math.floor(low / step) * step, math.ceil(high / step) * step
            low -= step if low == least and low not in (0.0, 1.0) else 0.0  # no curve on the frame
            high += step if high <= max(low, most) and high not in (0.0, 1.0) else 0.0
            high = high if high > low else low + step
        return cls(left, right, top, height, len(log.epochs), low, high, wide, not values, starts)

    @property
    def bottom(self) -> float:
        """The height of the lower edge."""
        return self.top + self.height

    def x(self, row: int) -> float:
        """The place of a row."""
        if self.rows == 1:
            return (self.left + self.right) / 2
        return self.left + 8 + (self.right - self.left - 16) * row / (self.rows - 1)

    def y(self, value: float) -> float:
        """The place of a finite value, above 0 on a logarithmic scale."""
        if self.log:
            share = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        else:
            share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.bottom - min(1.0, max(0.0, share)) * self.height

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Values with their labels; none where no value is finite."""
        if self.empty:
            return
        if self.log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            every = math.ceil((last - first) / 6)
            yield from ((10.0**power, f"{10.0**power:g}") for power in range(first, last + 1, every))
            return
        step = _step(self.low, self.high)
        for i in range(min(12, round(self.high / step - self.low / step) + 1)):
            value = self.low + i * step
            yield value, f"{0.0 if abs(value) < step / 2 else value:.4g}"


def _step(low: float, high: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that gives about five of them; values up to the largest float."""
    size = high / 5 - low / 5
    if size <= 0 or size < abs(high) * 1e-9:
        size = abs(high) / 5 or 0.2
    power = 10.0 ** math.floor(math.log10(max(size, 1e-300)))
    return next((k * power for k in (1, 2, 5) if k * power >= size), 10 * power)


def ticks_of_epochs(log: TrainingLog) -> Iterator[tuple[int, str]]:
    """Rows that get a label, with their epoch: at round ones, and the first of each run."""
    span = len(log.epochs)
    step = next(k * 10**p for p in range(9) for k in (1, 2, 5) if span / (k * 10**p) <= _LABELS)
    last = -math.inf
    for row, epoch in enumerate(log.epochs):
        starts = row == 0 or epoch <= log.epochs[row - 1]
        if (starts or epoch % step == 0) and row - last >= step * 0.6:
            last = row
            yield row, str(epoch)[:8]
