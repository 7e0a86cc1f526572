"""Validation curves against training curves: constant, of another kind of data, or better than training."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, called, constant, curve, runs_with_loss, show, spread, when
from ..probe import CouldNotLook, Probe
from ..training_log import TrainingLog, is_accuracy

SPLIT = "validation-split-before-shuffle"
BETTER = "train-loss-higher-than-test"
NOT_LEARNING = "loss-not-decreasing"
OVERFITTING = "overfitting"

_EPOCHS = 5
_MOVES = 0.01
_LEARNED = 0.6  # a training accuracy at the end
_NEVER = 0.005  # a validation accuracy
_WORSE_FIRST, _WORSE_LAST = 1.5, 3.0  # times the training loss
_NOT_BETTER = 0.7  # times the first validation loss
_BETTER = 0.95
_MOSTLY = 0.8


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run's validation loss and accuracies beside those of training."""
    validated = False
    for run, loss in runs_with_loss(log):
        validation = curve(run, f"val_{loss.name}")
        if len(validation) < 3:  # noqa: PLR2004 - as for the training loss
            continue
        validated = True
        one_class = list(_one_class(run))
        yield from one_class
        yield from _losses(run, loss, validation, told=bool(one_class))
    if not validated:
        raise CouldNotLook(
            Text(
                "no run has a validation loss in 3 epochs; give fit validation_data",
                "没有一次训练有 3 轮以上的验证损失；请给 fit 传 validation_data",
            )
        )


def _losses(log: TrainingLog, loss: Curve, validation: Curve, *, told: bool) -> Iterator[Sighting]:
    if len(validation) >= _EPOCHS and constant(validation.values) and spread(loss.values) > _MOVES:
        yield _constant(log, loss, validation)
    elif not told and _other_data(loss, validation):
        yield _worse(log, loss, validation)
    elif min(loss.values) > 0:
        yield from _better(log, loss, validation)


def _constant(log: TrainingLog, loss: Curve, validation: Curve) -> Sighting:
    text = Text(
        f"the validation loss is {show(validation.values[0])} in all {len(validation)} epochs, while the training loss goes from "
        f"{show(loss.values[0])} to {show(loss.values[-1])}: what is validated does not depend on what is trained (another "
        "model, saturated outputs, or outputs that are the same for every sample)",
        f"验证损失在全部 {len(validation)} 轮里都是 {show(validation.values[0])}，而训练损失从 {show(loss.values[0])} 变到 "
        f"{show(loss.values[-1])}：被验证的东西与训练无关（另一个模型、输出饱和，或对每个样本输出都相同）",
    )
    label = Text("constant", "恒定不变")
    mark = Mark(validation.name, validation.epochs[0], label, validation.epochs[-1], log.run)
    return Sighting(text, confirms=(NOT_LEARNING,), warning=True, marks=(mark,))


def _one_class(log: TrainingLog) -> Iterator[Sighting]:
    """An accuracy of 0 (no guess is right) or of 1 before training has learned: the validation rows hold one class."""
    for pair in log.pairs():
        trained, validated = curve(log, pair.name), curve(log, f"val_{pair.name}")
        if not is_accuracy(pair.name) or len(validated) < 3 or not len(trained):  # noqa: PLR2004
            continue
        if max(validated.values) <= _NEVER and trained.values[-1] >= _LEARNED:
            yield _never_right(log, trained, validated)
        elif min(validated.values) == 1 and trained.values[0] < _LEARNED:
            at = when(log, validated.epochs[0])
            text = Text(
                f"{called(validated.name).en} is 1 from {at.en} on, where training has {trained.values[0]:.3f}: the validation "
                "set may hold one class only",
                f"{called(validated.name).zh} 从{at.zh}起就是 1，而此时训练只有 {trained.values[0]:.3f}：验证集可能只有一个类别",
            )
            mark = Mark(validated.name, validated.epochs[0], Text("1 from the start", "一开始就是 1"), run=log.run)
            yield Sighting(text, confirms=(SPLIT,), marks=(mark,))


