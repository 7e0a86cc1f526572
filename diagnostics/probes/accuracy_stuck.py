"""An accuracy that does not move: zero because the task is a regression, or one class predicted for all."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, called, constant, curve, runs_with_loss, show, when
from ..probe import CouldNotLook, Probe
from ..training_log import TrainingLog, is_accuracy

ACCURACY = "accuracy-metric"
NOT_LEARNING = "loss-not-decreasing"
SOFTMAX = "softmax-on-one-unit"

_ZERO = 1e-6
_FALLS = 0.2
_HARDLY = 0.05
_EPOCHS = 5


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run's training accuracies beside its loss."""
    any_accuracy = False
    for run, loss in runs_with_loss(log):
        for pair in run.pairs():
            accuracy = curve(run, pair.name)
            if not is_accuracy(pair.name) or len(accuracy) < 3:  # noqa: PLR2004 - as for the loss
                continue
            any_accuracy = True
            first, last = loss.values[0], loss.values[-1]
            fallen = (first - last) / abs(first) if first else 0.0
            if max(accuracy.values) <= _ZERO and fallen >= _FALLS:
                yield _regression(run, loss, accuracy)
            elif len(accuracy) >= _EPOCHS and constant(accuracy.values) and 0 < accuracy.values[0] < 1:
                if constant(loss.values):  # nothing is trained at all, which `loss-stuck` tells
                    continue
                yield _one_answer(run, loss, accuracy, sure=fallen < _HARDLY)
    if not any_accuracy:
        raise CouldNotLook(Text("no run has an accuracy in 3 epochs", "没有一次训练有 3 轮以上的准确率"))


def _regression(log: TrainingLog, loss: Curve, accuracy: Curve) -> Sighting:
    who, at = called(accuracy.name), when(log, accuracy.epochs[0])
    text = Text(
        f"{who.en} is 0 in all {len(accuracy)} epochs from {at.en} on, while the loss falls from {show(loss.values[0])} to "
        f"{show(loss.values[-1])}: targets that are no classes are never met exactly, so accuracy says nothing of a regression; "
        "measure mae instead",
        f"从{at.zh}起的 {len(accuracy)} 轮里 {who.zh} 都是 0，而损失从 {show(loss.values[0])} 降到 {show(loss.values[-1])}："
        "目标不是类别时永远不会正好相等，所以准确率对回归没有意义；请改用 mae",
    )
    return Sighting(text, confirms=(ACCURACY,), warning=True, marks=(_whole(log, accuracy, "always 0", "一直是 0"),))


def _one_answer(log: TrainingLog, loss: Curve, accuracy: Curve, *, sure: bool) -> Sighting:
    who = called(accuracy.name)
    text = Text(
        f"{who.en} is {show(accuracy.values[0])} in all {len(accuracy)} epochs, without the least change, and the loss goes from "
        f"{show(loss.values[0])} to {show(loss.values[-1])}: the model gives every sample the same class, whose share this is",
        f"{who.zh} 在全部 {len(accuracy)} 轮里都是 {show(accuracy.values[0])}，毫无变化，损失从 {show(loss.values[0])} 到 "
        f"{show(loss.values[-1])}：模型对每个样本都给出同一类，这个数就是那一类的占比",
    )
    mark = _whole(log, accuracy, "constant", "恒定不变")
    return Sighting(text, confirms=(NOT_LEARNING, SOFTMAX), warning=sure, marks=(mark,))


def _whole(log: TrainingLog, accuracy: Curve, en: str, zh: str) -> Mark:
    return Mark(accuracy.name, accuracy.epochs[0], Text(en, zh), accuracy.epochs[-1], log.run)


PROBE = Probe(
    id="accuracy-stuck",
    subject="log",
    promise=Text(
        "whether the accuracy moves: 0 in a regression, or the share of one class",
        "检查准确率是否变化：回归任务里恒为 0，或一直等于某一类的占比",
    ),
    topics=(ACCURACY, NOT_LEARNING, SOFTMAX),
    look=look,
    remedy=Text(
        "for a regression take mae; for classes check that labels, last layer and loss fit each other",
        "回归任务请用 mae；分类任务请检查标签、最后一层和损失是否相符",
    ),
    documentation="https://keras.io/api/metrics/accuracy_metrics/",
)
