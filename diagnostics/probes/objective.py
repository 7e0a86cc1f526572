"""Objective: what the model was compiled with (losses, metrics) against what comes out of its last layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeGuard

from ...knowledge.text import Text
from ..compiled import Loss, Metric, by_output, is_object, loss_of, metrics_by_output
from ..graph import Graph, needed_graph
from ..heads import Head, heads_of, softmaxes_over_one
from ..loss_fit import ACCURACY, LABEL_RANGE, MISMATCH, NAN, ONE_UNIT, fits, loss_evidence
from ..metric_fit import LABELS, metric_evidence
from ..model_file import Json, ModelFile
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

OUTPUTS = "multi-output-losses"


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the losses and metrics of the model show when they are held against its outputs."""
    graph = needed_graph(model)
    heads = heads_of(model, graph) or ()
    seen = list(_softmaxes(graph, heads))
    compiled = model.compiled or {}
    if compiled.get("loss") is None and not any(e.fault for e in seen):
        raise CouldNotLook(_not_compiled(heads))
    keras_3 = model.line == "keras-3"
    if heads and compiled.get("loss") is not None:
        seen += _numbers(compiled, heads, keras_3=keras_3)
        seen += _each_output(compiled, heads, keras_3=keras_3)
    yield from seen
    yield from _sound(compiled, heads, {topic for e in seen for topic in e.confirms})


def _not_compiled(heads: Sequence[Head]) -> Text:
    en = "the file has no loss (the model was saved without being compiled, or without its optimizer)"
    zh = "文件里没有损失函数（模型保存时没有编译，或没有连同优化器一起保存）"
    if told := [_told(head) for head in heads if head.activation]:
        en += f"; its outputs: {names_en(told)}"
        zh += f"；它的输出：{names_zh(told)}"
    return Text(en, zh)


def _told(head: Head) -> str:
    return f"{head.layer}: {head.activation}" + (f" × {head.width}" if head.width else "")


def _softmaxes(graph: Graph, heads: Sequence[Head]) -> Iterator[Evidence]:
    """As an output it makes the whole model constant; inside (attention over the wrong axis) only a part of it."""
    ends = {head.layer for head in heads}
    for path in softmaxes_over_one(graph):
        place = ("the output of", "的输出") if path in ends else ("what comes out of", "输出的值")
        yield Evidence(
            Text(
                f"{place[0]} {names_en([path])} is a softmax over 1 unit: it is 1.0 for every sample; use sigmoid, or one unit per "
                "class",
                f"{names_zh([path])} {place[1]}是对 1 个单元做 softmax：对每个样本都恒等于 1.0；请改用 sigmoid，或每类一个单元",
            ),
            confirms=(ONE_UNIT,),
            fault=path in ends,
        )


def _numbers(compiled: Json, heads: Sequence[Head], *, keras_3: bool) -> Iterator[Evidence]:
    """Losses and metrics by output: whether there are as many, under the right names."""
    loss = compiled["loss"]
    if isinstance(loss, list) and len(loss) != len(heads):
        # Too few leave outputs untrained in Keras 2.4 to 3; too many stop Keras 3, which adds them up for a single output.
        added_up = keras_3 and len(heads) == 1
        yield _miscounted("loss", len(loss), heads, fault=len(loss) > len(heads) and not added_up)
    elif _is_by_name(loss):
        yield from _names("loss", loss, heads, fault=True)
        if lost := [head.names[0] for head in heads if not set(head.names) & set(loss)]:
            yield _without_loss(lost)
    for key in ("metrics", "weighted_metrics"):
        yield from _numbers_of_metrics(key, compiled.get(key), heads, keras_3=keras_3)


def _numbers_of_metrics(key: str, metrics: Any, heads: Sequence[Head], *, keras_3: bool) -> Iterator[Evidence]:  # noqa: ANN401
    """A flat list is for every output up to Keras 2; for a single output Keras 3 does not look at names."""
    if _is_by_name(metrics):
        yield from _names(key, metrics, heads, fault=not (keras_3 and len(heads) == 1))
    elif isinstance(metrics, list) and metrics and 1 < len(heads) != len(metrics):
        by_index = keras_3 or any(isinstance(metric, list) for metric in metrics)
        if by_index:
            yield _miscounted(key, len(metrics), heads, fault=True)


