"""Units behind a relu that give 0: for every input, as their weights alone prove, or for all but a few scaled ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..flow import Place
from ..probe import CouldNotLook, Evidence, Probe
from ..weights import Variable, Weights
from ..weights_layers import MAX_KERNEL, behind, input_bounds, kernel_and_bias, reach, takers, usual
from ..wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
_ONE_IN_1000 = 3.09  # standard deviations above the mean of a normal distribution


def look(weights: Weights) -> Iterator[Evidence]:
    """Which units of relu layers can never give anything but 0."""
    flow = weights.flow
    if flow is None:
        raise CouldNotLook(
            Text(
                "the file doesn't say which layers have a relu: give the whole model",
                "文件没有说明哪些层用了 relu：请提供完整模型",
            )
        )
    taken, outputs = takers(flow), frozenset(source.path for source in flow.outputs)
    looked, dead, asleep = 0, [], []
    for place in flow.places.values():
        found = kernel_and_bias(weights, place)
        if found and behind(place, taken, outputs) == "relu":
            looked += 1
            count = _dead(*found, input_bounds(flow, place))
            if count:
                dead.append((place, count, found[0].shape[-1]))
            elif found[0].size <= MAX_KERNEL and (count := _asleep(*found)):
                asleep.append((place, count, found[0].shape[-1]))
    yield from _whole([place for place, count, units in dead if count == units])
    yield from _some([told for told in dead if told[1] < told[2]])
    yield from _nearly(asleep)
    if not dead and not asleep:
        yield Evidence(
            Text(f"no provably dead unit in {looked} relu layers", f"{looked} 个 relu 层中没有可以证明已死的单元")
        )


def _dead(kernel: Variable, bias: Variable | None, bounds: tuple[float, float]) -> int:
    """How many units are 0 for every input within bounds: nothing that arrives could lift them above it."""
    import numpy as np  # noqa: PLC0415

    if kernel.size <= MAX_KERNEL:
        told = reach(kernel, bias, bounds)
        return int(np.count_nonzero(told[1] <= 0)) if told else 0
    seen = kernel.statistics
    if seen.column_high is None or (bias is not None and bias.statistics.nan):
        return 0
    offset: Any = bias.values() if bias is not None else np.zeros(kernel.shape[-1])
    never_up = seen.column_high <= 0
    lifts_nothing = never_up if bounds[0] >= 0 else never_up & (seen.column_low >= 0)
    return int(np.count_nonzero(lifts_nothing & (offset <= 0)))


def _asleep(kernel: Variable, bias: Variable | None) -> int:
    """How many units are 0 for 999 of 1,000 inputs that are scaled to mean 0 and variance 1."""
    import numpy as np  # noqa: PLC0415

    means, spreads = usual(kernel, bias)
    return int(np.count_nonzero(means + _ONE_IN_1000 * spreads < 0))


def _nearly(asleep: list[tuple[Place, int, int]]) -> Iterator[Evidence]:
    if asleep:
        told_en = [f"{place.path}: {count} of {units}" for place, count, units in asleep]
        told_zh = [f"{place.path}：{units} 个中 {count} 个" for place, count, units in asleep]
        yield Evidence(
            Text(
                f"units that give 0 for 99.9% of inputs of mean 0 and variance 1: {names_en(told_en)}",
                f"对均值 0、方差 1 的输入，99.9% 的情况下输出 0 的单元：{names_zh(told_zh)}",
            ),
            confirms=(NOT_LEARNING,),
            layers=tuple(place.path for place, *_ in asleep),
        )


def _whole(places: list[Place]) -> Iterator[Evidence]:
    if places:
        paths = [place.path for place in places]
        yield Evidence(
            Text(
                f"every unit is dead in {names_en(paths)}: the relu gives 0 for every input, what follows is constant and no gradient "
                "comes back",
                f"{names_zh(paths)} 的所有单元都已死：无论输入什么，relu 都输出 0，后面的结果是常数，梯度也传不回来",
            ),
            confirms=(NOT_LEARNING,),
            fault=True,
            layers=tuple(paths),
        )


def _some(dead: list[tuple[Place, int, int]]) -> Iterator[Evidence]:
    if dead:
        dead = sorted(dead, key=lambda told: -told[1] / told[2])
        told_en = [f"{place.path}: {count} of {units}" for place, count, units in dead]
        told_zh = [f"{place.path}：{units} 个中 {count} 个" for place, count, units in dead]
        yield Evidence(
            Text(
                f"units that give 0 for every input, by their weights: {names_en(told_en)}",
                f"仅凭权重就能断定对任何输入都输出 0 的单元：{names_zh(told_zh)}",
            ),
            confirms=(NOT_LEARNING,),
            layers=tuple(place.path for place, *_ in dead),
        )


PROBE = Probe(
    id="dead-units",
    subject="weights",
    promise=Text("whether relu units can still give anything but 0", "检查 relu 单元是否还能输出非零值"),
    topics=(NOT_LEARNING,),
    look=look,
    remedy=Text(
        "lower the learning rate, initialize with HeNormal, or use LeakyReLU, and train the layer anew",
        "降低学习率，用 HeNormal 初始化，或改用 LeakyReLU，并重新训练该层",
    ),
    documentation="https://keras.io/api/layers/activation_layers/leaky_relu/",
)
