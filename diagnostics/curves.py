"""Statistics of training curves, and the sightings that probes of logs yield: evidence with the places in the curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from ..knowledge.text import Text
from .probe import CouldNotLook, Evidence
from .training_log import Series, TrainingLog, is_loss
from .wording import names_en, names_zh

MIN_EPOCHS = 3
_SAME = 1e-6  # an epoch's mean of equal losses differs in the last digit of float32 with the order of the batches
_TREND_POINTS = 60
_LARGEST = 1e100  # far beyond float32: sums and quotients of such values stay finite


@dataclass(frozen=True)
class Mark:
    """A place in a curve: a series at an epoch, or from it up to `until`, and a few words for the picture."""

    series: str
    epoch: int
    label: Text
    until: int | None = None
    run: int = 0


@dataclass(frozen=True)
class Sighting(Evidence):
    """What a probe of a log saw, with its places."""

    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Curve:
    """The finite values of a series, each with its epoch."""

    name: str
    epochs: tuple[int, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)

    def tail(self, share: float, least: int = 2) -> tuple[float, ...]:
        """The last values: a share of them, at least `least`."""
        return self.values[-max(least, round(share * len(self))) :]


def curve(log: TrainingLog, name: str) -> Curve:
    """The finite values of a series; empty where there is none."""
    series: Series = log.get(name) or ()
    pairs = [(e, v) for e, v in zip(log.epochs, series, strict=False) if v is not None and math.isfinite(v)]
    return Curve(name, tuple(e for e, _ in pairs), tuple(max(-_LARGEST, min(_LARGEST, v)) for _, v in pairs))


def main_loss(log: TrainingLog) -> str | None:
    """The name of the training loss: `loss`, else the first that is one; None where there is none."""
    names = [name for name in log.series if is_loss(name) and not name.startswith("val_")]
    return "loss" if "loss" in names else next(iter(names), None)


def runs_with_loss(log: TrainingLog, epochs: int = MIN_EPOCHS) -> Iterator[tuple[TrainingLog, Curve]]:
    """The runs that have a training loss in so many epochs.

    Raises:
        CouldNotLook: none has.
    """
    found = [(run, curve(run, name)) for run in log.runs if (name := main_loss(run))]
    if not found:
        raise CouldNotLook(Text("the log has no training loss", "日志中没有训练损失"))
    enough = [(run, loss) for run, loss in found if len(loss) >= epochs]
    if not enough:
        most = max(len(loss) for _, loss in found)
        raise CouldNotLook(
            Text(
                f"the log has a finite training loss in {most} epochs of a run; {epochs} are needed",
                f"日志的一次训练中只有 {most} 轮有有限的训练损失，至少需要 {epochs} 轮",
            )
        )
    yield from enough


def noise(values: Sequence[float]) -> float:
    """The standard deviation of the noise from value to value, from second differences: a trend does not count."""
    second = [abs(a - 2 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return median(second) / 0.6745 / math.sqrt(6) if second else 0.0


def smooth(values: Sequence[float]) -> list[float]:
    """The median of each value and its neighbours: one outlier leaves no trace."""
    return [median(values[max(0, i - 1) : i + 2]) for i in range(len(values))]


def trend(values: Sequence[float]) -> float:
    """How surely values rise (positive) or fall, in standard deviations: the test of Mann and Kendall.

    Source: https://en.wikipedia.org/wiki/Kendall_rank_correlation_coefficient. 2.6 is 1 % by chance.
    """
    size = math.ceil(len(values) / _TREND_POINTS) if values else 1
    means = [fmean(values[i : i + size]) for i in range(0, len(values), size)]
    n = len(means)
    score = sum((b > a) - (b < a) for i, a in enumerate(means) for b in means[i + 1 :])
    variance = n * (n - 1) * (2 * n + 5) / 18
    return score / math.sqrt(variance) if variance else 0.0


def constant(values: Sequence[float]) -> bool:
    """Whether all values are the same, but for the last digit of float32."""
    return max(values) - min(values) <= _SAME * max(map(abs, values))


def spread(values: Sequence[float]) -> float:
    """The range of the values against their size."""
    size = max(map(abs, values))
    return (max(values) - min(values)) / size if size else 0.0


def show(value: float) -> str:
    """A number with four digits."""
    return f"{value:.4g}"


def when(log: TrainingLog, epoch: int) -> Text:
    """`epoch 7`, and of which run where there are several."""
    if log.run:
        return Text(f"epoch {epoch} of run {log.run}", f"第 {log.run} 次训练的第 {epoch} 轮")
    return Text(f"epoch {epoch}", f"第 {epoch} 轮")


def called(*names: str) -> Text:
    """Names of series as evidence shows them."""
    return Text(names_en(names), names_zh(names))
