"""Data layout: is there anything, is it rectangular, do inputs and labels have as many rows, do rows occur twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..data_roles import split_of
from ..data_sample import Array, DataSample
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

EMPTY = "empty-dataset"
RAGGED = "ragged-array-to-tensor"
BATCHES = "batch-of-different-shapes"
CARDINALITY = "data-cardinality"
VALIDATION = "validation-vs-test-set"
OVERFITTING = "overfitting"


def look(sample: DataSample) -> Iterator[Evidence]:
    """What is odd about the arrays themselves, whatever they mean."""
    told = [str(array) for array in sample.arrays]
    yield Evidence(Text(f"{sample.format} with {names_en(told)}", f"{sample.format}，内有 {names_zh(told)}"))
    if sample.how:
        yield Evidence(sample.how)
    for array in sample.arrays:
        yield from _array(array)
    yield from _fields(sample)
    yield from _lengths(sample)
    yield from _twice(sample)
    yield from _leaks(sample)


def _array(array: Array) -> Iterator[Evidence]:
    en, zh = names_en([array.name]), names_zh([array.name])
    if array.shape and 0 in array.shape:
        yield Evidence(
            Text(f"{en} has the shape {array.shape}: it is empty", f"{zh} 的形状是 {array.shape}：它是空的"),
            confirms=(EMPTY,),
            fault=True,
        )
    elif array.ragged and array.unreadable:
        yield Evidence(
            Text(
                f"{en} ({array.shape}) can't become a tensor: {array.unreadable.en}",
                f"{zh}（{array.shape}）无法变成张量：{array.unreadable.zh}",
            ),
            confirms=(RAGGED, BATCHES),
            fault=True,
        )
    elif array.unreadable:
        yield Evidence(Text(f"{en} was not read: {array.unreadable.en}", f"{zh} 没有读取：{array.unreadable.zh}"))


def _fields(sample: DataSample) -> Iterator[Evidence]:
    for remark in sample.remarks:
        if remark.kind == "other number of fields":
            yield Evidence(
                Text(
                    f"{remark.count:,} rows have another number of fields than the rest ({remark.example}), the first is row "
                    f"{remark.row:,}: they were left out here",
                    f"有 {remark.count:,} 行的字段数与其他行不同（{remark.example}），第一处是第 {remark.row:,} 行：这里已跳过",
                ),
                confirms=(RAGGED,),
                warning=True,
            )


def _lengths(sample: DataSample) -> Iterator[Evidence]:
    """Inputs and labels of one part of the data, each against the first of them."""
    parts: dict[str, list[Array]] = {}
    for array in (*sample.input_arrays, *sample.label_arrays):
        parts.setdefault(split_of(array.name), []).append(array)
    for arrays in parts.values():
        if len({array.samples for array in arrays}) > 1 and not any(array.estimated for array in arrays):
            told = [f"{array.name}: {array.samples:,}" for array in arrays]
            yield Evidence(
                Text(
                    f"inputs and labels have different numbers of samples: {names_en(told)}",
                    f"输入与标签的样本数不同：{names_zh(told)}",
                ),
                confirms=(CARDINALITY,),
                fault=True,
            )
        elif len(arrays) > 1:
            number = arrays[0].samples
            yield Evidence(
                Text(
                    f"{len(arrays)} arrays with {number:,} samples each",
                    f"{len(arrays)} 个数组，各有 {number:,} 个样本",
                ),
                rules_out=(CARDINALITY,),
            )


def _hashes(array: Array) -> Any:  # noqa: ANN401 - a NumPy array
    """The bytes of each row that was read, as something that can be compared."""
    import numpy as np  # noqa: PLC0415 - an optional extra, and a tenth of a second

    flat = np.ascontiguousarray(array.values.reshape(len(array.values), -1))
    return [hash(row.tobytes()) for row in flat]


def _comparable(array: Array) -> bool:
    """Rows of one or two numbers repeat by chance."""
    return array.values is not None and array.values.size > 2 * len(array.values) > 2  # noqa: PLR2004


def _twice(sample: DataSample) -> Iterator[Evidence]:
    for array in sample.input_arrays:
        if not _comparable(array):
            continue
        rows = _hashes(array)
        repeated = len(rows) - len(set(rows))
        if repeated:
            yield Evidence(
                Text(
                    f"{repeated:,} of {len(rows):,} rows of {names_en([array.name])} ({repeated / len(rows):.1%}) repeat an "
                    "earlier row",
                    f"{names_zh([array.name])} 的 {len(rows):,} 行中有 {repeated:,} 行（{repeated / len(rows):.1%}）与前面的行重复",
                ),
                confirms=(OVERFITTING,),
            )


def _leaks(sample: DataSample) -> Iterator[Evidence]:
    """Rows that training data and test or validation data share."""
    trained = [a for a in sample.input_arrays if split_of(a.name) == "train" and _comparable(a)]
    held_out = [a for a in sample.input_arrays if split_of(a.name) in ("val", "test") and _comparable(a)]
    for train in trained:
        known = set(_hashes(train))
        for other in held_out:
            if other.shape[1:] != train.shape[1:] or other.dtype != train.dtype:
                continue
            shared = sum(row in known for row in _hashes(other))
            if shared:
                yield _leak(train, other, shared)


def _leak(train: Array, other: Array, shared: int) -> Evidence:
    number = len(other.values)
    return Evidence(
        Text(
            f"{shared:,} of {number:,} rows of {names_en([other.name])} ({shared / number:.1%}) stand in {names_en([train.name])} "
            "too: scores on them are too good",
            f"{names_zh([other.name])} 的 {number:,} 行中有 {shared:,} 行（{shared / number:.1%}）也出现在 {names_zh([train.name])} "
            "里：在它们上的得分会偏高",
        ),
        confirms=(VALIDATION, OVERFITTING),
    )


PROBE = Probe(
    id="data-layout",
    subject="data",
    promise=Text(
        "whether the arrays are filled, rectangular and of the same length, and whether rows repeat",
        "检查数组是否有内容、是否规整、长度是否一致，以及有没有重复的行",
    ),
    topics=(EMPTY, RAGGED, BATCHES, CARDINALITY, VALIDATION, OVERFITTING),
    look=look,
    remedy=Text(
        "pad or resize samples to one shape, and cut inputs and labels by the same indices",
        "把样本补齐或缩放成同一形状，并用相同的下标切分输入和标签",
    ),
    documentation="https://keras.io/api/models/model_training_apis/#fit-method",
)
