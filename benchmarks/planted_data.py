"""Faults in data samples: a mutation changes the arrays of the sample that a model was trained with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from planted_files import Mutation

Arrays = dict[str, Any]
LABELS = {"y", "kind", "price"}


def inputs(data: Arrays) -> list[str]:
    """The names of the inputs that hold decimal numbers."""
    return [name for name, value in data.items() if name not in LABELS and value.dtype.kind == "f"]


def classes(data: Arrays) -> str:
    """The name of the labels that are classes."""
    return "kind" if "kind" in data else "y"


def number(data: Arrays) -> Any:  # noqa: ANN401 - an array
    """The classes as integers."""
    labels = data[classes(data)]
    return labels.argmax(axis=1) if labels.ndim > 1 and labels.shape[1] > 1 else labels.reshape(-1)


def ordered(data: Arrays, order: Any) -> None:  # noqa: ANN401 - indices
    """All arrays in another order, or some of their rows."""
    for name in data:
        data[name] = data[name][order]


def sort_labels(data: Arrays) -> bool:
    """The rows stand by class."""
    ordered(data, np.argsort(number(data), kind="stable"))
    return True


def one_class_rules(data: Arrays) -> bool:
    """Nineteen of twenty rows are of one class."""
    labels = number(data)
    ruling = np.flatnonzero(labels == labels.min())
    others = np.flatnonzero(labels != labels.min())[:4]
    rows = np.concatenate([ruling[:76], others])
    ordered(data, np.random.default_rng(3).permutation(rows))
    return True


def spoiled(value: float) -> Callable[[Arrays], bool]:
    """A number of the inputs is NaN or infinite."""

    def plant(data: Arrays) -> bool:
        for name in inputs(data):
            data[name].flat[5] = value
        return bool(inputs(data))

    return plant


def unscaled(data: Arrays) -> bool:
    """Pictures from 0 to 255; columns that are thousands of times as large as others."""
    for name in inputs(data):
        value = data[name]
        if value.ndim == 4:  # noqa: PLR2004 - pictures
            data[name] = (value * 255).astype("uint8")
        else:
            value[:, 0] = value[:, 0] * 1e5 + 4e5
    return bool(inputs(data))


def flat_column(data: Arrays) -> bool:
    """A column that never changes."""
    found = [name for name in inputs(data) if data[name].ndim == 2]  # noqa: PLR2004
    for name in found:
        data[name][:, 1] = 3.0
    return bool(found)


def wider(data: Arrays) -> bool:
    """A column more than the model takes."""
    found = [name for name in inputs(data) if data[name].ndim == 2]  # noqa: PLR2004
    for name in found:
        data[name] = np.concatenate([data[name], data[name][:, :1]], axis=1)
    return bool(found)


def channels_first(data: Arrays) -> bool:
    """The channels of pictures stand first."""
    found = [name for name in inputs(data) if data[name].ndim == 4]  # noqa: PLR2004
    for name in found:
        data[name] = np.moveaxis(data[name], -1, 1)
    return bool(found)


def flattened(data: Arrays) -> bool:
    """Pictures as rows."""
    found = [name for name in inputs(data) if data[name].ndim == 4]  # noqa: PLR2004
    for name in found:
        data[name] = data[name].reshape(len(data[name]), -1)
    return bool(found)


def shorter(data: Arrays) -> bool:
    """Fewer labels than inputs."""
    name = classes(data)
    data[name] = data[name][:-7]
    return True


def nothing(data: Arrays) -> bool:
    """No rows at all."""
    ordered(data, slice(0, 0))
    return True


def ids_out_of_range(data: Arrays) -> bool:
    """An id for which the Embedding has no row."""
    if "group" not in data:
        return False
    data["group"][3] = 20
    return True


def from_one(data: Arrays) -> bool:
    """Classes that are counted from 1."""
    labels = data[classes(data)]
    if labels.ndim > 1:
        return False
    data[classes(data)] = labels + 1
    return True


def other_form(data: Arrays) -> bool:
    """One-hot rows where the loss takes integers, and the other way round."""
    labels = data[classes(data)]
    if labels.ndim > 1 and labels.shape[1] == 1:
        return False
    data[classes(data)] = labels.argmax(axis=1) if labels.ndim > 1 else np.eye(int(labels.max()) + 1)[labels]
    return True


def plus_minus(data: Arrays) -> bool:
    """-1 and 1 for a sigmoid."""
    labels = data[classes(data)]
    if labels.ndim == 1 or labels.shape[1] > 1:
        return False
    data[classes(data)] = labels * 2 - 1
    return True


MUTATIONS = (
    Mutation("class-balance", "19 of 20 rows of one class", "class-weight", one_class_rules),
    Mutation("data-ids", "an id beyond the table", "embedding-index-range", ids_out_of_range),
    Mutation("data-layout", "fewer labels than inputs", "data-cardinality", shorter),
    Mutation("data-layout", "no rows", "empty-dataset", nothing),
    Mutation("data-shape", "a column too many", "layer-input-last-axis", wider),
    Mutation("data-shape", "channels first", "channels-first-last", channels_first),
    Mutation("data-shape", "pictures as rows", "layer-input-rank", flattened),
    Mutation("data-values", "one NaN", "nan-loss", spoiled(np.nan)),
    Mutation("data-values", "one infinite number", "nan-loss", spoiled(np.inf)),
    Mutation("data-values", "not scaled", "integer-inputs-not-scaled", unscaled),
    Mutation("data-values", "a column that never changes", "loss-not-decreasing", flat_column),
    Mutation("label-form", "classes counted from 1", "label-out-of-range", from_one),
    Mutation("label-form", "one-hot for integers and integers for one-hot", "one-hot-or-sparse-labels", other_form),
    Mutation("label-form", "-1 and 1 for a sigmoid", "label-out-of-range", plus_minus),
    Mutation("label-order", "sorted by class", "validation-split-before-shuffle", sort_labels),
)
