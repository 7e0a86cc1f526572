"""Data values: NaN and Inf, columns that never change, numbers that are not scaled or scaled twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..data_model import looks_up, scaling
from ..data_sample import Array, DataSample
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

NAN = "nan-loss"
SCALE = "integer-inputs-not-scaled"
NOT_LEARNING = "loss-not-decreasing"
_PIXELS = 255
_LARGEST = 3.4028234e38  # of float32
_UNEQUAL = 1_000  # times that the widest column varies more than the narrowest
_FEWEST = 10


def look(sample: DataSample) -> Iterator[Evidence]:
    """What of the numbers a model can't learn from, or learns badly."""
    for array in (*sample.input_arrays, *sample.label_arrays):
        if _is_numbers(array):
            yield from _not_finite(array, sample)
    yield from _remarks(sample)
    looked_up = sample.model is not None and any(looks_up(sample.model))
    for array in sample.input_arrays:
        if _is_numbers(array):
            yield from _constant(array)
            if not looked_up:
                yield from _scale(array, sample)


def _is_numbers(array: Array) -> bool:
    return array.values is not None and array.values.size > 0 and array.values.dtype.kind in "iuf"


def _not_finite(array: Array, sample: DataSample) -> Iterator[Evidence]:
    """In a table empty cells are ordinary, and a program fills them; an array is fed as it is."""
    import numpy as np  # noqa: PLC0415 - an optional extra, and a tenth of a second

    if array.values.dtype.kind != "f":
        return
    nan, endless = np.isnan(array.values), np.isinf(array.values)
    if array.values.dtype.itemsize > 4:  # noqa: PLR2004 - float64, which Keras casts to float32
        endless = endless | (abs(array.values) > _LARGEST)
    if not nan.any() and not endless.any():
        yield Evidence(
            Text(
                f"no NaN or Inf in {names_en([array.name])} ({array.values.size:,} numbers)",
                f"{names_zh([array.name])} 没有 NaN 或 Inf（{array.values.size:,} 个数）",
            )
        )
        return
    yield _broken(array, sample, nan, endless)


def _broken(array: Array, sample: DataSample, nan: Any, endless: Any) -> Evidence:  # noqa: ANN401 - NumPy arrays
    import numpy as np  # noqa: PLC0415 - see above

    bad = (nan | endless).reshape(len(array.values), -1)
    rows = np.flatnonzero(bad.any(axis=1))
    columns = [array.columns[i] for i in np.flatnonzero(bad.any(axis=0))[:50]] if array.columns else []
    return Evidence(
        Text(
            f"{names_en([array.name])} holds {int(nan.sum()):,} NaN and {int(endless.sum()):,} infinite (or beyond float32) of "
            f"{array.values.size:,} numbers, in {len(rows):,} rows (the first is {int(array.rows[rows[0]]):,})"
            + (f", columns {names_en(columns)}" if columns else "")
            + ": the loss becomes nan",
            f"{names_zh([array.name])} 的 {array.values.size:,} 个数中有 {int(nan.sum()):,} 个 NaN、{int(endless.sum()):,} 个无穷大"
            f"（或超出 float32），涉及 {len(rows):,} 行（第一处是第 {int(array.rows[rows[0]]):,} 行）"
            + (f"，列 {names_zh(columns)}" if columns else "")
            + "：损失会变成 nan",
        ),
        confirms=(NAN,),
        fault=sample.format != "CSV",
        warning=True,
    )


def _remarks(sample: DataSample) -> Iterator[Evidence]:
    odd = [remark for remark in sample.remarks if remark.kind == "not a number"]
    if odd:
        told = [f"{r.column}: {r.count} ({r.example})" for r in odd]
        yield Evidence(
            Text(
                f"columns of numbers with cells that are none: {names_en(told)}",
                f"数值列里有不是数的单元格：{names_zh(told)}",
            ),
            confirms=(NAN,),
            warning=True,
        )


def _constant(array: Array) -> Iterator[Evidence]:
    if array.values.ndim != 2 or len(array.values) < _FEWEST:  # noqa: PLR2004 - a table
        return
    still = (array.values == array.values[0]).all(axis=0)
    if still.any():
        names = [array.columns[i] if array.columns else str(i) for i in still.nonzero()[0][:1000]]
        yield Evidence(
            Text(
                f"{int(still.sum()):,} of {array.values.shape[1]:,} columns of {names_en([array.name])} have one value only: "
                f"{names_en(names)}",
                f"{names_zh([array.name])} 的 {array.values.shape[1]:,} 列中有 {int(still.sum()):,} 列只有一个值：{names_zh(names)}",
            ),
            confirms=(NOT_LEARNING,),
        )


