"""NaN and infinity in the curves: since when, and what came just before."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...knowledge.text import Text
from ..curves import Curve, Mark, Sighting, called, curve, show, when
from ..probe import Probe
from ..training_log import RATE, TrainingLog, is_loss

NAN = "nan-loss"
_GROWN = 3.0


def look(log: TrainingLog) -> Iterator[Sighting]:
    """Each run's first value that is no finite number: of the losses, and of the metrics where no loss has one."""
    bad = False
    for run in log.runs:
        found = [name for name in run.series if name != RATE and _first(run, name) is not None]
        losses = [name for name in found if is_loss(name)]
        bad = bad or bool(found)
        if losses:
            yield _losses(run, losses)
        elif found:
            yield _metrics(run, found)
        yield from _missing(run)
    if not bad:
        text = Text(
            f"none of the values in {len(log.epochs)} epochs is nan or inf",
            f"{len(log.epochs)} 轮里没有 nan 或 inf",
        )
        yield Sighting(text, rules_out=(NAN,))


def _first(log: TrainingLog, name: str) -> int | None:
    """The row of the first value that is there and not finite."""
    return next((i for i, v in enumerate(log.get(name) or ()) if v is not None and not math.isfinite(v)), None)


def _losses(log: TrainingLog, names: list[str]) -> Sighting:
    """The loss that went first; a training loss before a validation loss of the same epoch."""
    name = min(names, key=lambda n: (_first(log, n) or 0, n.startswith("val_"), n != "loss"))
    row = _first(log, name) or 0
    epoch, value = log.epochs[row], log.series[name][row]
    count = sum(v is not None and not math.isfinite(v) for v in log.series[name])
    who, at, before = called(name), when(log, epoch), _before(log, name, row)
    en = f"{who.en} is {value} first in {at.en}, and in {count} of {len(log.epochs)} epochs; {before.en}"
    zh = f"{who.zh} 最早在{at.zh}变成 {value}，{len(log.epochs)} 轮中有 {count} 轮如此；{before.zh}"
    if name.startswith("val_") and _first(log, name.removeprefix("val_")) is None:
        en += "; the training loss stays finite, so look at the validation data (nan, empty, out of range)"
        zh += "；训练损失一直是有限值，所以请检查验证数据（nan、空、超出范围）"
    label = Text(f"{name} is {value}", f"{name} 变成 {value}")
    return Sighting(
        Text(en, zh), confirms=(NAN,), fault=True, marks=(Mark(name, epoch, label, log.epochs[-1], run=log.run),)
    )


def _before(log: TrainingLog, name: str, row: int) -> Text:
    told = curve(log, name)
    known = [i for i, epoch in enumerate(told.epochs) if epoch < log.epochs[row]]
    if not known:
        return Text(
            "no epoch before it was finite: the data, the rate or the loss was wrong from the start",
            "之前没有一轮是有限值：数据、学习率或损失从一开始就有问题",
        )
    last = Curve(name, told.epochs[: len(known)], told.values[: len(known)])
    values = ", ".join(show(value) for value in last.values[-3:])
    grown = last.values[-1] / min(last.values) if min(last.values) > 0 else 0.0
    if grown >= _GROWN:
        return Text(
            f"before it {values}, {grown:.3g} times its lowest value: it grew first, as with a rate that is too high",
            f"之前是 {values}，已是最低值的 {grown:.3g} 倍：先增大后溢出，像是学习率太高",
        )
    return Text(
        f"before it {values}: it came suddenly, as with one bad sample or a log, root or division of zero",
        f"之前是 {values}：突然出现，像是某个坏样本，或对 0 取对数、开方、做除数",
    )


def _metrics(log: TrainingLog, names: list[str]) -> Sighting:
    """Some metrics are 0/0 for a batch without positives, which is no fault."""
    who = called(*names)
    first = min(names, key=lambda n: _first(log, n) or 0)
    row = _first(log, first) or 0
    at = when(log, log.epochs[row])
    text = Text(
        f"{who.en} has values that are nan or inf, first in {at.en}; every loss is finite",
        f"{who.zh} 有 nan 或 inf，最早在{at.zh}；各损失都是有限值",
    )
    return Sighting(text, confirms=(NAN,), marks=(Mark(first, log.epochs[row], Text(text.en, text.zh), run=log.run),))


def _missing(log: TrainingLog) -> Iterator[Sighting]:
    """A gap may be a NaN: pandas writes one as an empty cell."""
    series = log.get("loss")
    gaps = [epoch for epoch, value in zip(log.epochs, series or (), strict=False) if value is None]
    if gaps:
        at = when(log, gaps[0])
        text = Text(
            f"'loss' has no value in {len(gaps)} of {len(log.epochs)} epochs, first in {at.en}: pandas writes nan as an empty cell",
            f"'loss' 在 {len(log.epochs)} 轮中有 {len(gaps)} 轮没有数值，最早是{at.zh}：pandas 会把 nan 写成空单元格",
        )
        label = Text("no value of loss", "loss 没有数值")
        yield Sighting(text, confirms=(NAN,), marks=(Mark("loss", gaps[0], label, run=log.run),))


PROBE = Probe(
    id="loss-not-finite",
    subject="log",
    promise=Text(
        "whether a curve becomes nan or infinite, in which epoch, and what came before",
        "检查曲线是否变成 nan 或无穷大，在第几轮，之前发生了什么",
    ),
    topics=(NAN,),
    look=look,
    remedy=Text(
        "check the data for nan, lower the learning rate or clip gradients, and stop early with TerminateOnNaN",
        "检查数据里有没有 nan，降低学习率或裁剪梯度，并用 TerminateOnNaN 及时停止",
    ),
    documentation="https://keras.io/api/callbacks/terminate_on_nan/",
)