def _is_by_name(written: Any) -> TypeGuard[Json]:  # noqa: ANN401 - JSON
    return isinstance(written, dict) and not is_object(written)


def _miscounted(argument: str, number: int, heads: Sequence[Head], *, fault: bool) -> Evidence:
    names, outputs = [head.names[0] for head in heads], f"{len(heads)} output{'s' if len(heads) > 1 else ''}"
    return Evidence(
        Text(
            f"{argument} is a list of length {number}, and the model has {outputs} ({names_en(names)}): give one for each, None where "
            "there is none",
            f"{argument} 列表有 {number} 项，而模型有 {len(heads)} 个输出（{names_zh(names)}）：请每个输出给一项，没有的写 None",
        ),
        confirms=(OUTPUTS,),
        fault=fault,
    )


def _names(argument: str, given: Json, heads: Sequence[Head], *, fault: bool) -> Iterator[Evidence]:
    names = [head.names[0] for head in heads]
    if unknown := sorted(set(given) - {name for head in heads for name in head.names}):
        yield Evidence(
            Text(
                f"{argument} names {names_en(unknown)}, which is no output of the model; its outputs are {names_en(names)}",
                f"{argument} 里的 {names_zh(unknown)} 不是模型的输出；模型的输出是 {names_zh(names)}",
            ),
            confirms=(OUTPUTS,),
            fault=fault,
        )


def _without_loss(names: Sequence[str]) -> Evidence:
    return Evidence(
        Text(
            f"output {names_en(names)} has no loss: what leads only there is not trained, and Keras 3.6 and newer want None for it",
            f"输出 {names_zh(names)} 没有损失：只通向它的层不会被训练，而且 Keras 3.6 以上要求为它写 None",
        ),
        confirms=(OUTPUTS,),
    )


def _each_output(compiled: Json, heads: Sequence[Head], *, keras_3: bool) -> Iterator[Evidence]:
    losses = by_output(compiled["loss"], heads) or [None] * len(heads)
    metrics = metrics_by_output(compiled.get("metrics"), heads, keras_3=keras_3)
    weighted = metrics_by_output(compiled.get("weighted_metrics"), heads, keras_3=keras_3)
    for head, written, first, second in zip(heads, losses, metrics, weighted, strict=True):
        if head.activation == "softmax" and head.units == 1:
            continue  # told already, and nothing else matters beside it
        loss = loss_of(written)
        if loss:
            yield from loss_evidence(head, loss)
        for metric in _once([*first, *second]):
            if evidence := metric_evidence(head, loss, metric):
                yield evidence


def _once(metrics: Sequence[Metric]) -> Iterable[Metric]:
    return {metric.name: metric for metric in reversed(metrics)}.values()


def _sound(compiled: Json, heads: Sequence[Head], confirmed: set[str]) -> Iterator[Evidence]:
    """What is out, unless something speaks for it: the softmax where all outputs are known, the pair where it fits."""
    if not heads or any(head.activation is None or (head.activation == "softmax" and not head.units) for head in heads):
        return
    written = by_output(compiled.get("loss"), heads) or [None] * len(heads)
    pairs = [(head, loss_of(item)) for head, item in zip(heads, written, strict=True)]
    told = [f"{_told(head)}, {_called(loss)}" for head, loss in pairs]
    ruled_out = (ONE_UNIT, MISMATCH) if all(loss and fits(head, loss) for head, loss in pairs) else (ONE_UNIT,)
    yield Evidence(
        Text(f"outputs and their losses: {names_en(told)}", f"各输出及其损失：{names_zh(told)}"),
        rules_out=tuple(topic for topic in ruled_out if topic not in confirmed),
    )


def _called(loss: Loss | None) -> str:
    return "?" if loss is None else loss.name + (" (from_logits)" if loss.from_logits else "")


PROBE = Probe(
    id="objective",
    subject="model",
    promise=Text(
        "whether the losses and metrics that the model was compiled with fit its outputs",
        "检查模型编译时的损失和指标是否与它的输出匹配",
    ),
    topics=(ONE_UNIT, MISMATCH, ACCURACY, OUTPUTS, LABELS, LABEL_RANGE, NAN),
    look=look,
    remedy=Text(
        "choose the last activation, the loss and the form of the labels together",
        "最后的激活函数、损失和标签形式要一起选",
    ),
    documentation="https://keras.io/api/losses/",
)
