"""A training loss that never moves: exactly constant, at the loss of guessing, or flat from the first epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, constant, curve, runs_with_loss, show, spread, when
from ..probe import Probe
from ..training_log import RATE, TrainingLog, is_accuracy

NOT_LEARNING = "loss-not-decreasing"
SOFTMAX = "softmax-on-one-unit"
FROZEN = "freeze-layers"
MISMATCH = "loss-activation-mismatch"

_EPOCHS = 5
_FLAT = 0.015  # range against size: 1.5 %
_NEAR = 0.005
_FLAT_WITH_ACCURACY, _NEAR_WITH_ACCURACY = 0.06, 0.02  # steps that are too large keep it a little above
_FELL = 0.1
_CLASSES = (*range(2, 21), 50, 100, 200, 1000)
_FEW_DIGITS = 0.1  # a progress bar prints four decimals: below it, fewer than three digits


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run's training loss from its first epoch on."""
    for run, loss in runs_with_loss(log, _EPOCHS):
        guessed = _guessing(run, loss)
        rounded = run.format == "progress bar"  # four decimals may hide that it moves
        if constant(loss.values) and not (guessed and rounded):
            yield _constant(run, loss)
        elif guessed:
            yield _chance(run, loss, guessed)
        elif spread(loss.values) < _FLAT:
            yield _flat(run, loss)


def _constant(log: TrainingLog, loss: Curve) -> Sighting:
    value = loss.values[0]
    rounded = log.format == "progress bar" and 0 < abs(value) < _FEW_DIGITS
    sure = not rounded and log.run <= 1  # a later run may go on with a model that has learned already
    en = f"the training loss is {show(value)} in all {len(loss)} epochs, without the least change: no weight is trained"
    zh = f"训练损失在全部 {len(loss)} 轮里都是 {show(value)}，毫无变化：没有任何权重在更新"
    topics: tuple[str, ...] = (NOT_LEARNING, FROZEN)
    rate = curve(log, RATE)
    if len(rate) and max(rate.values) <= 0:
        en, zh = f"{en}; the learning rate is 0", f"{zh}；学习率为 0"
    elif value == 0:
        en += ": a loss of exactly 0 from the start is what categorical_crossentropy gives for one output unit"
        zh += "：从一开始就正好是 0，正是 categorical_crossentropy 用在单个输出单元上的结果"
        topics = (NOT_LEARNING, SOFTMAX, MISMATCH)
    else:
        en += " (everything is frozen, gradients are zero, or the output does not depend on the input)"
        zh += "（全部冻结、梯度为零，或输出与输入无关）"
    return Sighting(Text(en, zh), confirms=topics, fault=sure, marks=(_whole(log, loss, "constant", "恒定不变"),))


def _whole(log: TrainingLog, loss: Curve, en: str, zh: str) -> Mark:
    return Mark(loss.name, loss.epochs[0], Text(en, zh), loss.epochs[-1], log.run)


def _guessing(log: TrainingLog, loss: Curve) -> int | None:
    """The number of classes K for which the loss stays at ln K, the loss of equal probabilities; None for none.

    The first quarter may differ: a network that starts with large outputs falls to guessing. An accuracy better than
    guessing speaks against it; without an accuracy, a loss that fell before may stand there by coincidence.
    """
    later = loss.values[min(len(loss) // 4, len(loss) - _EPOCHS) :]
    level = median(later)
    accuracy = next((curve(log, name) for name in log.series if is_accuracy(name) and name[:4] != "val_"), None)
    if accuracy is None or not len(accuracy):
        exact = spread(later) < _FLAT and loss.values[0] < level * (1 + _FELL)
        return _classes(level, _NEAR) if exact else None
    classes = _classes(level, _NEAR_WITH_ACCURACY) if spread(later) < _FLAT_WITH_ACCURACY else None
    return classes if classes and median(accuracy.tail(0.75)) <= 1.35 / classes + 0.05 else None


def _classes(level: float, near: float) -> int | None:
    """The number of classes K that has ln K nearest to a loss, not more than a share off."""
    best = min(_CLASSES, key=lambda k: abs(level - math.log(k)))
    return best if -_NEAR * math.log(best) <= level - math.log(best) <= near * math.log(best) else None


def _chance(log: TrainingLog, loss: Curve, classes: int) -> Sighting:
    level = show(median(loss.tail(0.75)))
    at = when(log, loss.epochs[0])
    text = Text(
        f"the training loss stays at {level} = ln {classes} for {len(loss)} epochs, from {at.en} on: that is what guessing among "
        f"{classes} classes gives, the model has learned nothing",
        f"从{at.zh}起的 {len(loss)} 轮里，训练损失一直停在 {level} = ln {classes}：这正是在 {classes} 个类别里随便猜的损失，"
        "模型什么也没学到",
    )
    mark = _whole(log, loss, f"stays at ln {classes}", f"停在 ln {classes}")
    return Sighting(text, confirms=(NOT_LEARNING,), warning=True, marks=(mark,))


def _flat(log: TrainingLog, loss: Curve) -> Sighting:
    text = Text(
        f"the training loss moves by {spread(loss.values):.2%} only in {len(loss)} epochs: from {show(loss.values[0])} to "
        f"{show(loss.values[-1])}",
        f"训练损失在 {len(loss)} 轮里只变化了 {spread(loss.values):.2%}：从 {show(loss.values[0])} 到 {show(loss.values[-1])}",
    )
    return Sighting(text, confirms=(NOT_LEARNING,), marks=(_whole(log, loss, "hardly moves", "几乎不变"),))


PROBE = Probe(
    id="loss-stuck",
    subject="log",
    promise=Text(
        "whether the training loss moves at all, and whether it stays at the loss of guessing",
        "检查训练损失到底有没有变化，是否停在随机猜测的水平",
    ),
    topics=(NOT_LEARNING, SOFTMAX, FROZEN, MISMATCH),
    look=look,
    remedy=Text(
        "train on ten samples until the loss is near 0; if it does not fall, check labels, last activation, inputs and rate",
        "先用十个样本训练到损失接近 0；如果降不下来，就检查标签、最后一层激活、输入和学习率",
    ),
    documentation="https://keras.io/api/losses/probabilistic_losses/",
)
