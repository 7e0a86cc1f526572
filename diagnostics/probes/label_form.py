"""Label form: one-hot, class numbers, texts, -1 and 1: what the labels are, and whether the last layer and the loss take it."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..data_labels import Labels, labels_of
from ..data_model import targets
from ..data_sample import DataSample
from ..data_shapes import matched_targets
from ..label_fit import DTYPE, FORM, MISMATCH, NOT_LEARNING, RANGE, SHAPE, label_evidence
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

_FORMS = {
    "texts": Text("texts", "文字"),
    "one-hot": Text("one-hot rows", "one-hot"),
    "several of many": Text("rows of 0 and 1 with several or no 1", "0/1 行，每行有多个或没有 1"),
    "class numbers": Text("class numbers", "类别编号"),
    "numbers": Text("numbers of any size", "连续数值"),
}


def look(sample: DataSample) -> Iterator[Evidence]:
    """The form of each label array, and what it is against the output that it is for."""
    found = {array.name: labels for array in sample.label_arrays if (labels := labels_of(array))}
    if not found:
        raise CouldNotLook(Text("no labels were found in the sample", "样本里没有找到标签"))
    for labels in found.values():
        yield _told(labels)
    if sample.model is None:
        return
    for target, array in matched_targets(targets(sample.model), sample):
        if array.name in found:
            yield from label_evidence(found[array.name], target, in_table=sample.format == "CSV")


def _told(labels: Labels) -> Evidence:
    form, name = _FORMS[labels.form], labels.array.name
    numbers = f", {labels.low:g} … {labels.high:g}" if labels.form in ("class numbers", "numbers") else ""
    en = f", {labels.classes} classes" if labels.classes else ""
    zh = f"，{labels.classes} 类" if labels.classes else ""
    shape = f"{labels.array.shape} {labels.array.dtype}"
    return Evidence(
        Text(
            f"{names_en([name])} {shape}: {form.en}{numbers}{en}", f"{names_zh([name])} {shape}：{form.zh}{numbers}{zh}"
        ),
        confirms=(RANGE,) if labels.form == "class numbers" and labels.low < 0 else (),
    )


PROBE = Probe(
    id="label-form",
    subject="data",
    promise=Text(
        "whether the labels have the form and range that the last layer and the loss take",
        "检查标签的形式和范围是否符合最后一层与损失的要求",
    ),
    topics=(FORM, RANGE, SHAPE, MISMATCH, NOT_LEARNING, DTYPE),
    look=look,
    remedy=Text(
        "choose the labels' form, the number of units and the loss together",
        "标签形式、单元数和损失要一起选",
    ),
    documentation="https://keras.io/api/losses/probabilistic_losses/",
)
