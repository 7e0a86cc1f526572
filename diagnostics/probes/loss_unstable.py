"""Divergence and jumps of the training loss: steps that are too large."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, runs_with_loss, show, trend, when
from ..probe import Probe
from ..training_log import TrainingLog, is_accuracy

NOT_LEARNING = "loss-not-decreasing"
NAN = "nan-loss"
CLIPPING = "gradient-clipping"
MISMATCH = "loss-activation-mismatch"
LABELS = "label-out-of-range"

_DIVERGED = 100.0  # times the first epoch's loss
_GROWN = 10.0
_JUMP = 1.5  # times the epoch before, and of the first loss at least:
_JUMP_SIZE = 0.2
_JUMPS = 3
_JUMP_SHARE = 0.15
_FALLING = -2.6


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Whether the loss of each run grows, jumps, or falls without end below zero."""
    for run, loss in runs_with_loss(log):
        if min(loss.values) < 0:
            yield from _negative(run, loss)
        elif min(loss.values) > 0:
            grown = list(_grown(run, loss))
            yield from grown or _jumps(run, loss)


def _grown(log: TrainingLog, loss: Curve) -> Iterator[Sighting]:
    end, first, best = min(loss.values[-2:]), loss.values[0], min(loss.values)
    times = end / first
    diverged = times >= _DIVERGED or (end / best >= _DIVERGED * _GROWN and times >= 2)  # noqa: PLR2004 - twice the first
    if not diverged and times < _GROWN:
        return
    low = loss.values.index(best)
    at = when(log, loss.epochs[low])
    text = Text(
        f"the loss grows from {show(best)} in {at.en} to {show(loss.values[-1])} in the last, {end / best:.3g} times as much: "
        "the training diverges; lower the learning rate, scale inputs and targets, clip gradients",
        f"损失从{at.zh}的 {show(best)} 增大到最后一轮的 {show(loss.values[-1])}，是原来的 {end / best:.3g} 倍：训练发散了；"
        "请降低学习率、缩放输入和目标值、裁剪梯度",
    )
    mark = Mark(loss.name, loss.epochs[low], Text("grows from here", "从这里开始增大"), loss.epochs[-1], log.run)
    yield Sighting(text, confirms=(NAN, CLIPPING, NOT_LEARNING), fault=diverged, warning=not diverged, marks=(mark,))


def _jumps(log: TrainingLog, loss: Curve) -> Iterator[Sighting]:
    values, least = loss.values, _JUMP_SIZE * loss.values[0]
    jumps = [i for i in range(1, len(loss)) if values[i] > _JUMP * values[i - 1] and values[i] - values[i - 1] > least]
    if not jumps:
        return
    many = len(jumps) >= max(_JUMPS, _JUMP_SHARE * len(loss))
    worst = max(jumps, key=lambda i: values[i] / values[i - 1])
    at = when(log, loss.epochs[worst])
    text = Text(
        f"the training loss jumps up {len(jumps)} times in {len(loss)} epochs, most in {at.en}: from {show(values[worst - 1])} to "
        f"{show(values[worst])}; the learning rate is high for this batch size, or some batches are of another kind",
        f"训练损失在 {len(loss)} 轮里突然升高 {len(jumps)} 次，最大的一次在{at.zh}：从 {show(values[worst - 1])} 到 "
        f"{show(values[worst])}；对这个批次大小来说学习率偏高，或某些批次的数据不同",
    )
    label = Text("jumps up", "突然升高")
    marks = tuple(Mark(loss.name, loss.epochs[i], label, run=log.run) for i in jumps[:5])
    yield Sighting(text, confirms=(NOT_LEARNING, CLIPPING), warning=many, marks=marks)


def _negative(log: TrainingLog, loss: Curve) -> Iterator[Sighting]:
    """A cross-entropy is never negative unless the labels are no probabilities; a likelihood may well be."""
    classes = any(is_accuracy(name) for name in log.series)
    end = loss.values[-1]
    if end >= 0 or trend(loss.values) > _FALLING:
        return
    at = next(epoch for epoch, value in zip(loss.epochs, loss.values, strict=True) if value < 0)
    text = Text(
        f"the loss is below zero from {when(log, at).en} on and falls to {show(end)}: a cross-entropy does so when labels lie "
        "outside 0 to 1 (such as -1, or class numbers under binary_crossentropy)",
        f"损失从{when(log, at).zh}起小于零，并降到 {show(end)}：标签不在 0 到 1 之间时（例如 -1，或把类别编号交给 "
        "binary_crossentropy），交叉熵就会这样",
    )
    mark = Mark(loss.name, at, Text("below zero", "小于零"), run=log.run)
    yield Sighting(text, confirms=(MISMATCH, LABELS), warning=classes, marks=(mark,))


PROBE = Probe(
    id="loss-unstable",
    subject="log",
    promise=Text(
        "whether the training loss diverges, jumps up again and again, or falls below zero",
        "检查训练损失是否发散、反复突然升高，或降到零以下",
    ),
    topics=(NOT_LEARNING, NAN, CLIPPING, MISMATCH, LABELS),
    look=look,
    remedy=Text(
        "lower the learning rate (a tenth of it), and clip gradients with clipnorm=1.0",
        "把学习率降到十分之一，并用 clipnorm=1.0 裁剪梯度",
    ),
    documentation="https://keras.io/api/optimizers/",
)