def _scale(array: Array, sample: DataSample) -> Iterator[Evidence]:
    import numpy as np  # noqa: PLC0415 - an optional extra, and a tenth of a second

    scales, factor = scaling(sample.model) if sample.model else (True, None)
    finite = np.isfinite(array.values)
    if not finite.any():
        return
    low, high = float(array.values[finite].min()), float(array.values[finite].max())
    pixels = array.values.ndim >= 3 and low >= 0 and 32 < high <= _PIXELS  # noqa: PLR2004 - pictures
    if factor is not None and factor < 0.01 and high <= 1.5 and array.values.ndim >= 3:  # noqa: PLR2004
        yield _twice(array, low, high, factor)
    elif pixels:
        yield _pixels(array, low, high, warning=not scales)
    elif array.values.ndim == 2:  # noqa: PLR2004 - a table
        yield from _columns(array, finite, warning=not scales)


def _twice(array: Array, low: float, high: float, factor: float) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([array.name])} runs from {low:g} to {high:g}, and the model multiplies its input by {factor:.4g} "
            "(Rescaling): it is scaled twice",
            f"{names_zh([array.name])} 的取值从 {low:g} 到 {high:g}，而模型又把输入乘以 {factor:.4g}（Rescaling）：重复缩放了",
        ),
        confirms=(SCALE, NOT_LEARNING),
        warning=True,
    )


def _pixels(array: Array, low: float, high: float, *, warning: bool) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([array.name])} ({array.dtype}) runs from {low:g} to {high:g}"
            + (
                ", and nothing in the model scales it: divide by 255, or begin the model with Rescaling"
                if warning
                else ""
            ),
            f"{names_zh([array.name])}（{array.dtype}）的取值从 {low:g} 到 {high:g}"
            + ("，而模型里没有缩放：请除以 255，或让模型以 Rescaling 开头" if warning else ""),
        ),
        confirms=(SCALE, NOT_LEARNING),
        warning=warning,
    )


def _columns(array: Array, finite: Any, *, warning: bool) -> Iterator[Evidence]:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415

    with np.errstate(over="ignore", invalid="ignore"):  # of numbers whose squares are none
        spread = np.where(finite, array.values, 0).astype("float64").std(axis=0)
    used = np.flatnonzero(spread > 0)
    if len(used) < 2 or len(array.values) < _FEWEST:  # noqa: PLR2004 - to compare
        return
    wide, narrow = used[spread[used].argmax()], used[spread[used].argmin()]
    if spread[wide] < _UNEQUAL * spread[narrow] or spread[wide] < _FEWEST:
        return
    first, second = (array.columns[i] if array.columns else f"column {i}" for i in (int(wide), int(narrow)))
    yield Evidence(
        Text(
            f"the columns of {names_en([array.name])} have very different scales: {names_en([first])} varies by "
            f"{spread[wide]:.3g} (standard deviation), {names_en([second])} by {spread[narrow]:.3g}"
            + (", and nothing in the model normalizes them" if warning else ""),
            f"{names_zh([array.name])} 各列的尺度相差很大：{names_zh([first])} 的标准差是 {spread[wide]:.3g}，{names_zh([second])} "
            f"是 {spread[narrow]:.3g}" + ("，而模型里没有归一化" if warning else ""),
        ),
        confirms=(SCALE, NOT_LEARNING),
        warning=warning,
    )


PROBE = Probe(
    id="data-values",
    subject="data",
    promise=Text(
        "whether the numbers are finite, varied and scaled as the model needs them",
        "检查数值是否有限、有变化，并按模型的需要缩放过",
    ),
    topics=(NAN, SCALE, NOT_LEARNING),
    look=look,
    remedy=Text(
        "fill or drop what is missing, and scale inputs with what was measured on the training data",
        "补全或去掉缺失值，并用训练数据的统计量缩放输入",
    ),
    documentation="https://keras.io/guides/preprocessing_layers/",
)
