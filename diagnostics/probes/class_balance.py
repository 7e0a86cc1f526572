"""Class balance: how often each class occurs."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..data_labels import Labels, class_ids, labels_of
from ..data_roles import split_of
from ..data_sample import Array, DataSample
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

WEIGHTS = "class-weight"
ACCURACY = "accuracy-metric"
NOT_LEARNING = "loss-not-decreasing"
_UNEVEN = 10  # times as often as the rarest: a warning
_FEWEST = 20


def look(sample: DataSample) -> Iterator[Evidence]:
    """The classes of each label array with their counts."""
    found = [(array, counts) for array in sample.label_arrays if (counts := _counts(array))]
    if not found:
        raise CouldNotLook(Text("no labels of classes were found", "没有找到类别标签"))
    for array, counts in found:
        yield from _balance(array, counts)


def _counts(array: Array) -> tuple[tuple[str, int], ...]:
    labels = labels_of(array)
    if labels is None or class_ids(array) is None:
        return ()
    if labels.form == "one-hot":
        return _columns(labels)
    return labels.counts


def _columns(labels: Labels) -> tuple[tuple[str, int], ...]:
    """Of one-hot labels a class that never occurs is seen too."""
    sums = labels.array.values.sum(axis=0)
    return tuple(sorted(((str(i), int(n)) for i, n in enumerate(sums[:1_000])), key=lambda item: -item[1]))


def _balance(array: Array, counts: tuple[tuple[str, int], ...]) -> Iterator[Evidence]:
    total = sum(number for _, number in counts)
    en, zh = names_en([array.name]), names_zh([array.name])
    (often, most), (seldom, least) = counts[0], counts[-1]
    if len(counts) == 1:
        if total >= _FEWEST:
            yield _single(array, often, total)
        return
    told = [f"{name}: {number:,}" for name, number in counts]
    yield Evidence(
        Text(f"{en} has {len(counts)} classes: {names_en(told)}", f"{zh} 有 {len(counts)} 类：{names_zh(told)}"),
        rules_out=(WEIGHTS,) if most < 2 * least else (),
    )
    if most < 2 * least or total < _FEWEST:
        return
    yield Evidence(
        Text(
            f"{en}: class {names_en([often])} has {most:,} of {total:,} samples, class {names_en([seldom])} {least:,} "
            f"(1 to {most / max(1, least):.0f}); always answering {names_en([often])} is right in {most / total:.0%}",
            f"{zh}：类别 {names_zh([often])} 有 {most:,} 个样本（共 {total:,} 个），类别 {names_zh([seldom])} 有 {least:,} 个"
            f"（1 比 {most / max(1, least):.0f}）；总是回答 {names_zh([often])} 就有 {most / total:.0%} 的准确率",
        ),
        confirms=(WEIGHTS, ACCURACY),
        warning=most >= _UNEVEN * least,
    )


def _single(array: Array, name: str, total: int) -> Evidence:
    """Of a part of the data it may be chance, of a test set it may be meant."""
    en, zh = names_en([array.name]), names_zh([array.name])
    return Evidence(
        Text(
            f"all {total:,} labels that were read of {en} are {names_en([name])}: there is nothing to tell apart",
            f"{zh} 读到的 {total:,} 个标签全是 {names_zh([name])}：没有可区分的类别",
        ),
        confirms=(NOT_LEARNING,),
        fault=array.whole and split_of(array.name) in ("", "train"),
        warning=True,
    )


PROBE = Probe(
    id="class-balance",
    subject="data",
    promise=Text("how often each class occurs in the labels", "统计标签中各类别出现的次数"),
    topics=(WEIGHTS, ACCURACY, NOT_LEARNING),
    look=look,
    remedy=Text(
        "pass class_weight to fit, and judge by precision and recall rather than accuracy",
        "给 fit 传 class_weight，并用精确率和召回率而不是准确率来评判",
    ),
    documentation="https://keras.io/examples/structured_data/imbalanced_classification/",
)
