"""Sigmoid, tanh and softmax units whose weights hold them at an end for every input, where that can be proven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..flow import Place
from ..probe import CouldNotLook, Evidence, Probe
from ..weights import Weights
from ..weights_layers import MAX_KERNEL, behind, input_bounds, kernel_and_bias, reach, takers
from ..wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
# Beyond this the slope is below 3.4e-4 (sigmoid) and 1e-6 (tanh): gradients end there.
END = 8.0
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
    stuck, looked = [], 0
    for place in flow.places.values():
        found, activation = kernel_and_bias(weights, place), behind(place, taken, outputs)
        if not found or activation not in _ACTIVATIONS or found[0].size > MAX_KERNEL:
            continue
        looked += 1
        told = reach(*found, input_bounds(flow, place))
        if told is not None and (count := _at_an_end(activation, *told)):
            stuck.append((place, activation, count, found[0].shape[-1]))
    if stuck:
        yield _told(stuck)
    else:
        yield Evidence(Text(f"no provably saturated unit in {looked} layers", f"{looked} 层中没有可以证明已饱和的单元"))


def _at_an_end(activation: str, lowest: Any, highest: Any) -> int:  # noqa: ANN401
    """How many units are; of a softmax all, where one wins against every other whatever arrives."""
    import numpy as np  # noqa: PLC0415

    if activation != "softmax":
        return int(np.count_nonzero((lowest > END) | (highest < -END)))
    if lowest.size < 2:  # noqa: PLR2004 - one unit has no rival
        return 0
    winner = int(np.argmax(lowest))
    return lowest.size if lowest[winner] - np.delete(highest, winner).max() > END else 0


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
