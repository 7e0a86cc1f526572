"""Label order: are the labels sorted, so that validation_split, which takes the tail, cuts off whole classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..data_labels import class_ids
from ..data_roles import split_of
from ..data_sample import Array, DataSample
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

SPLIT = "validation-split-before-shuffle"
SHUFFLE = "training-data-shuffle"
_FEWEST = 20  # rows from which on an order can be told from chance
_SORTED = 0.15  # of the changes from row to row that shuffled labels would have


def look(sample: DataSample) -> Iterator[Evidence]:
    """How often the class changes from one row to the next, against shuffled labels."""
    ordered = [(array, ids) for array in sample.label_arrays if (ids := class_ids(array)) is not None]
    if not ordered:
        raise CouldNotLook(Text("no labels of classes were found", "没有找到类别标签"))
    for array, ids in ordered:
        if split_of(array.name) in ("", "train") and len(ids) >= _FEWEST:
            yield from _order(array, ids)


def _order(array: Array, ids: Any) -> Iterator[Evidence]:  # noqa: ANN401 - a NumPy array
    import numpy as np  # noqa: PLC0415 - an optional extra, and a tenth of a second

    next_to = np.diff(np.asarray(array.rows)) == 1
    changes = int((np.diff(ids) != 0)[next_to].sum())
    shares = np.bincount(ids) / len(ids)
    expected = float(next_to.sum() * (1 - (shares**2).sum()))
    if expected < _FEWEST / 2:
        return
    en, zh = names_en([array.name]), names_zh([array.name])
    in_blocks = changes < expected / 3 and changes == int((shares > 0).sum()) - 1  # each class stands together
    if in_blocks or changes < _SORTED * expected:
        tail = ids[array.rows >= 0.8 * array.samples]
        classes, there = int((shares > 0).sum()), len(np.unique(tail))
        yield Evidence(
            Text(
                f"{en} is sorted: the class changes {changes:,} times from row to row, where about {expected:,.0f} are expected "
                f"after shuffling; validation_split=0.2 would take {there} of {classes} classes",
                f"{zh} 是排好序的：相邻行之间类别只变化 {changes:,} 次，打乱后应约为 {expected:,.0f} 次；validation_split=0.2 "
                f"只会取到 {classes} 类中的 {there} 类",
            ),
            confirms=(SPLIT, SHUFFLE),
            warning=True,
        )
    else:
        yield Evidence(
            Text(
                f"{en} is not sorted: the class changes {changes:,} times from row to row (shuffled: about {expected:,.0f})",
                f"{zh} 没有排序：相邻行之间类别变化 {changes:,} 次（完全打乱约 {expected:,.0f} 次）",
            ),
            rules_out=(SPLIT,) if changes > expected / 2 else (),
        )


PROBE = Probe(
    id="label-order",
    subject="data",
    promise=Text(
        "whether the labels are sorted, so that validation_split would cut off whole classes",
        "检查标签是否排好了序，以致 validation_split 会切走整个类别",
    ),
    topics=(SPLIT, SHUFFLE),
    look=look,
    remedy=Text(
        "shuffle inputs and labels with the same permutation before fit, or pass validation_data",
        "在 fit 之前用同一个排列打乱输入和标签，或者传入 validation_data",
    ),
    documentation="https://keras.io/api/models/model_training_apis/#fit-method",
)
