"""BatchNormalization whose arrays stand in another order, as other libraries have it: told by variances that are negative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..repair import Change, Draft, Repair, layers_of

_ARRAYS = 4
# Where gamma, beta, mean and variance stand: Caffe's mean, variance, gamma, beta; and variance before mean.
_ORDERS = {"mean, variance, gamma, beta": (2, 3, 0, 1), "gamma, beta, variance, mean": (0, 1, 3, 2)}
_EPSILON = 1e-3


def mend(draft: Draft) -> Iterator[Change]:
    """Reorder the arrays of every BatchNormalization where one order, and only one, explains all their signs."""
    paths = [
        path
        for path, layer in layers_of(draft.config)
        if layer["class_name"].startswith("BatchNormalization") and len(draft.weights.get(path, [])) == _ARRAYS
    ]
    if not any(_lowest(draft.weights[path][3]) < -_EPSILON for path in paths):
        return
    fitting = [name for name, order in _ORDERS.items() if _fits([draft.weights[path] for path in paths], order)]
    if len(fitting) != 1:
        return
    for path in paths:
        draft.weights[path] = [draft.weights[path][place] for place in _ORDERS[fitting[0]]]
        yield Change(
            Text(
                f"the arrays stood as {fitting[0]}: the last one has negative values, which no variance has, and only this order "
                "explains the signs; check the predictions",
                f"数组原来的顺序是 {fitting[0]}：最后一个含负值，而方差不可能为负，只有这个顺序与各数组的符号相符；请检查预测结果",
            ),
            path,
            fitting[0],
            "gamma, beta, mean, variance",
        )


def _lowest(values: Any) -> float:  # noqa: ANN401 - an array
    return float(values.min()) if values.size else 0.0


def _fits(stored: list[list[Any]], order: tuple[int, ...]) -> bool:
    """Whether in that order no variance is negative, in no layer, and some beta is: the two orders exclude each other."""
    variances = [arrays[order[3]] for arrays in stored]
    betas = [arrays[order[1]] for arrays in stored]
    return all(_lowest(each) >= 0 for each in variances) and any(_lowest(each) < 0 for each in betas)


REPAIR = Repair(
    id="batchnorm-order",
    promise=Text(
        "BatchNormalization's arrays in the order gamma, beta, mean, variance",
        "把 BatchNormalization 的数组排成 gamma、beta、mean、variance",
    ),
    topics=("bn-weight-order",),
    mend=mend,
    keeps_outputs=False,
)
