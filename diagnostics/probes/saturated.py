"""Sigmoid, tanh and softmax units whose weights hold them at an end: for every input, or for nearly all scaled ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..flow import Place
from ..probe import CouldNotLook, Evidence, Probe
from ..weights import Variable, Weights
from ..weights_layers import MAX_KERNEL, behind, input_bounds, kernel_and_bias, reach, takers, usual
from ..wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
# Beyond this the slope is below 3.4e-4 (sigmoid) and 1e-6 (tanh): gradients end there.
END = 8.0
RARELY = 0.02  # the share of scaled inputs for which a unit is not at an end
_ACTIVATIONS = frozenset({"sigmoid", "tanh", "softmax"})


def look(weights: Weights) -> Iterator[Evidence]:
    """Which units are at an end of their activation whatever arrives."""
    flow = weights.flow
    if flow is None:
        raise CouldNotLook(
            Text(
                "the file doesn't say which activations layers have: give the whole model",
                "文件没有说明各层的激活函数：请提供完整模型",
            )
        )
    taken, outputs = takers(flow), frozenset(source.path for source in flow.outputs)
    stuck, usually, looked = [], [], 0
    for place in flow.places.values():
        found, activation = kernel_and_bias(weights, place), behind(place, taken, outputs)
        if not found or activation not in _ACTIVATIONS or found[0].size > MAX_KERNEL:
            continue
        looked += 1
        told = reach(*found, input_bounds(flow, place))
        if told is not None and (count := _at_an_end(activation, *told)):
            stuck.append((place, activation, count, found[0].shape[-1]))
        elif told is not None and activation != "softmax" and (count := _usually_at_an_end(*found)):
            usually.append((place, activation, count, found[0].shape[-1]))
    if stuck:
        yield _told(stuck)
    if usually:
        yield _told_usually(usually)
    if not stuck and not usually:
        yield Evidence(Text(f"no saturated unit in {looked} layers", f"{looked} 层中没有饱和的单元"))


def _at_an_end(activation: str, lowest: Any, highest: Any) -> int:  # noqa: ANN401
    """How many units are; of a softmax all, where one wins against every other whatever arrives."""
    import numpy as np  # noqa: PLC0415

    if activation != "softmax":
        return int(np.count_nonzero((lowest > END) | (highest < -END)))
    if lowest.size < 2:  # noqa: PLR2004 - one unit has no rival
        return 0
    winner = int(np.argmax(lowest))
    return lowest.size if lowest[winner] - np.delete(highest, winner).max() > END else 0


def _usually_at_an_end(kernel: Variable, bias: Variable | None) -> int:
    """How many units are at an end for all but `RARELY` of inputs that are scaled to mean 0 and variance 1."""
    means, spreads = usual(kernel, bias)
    return sum(_share(mean, max(spread, 1e-12)) < RARELY for mean, spread in zip(means, spreads, strict=True))


def _share(mean: float, spread: float) -> float:
    """How much of a normal distribution lies between the two ends."""
    low, high = ((end - mean) / (spread * math.sqrt(2)) for end in (-END, END))
    return (math.erf(high) - math.erf(low)) / 2


def _told_usually(usually: list[tuple[Place, str, int, int]]) -> Evidence:
    told_en = [f"{place.path} ({activation}): {count} of {units}" for place, activation, count, units in usually]
    told_zh = [f"{place.path}（{activation}）：{units} 个中 {count} 个" for place, activation, count, units in usually]
    return Evidence(
        Text(
            f"units that sit at an end of their activation for {1 - RARELY:.0%} of inputs of mean 0 and variance 1: "
            f"{names_en(told_en)}; there their gradient is practically 0",
            f"对均值 0、方差 1 的输入，{1 - RARELY:.0%} 的情况下停在激活函数一端的单元：{names_zh(told_zh)}；此时它们的梯度实际上为 0",
        ),
        confirms=(NOT_LEARNING,),
        layers=tuple(place.path for place, *_ in usually),
    )


def _told(stuck: list[tuple[Place, str, int, int]]) -> Evidence:
    told_en = [f"{place.path} ({activation}): {count} of {units}" for place, activation, count, units in stuck]
    told_zh = [f"{place.path}（{activation}）：{units} 个中 {count} 个" for place, activation, count, units in stuck]
    return Evidence(
        Text(
            f"units whose weights hold them at an end of their activation for every input: {names_en(told_en)}; their gradient is "
            "practically 0",
            f"无论输入什么都停在激活函数一端的单元：{names_zh(told_zh)}；它们的梯度实际上为 0",
        ),
        confirms=(NOT_LEARNING,),
        layers=tuple(place.path for place, *_ in stuck),
    )


PROBE = Probe(
    id="saturated",
    subject="weights",
    promise=Text(
        "whether sigmoid, tanh and softmax units still react to their input",
        "检查 sigmoid、tanh、softmax 单元是否仍会随输入变化",
    ),
    topics=(NOT_LEARNING,),
    look=look,
    remedy=Text(
        "lower the learning rate, scale the inputs, or put BatchNormalization before the activation",
        "降低学习率、缩放输入，或在激活函数前加 BatchNormalization",
    ),
    documentation="https://keras.io/api/layers/activations/",
)
