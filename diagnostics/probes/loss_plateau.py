"""How the training loss ends: on a plateau, or still falling because training was too short."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, curve, noise, runs_with_loss, show, smooth, trend, when
from ..probe import Probe
from ..training_log import TrainingLog

NOT_LEARNING = "loss-not-decreasing"
REDUCE = "reduce-lr-on-plateau"
STOPPING = "early-stopping"
OVERFITTING = "overfitting"

_EPOCHS = 8
_FELL = 0.1
_END = 0.4  # the share of the epochs in which nothing may come any more
_NOTHING = 0.01
_RELATIVE = 0.9
_MUCH = 0.05
_SURE = 2.0
_EQUAL = 0.1


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run that learned something: whether it went on to the end."""
    for run, loss in runs_with_loss(log, _EPOCHS):
        fall = loss.values[0] - min(loss.values)
        if fall < _FELL * abs(loss.values[0]):
            continue
        flat = _flat_from(loss, fall)
        if flat is not None:
            yield _plateau(run, loss, flat)
        elif _falls(loss, fall):
            yield _still_falling(run, loss)


def _flat_from(loss: Curve, fall: float) -> int | None:
    """Where the loss came within 1 % of its fall of the lowest value; None where that is near the end."""
    smoothed = smooth(loss.values)
    limit = min(smoothed) + max(_NOTHING * fall, noise(loss.values))
    first = next(i for i, value in enumerate(smoothed) if value <= limit)
    lower = min(smoothed) < _RELATIVE * smoothed[first]  # small against the whole fall, but still by a share
    return first if first <= (1 - _END) * len(loss) and not lower else None


def _plateau(log: TrainingLog, loss: Curve, flat: int) -> Sighting:
    at, count = when(log, loss.epochs[flat]), len(loss) - flat - 1
    text = Text(
        f"the training loss fell from {show(loss.values[0])} to {show(loss.values[flat])} until {at.en}, and no further in the "
        f"{count} epochs behind it",
        f"训练损失到{at.zh}为止从 {show(loss.values[0])} 降到 {show(loss.values[flat])}，之后 {count} 轮不再下降",
    )
    mark = Mark(loss.name, loss.epochs[flat], Text("no further from here", "从这里起不再下降"), run=log.run)
    return Sighting(text, confirms=(NOT_LEARNING, REDUCE, STOPPING), marks=(mark,))


def _falls(loss: Curve, fall: float) -> bool:
    end = loss.tail(0.25, 4)
    return end[0] - end[-1] > _MUCH * fall and trend(end) <= -min(_SURE, 1.5)


def _still_falling(log: TrainingLog, loss: Curve) -> Sighting:
    end = loss.tail(0.25, 4)
    en = f"the training loss still falls at the end: from {show(end[0])} to {show(end[-1])} in the last {len(end)} epochs"
    zh = f"训练结束时损失仍在下降：最后 {len(end)} 轮从 {show(end[0])} 降到 {show(end[-1])}"
    validation = curve(log, f"val_{loss.name}")
    level = median(validation.tail(0.25)) if len(validation) else None
    equal = level is not None and level <= median(end) * (1 + _EQUAL)
    if level is not None and equal:
        en += f", and the validation loss ({show(level)}) is as low: more epochs or a larger model can still gain"
        zh += f"，验证损失（{show(level)}）也同样低：增加轮数或加大模型还有提升空间"
    mark = Mark(loss.name, loss.epochs[-1], Text("still falling", "仍在下降"), run=log.run)
    return Sighting(Text(en, zh), confirms=(NOT_LEARNING,), rules_out=(OVERFITTING,) if equal else (), marks=(mark,))


PROBE = Probe(
    id="loss-plateau",
    subject="log",
    promise=Text(
        "whether the training loss came to a halt, and when, or was still falling at the end",
        "检查训练损失是否停滞、从何时起停滞，或到结束时仍在下降",
    ),
    topics=(NOT_LEARNING, REDUCE, STOPPING, OVERFITTING),
    look=look,
    remedy=Text(
        "on a plateau lower the rate (ReduceLROnPlateau); where the loss still falls, train longer",
        "停滞时用 ReduceLROnPlateau 降低学习率；仍在下降时就多训练几轮",
    ),
    documentation="https://keras.io/api/callbacks/reduce_lr_on_plateau/",
)