def _never_right(log: TrainingLog, trained: Curve, validated: Curve) -> Sighting:
    who = called(validated.name)
    text = Text(
        f"{who.en} is at most {show(max(validated.values))} in all {len(validated)} epochs while training reaches "
        f"{trained.values[-1]:.3f}: worse than guessing, so the validation rows hold classes that training has none of; "
        "validation_split takes the last rows before any shuffling",
        f"{who.zh} 在全部 {len(validated)} 轮里最高只有 {show(max(validated.values))}，而训练达到 {trained.values[-1]:.3f}："
        "比瞎猜还差，说明验证集里的类别在训练集中没有；validation_split 在打乱之前取最后几行",
    )
    label = Text("worse than guessing", "比瞎猜还差")
    mark = Mark(validated.name, validated.epochs[0], label, validated.epochs[-1], log.run)
    return Sighting(text, confirms=(SPLIT,), warning=True, marks=(mark,))


def _other_data(loss: Curve, validation: Curve) -> bool:
    """Whether validation is far worse from the first epoch on and does not follow training."""
    if min(loss.values) <= 0 or loss.values[-1] > _NOT_BETTER * loss.values[0]:
        return False
    first = validation.values[0] / loss.values[0]
    last = median(validation.tail(0.2)) / median(loss.tail(0.2))
    return (
        first > _WORSE_FIRST
        and last > _WORSE_LAST
        and median(validation.tail(0.2)) > _NOT_BETTER * validation.values[0]
    )


def _worse(log: TrainingLog, loss: Curve, validation: Curve) -> Sighting:
    text = Text(
        f"validation is far worse from the first epoch on (loss {show(validation.values[0])}, in training {show(loss.values[0])}) and "
        f"does not follow it (at the end {show(validation.values[-1])} and {show(loss.values[-1])}): the validation rows are of "
        "another kind, as when sorted data is split without shuffling, or are prepared in another way",
        f"验证从第一轮起就差很多（损失 {show(validation.values[0])}，训练 {show(loss.values[0])}），而且不随训练变好（最后分别为 "
        f"{show(validation.values[-1])} 和 {show(loss.values[-1])}）：验证数据是另一类数据，例如排好序的数据没有打乱就划分，"
        "或预处理方式不同",
    )
    label = Text("far worse from the start", "一开始就差很多")
    mark = Mark(validation.name, validation.epochs[0], label, run=log.run)
    return Sighting(text, confirms=(SPLIT, OVERFITTING), marks=(mark,))


def _better(log: TrainingLog, loss: Curve, validation: Curve) -> Iterator[Sighting]:
    trained = dict(zip(loss.epochs, loss.values, strict=True))
    both = [(trained[e], v) for e, v in zip(validation.epochs, validation.values, strict=True) if e in trained]
    lower = sum(v < _BETTER * t for t, v in both)
    if len(both) < 3 or lower < _MOSTLY * len(both) or both[-1][1] >= _BETTER * both[-1][0]:  # noqa: PLR2004
        return
    text = Text(
        f"the validation loss is below the training loss in {lower} of {len(both)} epochs (at the end {show(both[-1][1])} against "
        f"{show(both[-1][0])}): Dropout, augmentation and regularisation act in training only, and its loss is a mean over the epoch",
        f"{len(both)} 轮中有 {lower} 轮验证损失低于训练损失（最后为 {show(both[-1][1])} 对 {show(both[-1][0])}）：Dropout、"
        "数据增强和正则化只在训练时起作用，而且训练损失是整轮的平均",
    )
    label = Text("validation below training", "验证低于训练")
    mark = Mark(validation.name, validation.epochs[-1], label, run=log.run)
    yield Sighting(text, confirms=(BETTER,), rules_out=(OVERFITTING,), marks=(mark,))


PROBE = Probe(
    id="validation-curves",
    subject="log",
    promise=Text(
        "whether validation follows training: constant, one class only, data of another kind, or better than training",
        "检查验证曲线是否跟随训练：恒定、只有一个类别、数据不同类，或比训练还好",
    ),
    topics=(SPLIT, BETTER, NOT_LEARNING, OVERFITTING),
    look=look,
    remedy=Text(
        "shuffle the rows before validation_split, or make a stratified split and pass validation_data",
        "在 validation_split 之前先打乱数据，或用分层划分得到 validation_data",
    ),
    documentation="https://keras.io/api/models/model_training_apis/",
)
