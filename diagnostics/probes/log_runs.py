"""How a log is made up: several runs in one file, runs that repeat each other, an end before the planned one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...knowledge.text import Text
from ..curves import Mark, Sighting, curve, main_loss, show
from ..probe import Probe
from ..training_log import TrainingLog

HISTORY = "record-history"
REPRODUCIBLE = "reproducible-results"
STOPPING = "early-stopping"

_SHOWN = 5
_NEAR = 0.1


def look(log: TrainingLog) -> Iterator[Sighting]:
    """The runs of a log and its end."""
    runs = log.runs
    if len(runs) > 1:
        yield _several(runs)
        yield from _repeated(runs)
    last = runs[-1].epochs[-1]
    if log.planned and last < log.planned:
        text = Text(
            f"the log ends in epoch {last} of {log.planned}: EarlyStopping, or an interruption",
            f"日志在第 {last} 轮（共 {log.planned} 轮）结束：EarlyStopping，或训练被中断",
        )
        mark = Mark(
            main_loss(runs[-1]) or next(iter(log.series)), last, Text("ends early", "提前结束"), run=runs[-1].run
        )
        yield Sighting(text, confirms=(STOPPING,), marks=(mark,))


def _several(runs: tuple[TrainingLog, ...]) -> Sighting:
    spans = [f"{run.epochs[0]}-{run.epochs[-1]}" for run in runs[:_SHOWN]]
    more = len(runs) - len(spans)
    goes_on = [run for before, run in pairwise(runs) if _goes_on(before, run)]
    en = f"the log holds {len(runs)} runs (epochs {', '.join(spans)}{', ...' if more else ''})"
    zh = f"日志里有 {len(runs)} 次训练（轮次 {'、'.join(spans)}{' 等' if more else ''}）"
    if goes_on:
        en += f"; {len(goes_on)} of them start with the loss that the one before ended with: fit was called again on the same model"
        zh += f"；其中 {len(goes_on)} 次开始时的损失接近上一次结束时：对同一个模型再次调用了 fit"
    marks = tuple(
        Mark(
            main_loss(run) or next(iter(run.series)),
            run.epochs[0],
            Text(f"run {run.run}", f"第 {run.run} 次"),
            run=run.run,
        )
        for run in runs[1:_SHOWN]
        if run.series
    )
    return Sighting(Text(en, zh), confirms=(HISTORY,), marks=marks)


def _goes_on(before: TrainingLog, run: TrainingLog) -> bool:
    """Whether a run begins where the one before ended, and lower than that one began."""
    one, other = curve(before, main_loss(before) or ""), curve(run, main_loss(run) or "")
    if not len(one) or not len(other):
        return False
    fall = one.values[0] - one.values[-1]
    return fall > 0 and other.values[0] - one.values[-1] < _NEAR * fall


def _repeated(runs: tuple[TrainingLog, ...]) -> Iterator[Sighting]:
    for before, run in pairwise(runs):
        loss = curve(run, main_loss(run) or "")
        if len(loss) > 1 and before.series == run.series:
            text = Text(
                f"runs {before.run} and {run.run} have the same values in every epoch (the last loss is {show(loss.values[-1])}): the "
                "training repeats exactly, or the log was written twice",
                f"第 {before.run} 次和第 {run.run} 次训练每一轮的数值都相同（最后的损失为 {show(loss.values[-1])}）：训练完全可重复，"
                "或同一份日志写了两遍",
            )
            yield Sighting(text, confirms=(REPRODUCIBLE, HISTORY))


PROBE = Probe(
    id="log-runs",
    subject="log",
    promise=Text(
        "whether a log holds several runs, and whether it ends before the epoch that was planned",
        "检查日志里是否有多次训练，是否在计划的轮数之前结束",
    ),
    topics=(HISTORY, REPRODUCIBLE, STOPPING),
    look=look,
    remedy=Text(
        "give each run its own file, or CSVLogger(..., append=True) and fit(..., initial_epoch=...) to go on",
        "每次训练用各自的文件，或用 CSVLogger(..., append=True) 加 fit(..., initial_epoch=...) 接着训练",
    ),
    documentation="https://keras.io/api/callbacks/csv_logger/",
)
