"""The learning rate over the epochs: its steps, and whether it fell to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, curve, main_loss, show, spread, when
from ..probe import CouldNotLook, Probe
from ..training_log import RATE, TrainingLog

REDUCE = "reduce-lr-on-plateau"
SCHEDULE = "learning-rate-schedule"
NOT_LEARNING = "loss-not-decreasing"

_SAME = 1e-3
_NOTHING = 1e-7
_SHARE = 1e-4
_STILL = 0.01
_SHOWN = 6


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run's learning rate."""
    if not len(curve(log, RATE)):
        raise CouldNotLook(
            Text(
                "the log has no learning rate (ReduceLROnPlateau and LearningRateScheduler write one)",
                "日志里没有学习率（ReduceLROnPlateau 和 LearningRateScheduler 会写入）",
            )
        )
    for run in log.runs:
        rate = curve(run, RATE)
        steps = [
            i for i in range(1, len(rate)) if abs(rate.values[i] - rate.values[i - 1]) > _SAME * rate.values[i - 1]
        ]
        if steps:
            yield _changes(run, rate, steps)
        yield from _nothing(run, rate)


def _changes(log: TrainingLog, rate: Curve, steps: list[int]) -> Sighting:
    first, last, values = rate.values[0], rate.values[-1], rate.values
    marks: tuple[Mark, ...] = ()
    if len(steps) > len(rate) / 2:
        falls = all(b <= a for a, b in pairwise(values))
        text = Text(
            f"the learning rate {'falls' if falls else 'changes'} in {len(steps)} of {len(rate)} epochs, from {show(first)} to "
            f"{show(last)}",
            f"学习率在 {len(rate)} 轮里{'下降' if falls else '变化'} {len(steps)} 次，从 {show(first)} 到 {show(last)}",
        )
    else:
        told = [f"{rate.epochs[i]}: {show(values[i - 1])} -> {show(values[i])}" for i in steps[:_SHOWN]]
        more = len(steps) - len(told)
        rest_en, rest_zh = (f" and {more} more", f" 等共 {len(steps)} 次") if more else ("", "")
        run_en, run_zh = (f" of run {log.run}", f"第 {log.run} 次训练中，") if log.run else ("", "")
        text = Text(
            f"the learning rate changes in these epochs{run_en}: {', '.join(told)}{rest_en}",
            f"{run_zh}学习率在这些轮次变化：{'、'.join(told)}{rest_zh}",
        )
        marks = tuple(
            Mark(RATE, rate.epochs[i], Text(show(values[i]), show(values[i])), run=log.run) for i in steps[:_SHOWN]
        )
    return Sighting(text, confirms=(REDUCE, SCHEDULE), marks=marks)


def _nothing(log: TrainingLog, rate: Curve) -> Iterator[Sighting]:
    """From where the rate is so low that the loss stands still."""
    highest = max(rate.values, default=0.0)
    row = next((i for i, v in enumerate(rate.values) if v <= _NOTHING or v <= _SHARE * highest), None)
    if row is None or len(rate) - row < 2 or any(v > rate.values[row] for v in rate.values[row:]):  # noqa: PLR2004
        return
    loss = curve(log, main_loss(log) or "")
    behind = [v for e, v in zip(loss.epochs, loss.values, strict=True) if e >= rate.epochs[row]]
    if not behind or spread(behind) > _STILL:
        return
    at = when(log, rate.epochs[row])
    text = Text(
        f"from {at.en} on the learning rate is at most {show(rate.values[row])} (it was {show(highest)}), and the loss stands still "
        f"at {show(behind[-1])}: these epochs train nothing",
        f"从{at.zh}起学习率不超过 {show(rate.values[row])}（原为 {show(highest)}），损失停在 {show(behind[-1])}：这些轮次等于没有训练",
    )
    mark = Mark(RATE, rate.epochs[row], Text("fallen to nothing", "几乎为零"), rate.epochs[-1], log.run)
    yield Sighting(text, confirms=(NOT_LEARNING, REDUCE, SCHEDULE), marks=(mark,))


PROBE = Probe(
    id="learning-rate-changes",
    subject="log",
    promise=Text(
        "in which epochs the learning rate changed, and whether it fell to nothing",
        "检查学习率在哪几轮变化，是否降到几乎为零",
    ),
    topics=(REDUCE, SCHEDULE, NOT_LEARNING),
    look=look,
    remedy=Text(
        "give ReduceLROnPlateau a longer patience and a min_lr, or end the training there",
        "给 ReduceLROnPlateau 更大的 patience 并设 min_lr，或在那里结束训练",
    ),
    documentation="https://keras.io/api/callbacks/reduce_lr_on_plateau/",
)
