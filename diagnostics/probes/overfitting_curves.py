"""Overfitting: the validation loss has its lowest point behind it while the training loss falls on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, median

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, curve, noise, runs_with_loss, show, smooth, trend, when
from ..probe import CouldNotLook, Probe
from ..training_log import TrainingLog, is_accuracy

OVERFITTING = "overfitting"
STOPPING = "early-stopping"

_AFTER = 4  # epochs behind the lowest
_RISE = 0.3  # of the lowest value, and of the fall to it at least:
_OF_FALL = 0.2
_SLIGHT = 0.05
_NOISE = 4.0  # times the noise from epoch to epoch
_SURE = 2.0  # standard deviations of the trend behind the lowest
_TRAINING_FALLS = 0.9
_GAP = 0.1


@dataclass(frozen=True)
class _Turn:
    """Where the validation loss turned: its row and lowest smoothed value and its level at the end."""

    row: int
    lowest: float
    end: float
    clear: bool
    slight: bool


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run that was validated: where its validation loss was lowest, and how far it rose."""
    validated = False
    for run, loss in runs_with_loss(log):
        validation = curve(run, f"val_{loss.name}")
        if len(validation) < _AFTER:
            continue
        validated = True
        turn = _turn(loss, validation)
        if turn.clear or turn.slight:
            yield _overfitted(run, loss, validation, turn)
        else:
            yield from _gap(run)
    if not validated:
        raise CouldNotLook(
            Text(
                f"no run has a validation loss in {_AFTER} epochs; give fit validation_data",
                f"没有一次训练有 {_AFTER} 轮以上的验证损失；请给 fit 传 validation_data",
            )
        )


def _turn(loss: Curve, validation: Curve) -> _Turn:
    smoothed = smooth(validation.values)
    lowest = min(smoothed)
    near = smoothed.index(lowest)
    row = min(range(max(0, near - 1), min(near + 2, len(validation))), key=validation.values.__getitem__)
    behind = validation.values[row:]
    end = median(validation.tail(0.2, 3))
    rise, sigma = end - lowest, noise(validation.values)
    size = abs(lowest)
    rises = (
        len(behind) > _AFTER
        and rise > _NOISE * sigma / 2
        and trend(behind) > _SURE
        and _trains_on(loss, validation, row)
    )
    large = rise > _RISE * size and rise > _OF_FALL * (validation.values[0] - lowest) and rise > _NOISE * sigma
    return _Turn(row, lowest, end, clear=rises and large, slight=rises and rise > _SLIGHT * size)


def _trains_on(loss: Curve, validation: Curve, row: int) -> bool:
    """Whether the training loss fell further behind the lowest validation loss."""
    then = [value for epoch, value in zip(loss.epochs, loss.values, strict=True) if epoch <= validation.epochs[row]]
    end = fmean(loss.tail(0.1))
    return bool(then) and end < (_TRAINING_FALLS * then[-1] if then[-1] > 0 else then[-1])


def _overfitted(log: TrainingLog, loss: Curve, validation: Curve, turn: _Turn) -> Sighting:
    epoch, lowest, end = validation.epochs[turn.row], show(validation.values[turn.row]), show(turn.end)
    at, more, trained = when(log, epoch), _accuracies(log), show(loss.values[-1])
    text = Text(
        f"the validation loss is lowest in {at.en} ({lowest}) and rises to {end} at the end, while the training loss falls on to "
        f"{trained}{more.en}",
        f"验证损失在{at.zh}最低（{lowest}），到最后升到 {end}，而训练损失一直降到 {trained}{more.zh}",
    )
    mark = Mark(validation.name, epoch, Text("lowest validation loss", "验证损失最低"), run=log.run)
    return Sighting(text, confirms=(OVERFITTING, STOPPING), warning=turn.clear, marks=(mark,))


def _ends(log: TrainingLog) -> tuple[float, float] | None:
    """Training and validation accuracy at the end; None where there are none."""
    for pair in log.pairs():
        if is_accuracy(pair.name) and pair.validation:
            trained, validated = curve(log, pair.name), curve(log, f"val_{pair.name}")
            if len(trained) and len(validated):
                return median(trained.tail(0.1)), median(validated.tail(0.2, 3))
    return None


def _accuracies(log: TrainingLog) -> Text:
    ends = _ends(log)
    if ends is None:
        return Text("", "")
    return Text(
        f"; accuracy at the end {ends[0]:.3f} in training, {ends[1]:.3f} in validation",
        f"；最后的准确率：训练 {ends[0]:.3f}，验证 {ends[1]:.3f}",
    )


def _gap(log: TrainingLog) -> Iterator[Sighting]:
    ends = _ends(log)
    if ends and ends[0] - ends[1] > _GAP:
        text = Text(
            f"at the end the accuracy is {ends[0]:.3f} in training and {ends[1]:.3f} in validation",
            f"训练结束时准确率：训练 {ends[0]:.3f}，验证 {ends[1]:.3f}",
        )
        yield Sighting(text, confirms=(OVERFITTING,))


PROBE = Probe(
    id="overfitting-curves",
    subject="log",
    promise=Text(
        "whether and since which epoch the validation loss rises while the training loss falls",
        "检查验证损失是否上升而训练损失下降，从第几轮开始",
    ),
    topics=(OVERFITTING, STOPPING),
    look=look,
    remedy=Text(
        "stop there with EarlyStopping(restore_best_weights=True); then more data, Dropout, or a smaller model",
        "用 EarlyStopping(restore_best_weights=True) 停在最低点；再考虑增加数据、Dropout 或减小模型",
    ),
    documentation="https://www.tensorflow.org/tutorials/keras/overfit_and_underfit",
)
