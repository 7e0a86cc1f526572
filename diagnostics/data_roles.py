"""Which arrays of a data sample are inputs and which are labels: by their names, else by the inputs of the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ..knowledge.text import Text
from .data_csv import FEATURES
from .data_model import targets, wanted_inputs
from .data_sample import Array, DataSample, Split, no_such_labels
from .wording import names_en, names_zh

Role = Literal["input", "label", ""]
_INPUTS = frozenset({
    "x", "xs", "image", "images", "img", "imgs", "feature", "features", "data", "input", "inputs", "sequence", "sequences",
    "signal", "signals", "tokens", "texts", "samples",
})  # fmt: skip
_LABELS = frozenset(
    {"y", "ys", "label", "labels", "target", "targets", "class", "classes", "lbl", "lbls", "output", "outputs"}
)
_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "trn": "train", "tr": "train", "val": "val", "valid": "val",
    "validation": "val", "dev": "val", "test": "test", "testing": "test", "tst": "test", "te": "test",
}  # fmt: skip


def role_of(name: str) -> Role:
    """What an array is by its name: "x_train" an input, "labels" labels."""
    words = set(_words(name))
    if words & _LABELS:
        return "label"
    return "input" if words & _INPUTS else ""


def split_of(name: str) -> Split:
    """Which part of the data an array is by its name; "" where it doesn't say."""
    return next((_SPLITS[word] for word in _words(name) if word in _SPLITS), "")


def pairs(sample: DataSample) -> list[tuple[Array, Array]]:
    """Each label array with an input of the same part of the data."""
    found = []
    for label in sample.label_arrays:
        partner = next((array for array in sample.input_arrays if split_of(array.name) == split_of(label.name)), None)
        if partner:
            found.append((partner, label))
    return found


def _words(name: str) -> list[str]:
    """The words of a name: "X_train", "trainX", "xtrain" and "data/train_images" alike."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name[-100:])
    words = [word for word in re.split(r"[^a-z]+", split.lower()) if word]
    return [part for word in words for part in _glued(word)]


def _glued(word: str) -> Sequence[str]:
    for split in ("train", "test", "val", "valid"):
        rest = word.removeprefix(split) if word.startswith(split) else word.removesuffix(split)
        if rest != word and rest in _INPUTS | _LABELS:
            return (rest, split)
    return (word,)


def with_roles(sample: DataSample, labels: str | None) -> DataSample:
    """The same sample, with its inputs and labels told.

    Raises:
        SubjectError: `labels` names no array or column.
    """
    names = [array.name for array in sample.arrays if array.shape]
    if labels is not None:
        if labels not in names:
            raise no_such_labels(sample, labels)
        inputs = [name for name in names if name != labels and role_of(name) != "label"]
        inputs = [name for name in inputs if sample.array(name).samples == sample.array(labels).samples] or inputs
        how = Text(f"{labels!r} was named as the labels", f"已指定 {labels!r} 为标签")
        return replace(sample, inputs=tuple(inputs), labels=(labels,), how=how)
    if sample.format == "CSV":
        return _table_roles(sample)
    roles = {name: role_of(name) for name in names} | _roles_of_model(sample)
    found_inputs = [name for name in names if roles[name] == "input"]
    found_labels = [name for name in names if roles[name] == "label"]
    if not found_inputs:
        return _by_shape(sample, found_labels)
    how = Text(
        f"by their names, inputs: {names_en(found_inputs)}; labels: {names_en(found_labels) or 'none'}",
        f"按名字判断，输入：{names_zh(found_inputs)}；标签：{names_zh(found_labels) or '无'}",
    )
    return replace(sample, inputs=tuple(found_inputs), labels=tuple(found_labels), how=how)


def _roles_of_model(sample: DataSample) -> dict[str, Role]:
    """Arrays that are called as an input or an output of the model."""
    if sample.model is None:
        return {}
    ends: dict[str, Role] = {name: "label" for target in targets(sample.model) for name in target.head.names}
    ends |= {want.name: "input" for want in wanted_inputs(sample.model)}
    return {array.name: ends[array.name] for array in sample.arrays if array.name in ends}


def _table_roles(sample: DataSample) -> DataSample:
    """The columns of numbers are the input; the reader kept the labels apart."""
    inputs = tuple(array.name for array in sample.arrays if array.name == FEATURES)
    none = Text("no column is called as labels are", "没有哪一列的名字像标签")
    found = Text(f"the labels are {names_en(sample.labels)}", f"标签是 {names_zh(sample.labels)} 列")
    told = found if sample.labels else none
    how = Text(f"the columns of numbers are the input; {told.en}", f"数值列作为输入；{told.zh}")
    return replace(sample, inputs=inputs, how=how)


def _by_shape(sample: DataSample, labels: list[str]) -> DataSample:
    """No name tells: what has the shape of a model's input is one, else a single array is taken for the input."""
    rest = [array for array in sample.arrays if array.shape and array.name not in labels]
    wanted = wanted_inputs(sample.model) if sample.model else ()
    inputs = [array.name for array in rest if any(want.takes(array.shape[1:]) for want in wanted)]
    if inputs:
        others = [a.name for a in rest if a.name not in inputs and a.samples == sample.array(inputs[0]).samples]
        labels = labels or (others if len(others) == 1 else [])
        how = Text(
            f"by the shape that the model takes, inputs: {names_en(inputs)}; labels: {names_en(labels) or 'none'}",
            f"按模型要求的形状判断，输入：{names_zh(inputs)}；标签：{names_zh(labels) or '无'}",
        )
        return replace(sample, inputs=tuple(inputs), labels=tuple(labels), how=how)
    if len(rest) == 1 and not labels:
        inputs = [rest[0].name]
    how = Text(
        f"no name tells inputs from labels; taken as the input: {names_en(inputs) or 'none'}",
        f"名字看不出哪些是输入、哪些是标签；当作输入的是：{names_zh(inputs) or '无'}",
    )
    return replace(sample, inputs=tuple(inputs), labels=tuple(labels), how=how)
