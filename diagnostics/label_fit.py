"""Whether the form of labels fits the last layer and the loss of a model.

What each loss takes is in keras/src/losses/losses.py and keras/src/backend/tensorflow/nn.py (Keras 3.15).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..knowledge.text import Text
from .compiled import BINARY, CROSSENTROPIES, ONE_HOT, REGRESSION, SPARSE, Loss
from .data_labels import Labels
from .data_model import Target
from .heads import Head
from .probe import Evidence
from .wording import names_en, names_zh

FORM = "one-hot-or-sparse-labels"
RANGE = "label-out-of-range"
SHAPE = "target-shape"
MISMATCH = "loss-activation-mismatch"
NOT_LEARNING = "loss-not-decreasing"
DTYPE = "dtype-not-allowed"


def label_evidence(labels: Labels, target: Target, *, in_table: bool) -> Iterator[Evidence]:
    """What does not fit between labels and the output that they are for; what fits is told as well.

    Args:
        labels: the form of the labels.
        target: the output with its loss.
        in_table: whether they are a column of a table, where classes are written as words that a program numbers.
    """
    head, loss = target.head, target.loss
    if loss is None:
        return
    if labels.form == "texts":
        yield _texts(labels, head, loss, in_table=in_table)
        return
    found = [e for rule in (_categorical, _sparse, _binary, _regression) for e in rule(labels, head, loss)]
    yield from found
    if not found and loss.name in CROSSENTROPIES and head.width and labels.form != "numbers":
        yield Evidence(
            Text(f"they fit {_to_en(head, loss)}", f"与{_to_zh(head, loss)}相配"), rules_out=(FORM, RANGE, SHAPE)
        )


def _to_en(head: Head, loss: Loss) -> str:
    units = f" ({head.width} units)" if head.width else ""
    return f"{names_en([head.layer])}{units} with {loss.name}"


def _to_zh(head: Head, loss: Loss) -> str:
    units = f"（{head.width} 个单元）" if head.width else ""
    return f" {names_zh([head.layer])}{units}、损失 {loss.name} "


def _fault(labels: Labels, head: Head, en: str, zh: str, *topics: str) -> Evidence:
    name = labels.array.name
    return Evidence(
        Text(f"{names_en([name])} {en}", f"{names_zh([name])} {zh}"), confirms=topics, fault=True, layers=(head.layer,)
    )


def _texts(labels: Labels, head: Head, loss: Loss, *, in_table: bool) -> Evidence:
    names = [name for name, _ in labels.counts]
    evidence = _fault(
        labels,
        head,
        f"are texts ({names_en(names)}), and {_to_en(head, loss)} takes numbers: number the classes first",
        f"是文字（{names_zh(names)}），而{_to_zh(head, loss)}要的是数：请先给类别编号",
        FORM,
        DTYPE,
    )
    return Evidence(evidence.text, evidence.confirms, fault=not in_table, layers=evidence.layers)


def _categorical(labels: Labels, head: Head, loss: Loss) -> Iterator[Evidence]:
    if loss.name not in ONE_HOT or not head.width or head.width == 1:
        return
    if labels.form == "class numbers" and labels.width == 1:
        yield _fault(
            labels,
            head,
            f"are class numbers ({labels.low:g} to {labels.high:g}), and {_to_en(head, loss)} takes one-hot rows: use "
            "sparse_categorical_crossentropy, or to_categorical on the labels",
            f"是类别编号（{labels.low:g} 到 {labels.high:g}），而{_to_zh(head, loss)}要 one-hot：请改用 "
            "sparse_categorical_crossentropy，或对标签用 to_categorical",
            FORM,
            SHAPE,
        )
    elif labels.form in ("one-hot", "several of many") and labels.width != head.width:
        yield _width(labels, head, loss)
    elif labels.form == "several of many":
        yield Evidence(
            Text(
                f"{names_en([labels.array.name])}: some rows have no 1 or several; {loss.name} expects one class per row, "
                "binary_crossentropy with sigmoid takes several",
                f"{names_zh([labels.array.name])}：有的行没有 1 或有多个 1；{loss.name} 要求每行只属一类，多标签请用 sigmoid 配 "
                "binary_crossentropy",
            ),
            confirms=(FORM, MISMATCH),
            layers=(head.layer,),
        )


def _width(labels: Labels, head: Head, loss: Loss) -> Evidence:
    return _fault(
        labels,
        head,
        f"have {labels.width} columns, and {_to_en(head, loss)} needs as many as units",
        f"有 {labels.width} 列，而{_to_zh(head, loss)}要求列数与单元数相同",
        SHAPE,
    )


def _sparse(labels: Labels, head: Head, loss: Loss) -> Iterator[Evidence]:
    if loss.name not in SPARSE or not head.width:
        return
    if labels.form == "one-hot" and labels.width > 1 and labels.array.values.ndim > 1:
        yield _fault(
            labels,
            head,
            f"are one-hot rows of {labels.width}, and {_to_en(head, loss)} takes class numbers: use categorical_crossentropy, or "
            "y.argmax(axis=-1)",
            f"是 {labels.width} 列的 one-hot，而{_to_zh(head, loss)}要类别编号：请改用 categorical_crossentropy，或 "
            "y.argmax(axis=-1)",
            FORM,
            SHAPE,
        )
    elif labels.form == "class numbers" and (labels.low < 0 or labels.high >= head.width):
        yield _out_of_range(labels, head, loss)
    elif labels.form == "class numbers" and labels.low == 1 and labels.array.whole:
        yield Evidence(
            Text(
                f"{names_en([labels.array.name])} run from 1 to {labels.high:g}: class 0 of {_to_en(head, loss)} never occurs",
                f"{names_zh([labels.array.name])} 从 1 到 {labels.high:g}：{_to_zh(head, loss)}的类别 0 从不出现",
            ),
            confirms=(RANGE,),
            layers=(head.layer,),
        )


def _out_of_range(labels: Labels, head: Head, loss: Loss) -> Evidence:
    values, width = labels.array.values, head.width or 0
    outside = int(((values < 0) | (values >= width)).sum())
    from_one = labels.low == 1 and labels.high == width
    hint = Text("subtract 1 from them", "请减去 1") if from_one else Text(
        f"at least {labels.high + 1:g} units are needed, or the classes numbered from 0",
        f"至少需要 {labels.high + 1:g} 个单元，或把类别从 0 开始编号",
    )  # fmt: skip
    return _fault(
        labels,
        head,
        f"run from {labels.low:g} to {labels.high:g}, and {_to_en(head, loss)} takes 0 to {width - 1}: {outside:,} of "
        f"{values.size:,} are outside; {hint.en}",
        f"从 {labels.low:g} 到 {labels.high:g}，而{_to_zh(head, loss)}只接受 0 到 {width - 1}：{values.size:,} 个中有 {outside:,} "
        f"个超出；{hint.zh}",
        RANGE,
    )


def _binary(labels: Labels, head: Head, loss: Loss) -> Iterator[Evidence]:
    if loss.name not in BINARY or not head.width:
        return
    if labels.width > 1 and labels.width != head.width:
        yield _width(labels, head, loss)
    elif labels.form == "class numbers" and (labels.low < 0 or labels.high > 1):
        several = labels.classes > 2 and labels.width == 1  # noqa: PLR2004 - yes and no
        yield _fault(
            labels,
            head,
            f"run from {labels.low:g} to {labels.high:g} ({labels.classes} values), and {_to_en(head, loss)} takes 0 and 1: "
            + ("use one unit per class with softmax" if several else "map them to 0 and 1"),
            f"从 {labels.low:g} 到 {labels.high:g}（{labels.classes} 种值），而{_to_zh(head, loss)}只接受 0 和 1："
            + ("请每类用一个单元配 softmax" if several else "请映射为 0 和 1"),
            RANGE,
            NOT_LEARNING,
        )


def _regression(labels: Labels, head: Head, loss: Loss) -> Iterator[Evidence]:
    """Keras 2 and 3 broadcast a single column against several silently: each unit learns the same number."""
    rows = len(labels.array.shape) <= 2  # noqa: PLR2004 - rows of numbers
    if loss.name in REGRESSION and head.width and rows and labels.form == "numbers" and labels.width != head.width:
        yield _width(labels, head, loss)
