"""BatchNormalization: gamma, beta, mean and variance in their places, and statistics that training has touched."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..probe import Evidence, Probe
from ..weights import Variable, Weights
from ..weights_layers import is_trained
from ..wording import names_en, names_zh

ORDER = "bn-weight-order"
NAN = "nan-loss"
FINE_TUNING = "batchnorm-fine-tuning"
HIGHER = "train-loss-higher-than-test"
_SLOTS = ("gamma", "beta", "moving_mean", "moving_variance")
EPSILON = 1e-3  # Keras' default
# Signs of fewer channels than this say nothing.
FEWEST = 8
# After so many steps statistics have moved, whatever the momentum.
STEPS = 10


def look(weights: Weights) -> Iterator[Evidence]:
    """What the four arrays of each BatchNormalization say of their order and history."""
    norms = {
        path: own
        for path, own in weights.layers.items()
        if "moving_variance" in own and all(v.is_float for v in own.values())
    }
    if not norms:
        yield Evidence(Text("no BatchNormalization with stored statistics", "没有保存了统计量的 BatchNormalization"))
        return
    negative = {path: own for path, own in norms.items() if own["moving_variance"].statistics.low < 0}
    for path, own in negative.items():
        yield _negative(path, own, _epsilon(weights, path))
    yield from _other_order({path: own for path, own in norms.items() if path not in negative})
    yield from _untouched(weights, norms)
    yield Evidence(Text(f"BatchNormalization layers: {len(norms)}", f"BatchNormalization 层数：{len(norms)}"))


def _epsilon(weights: Weights, path: str) -> float:
    place = weights.flow.places.get(path) if weights.flow else None
    written = place.layer.config.get("epsilon") if place else None
    return float(written) if isinstance(written, float) and 0 <= written < 1 else EPSILON


def _negative(path: str, own: dict[str, Variable], epsilon: float) -> Evidence:
    """A negative variance; below -epsilon its root is NaN. Which other array could be one is told by the signs."""
    low = own["moving_variance"].statistics.low
    could_be = [
        name
        for name in _SLOTS[:3]
        if name in own and own[name].statistics.low >= 0 and not own[name].statistics.constant
    ]
    hint_en = f"; only {' and '.join(could_be)} could be a variance by the signs" if could_be else ""
    hint_zh = f"；从符号看，只有 {'、'.join(could_be)} 可能是方差" if could_be else ""
    negative = int((own["moving_variance"].values() < 0).sum())
    return Evidence(
        Text(
            f"{names_en([path])}: {negative} of {own['moving_variance'].size} moving variances are negative (lowest {low:.3g}), which "
            f"no variance is: the order is gamma, beta, mean, variance{hint_en}",
            f"{names_zh([path])}：{own['moving_variance'].size} 个移动方差中有 {negative} 个为负（最小 {low:.3g}），方差不可能为负："
            f"顺序应为 gamma、beta、mean、variance{hint_zh}",
        ),
        confirms=(ORDER, NAN),
        fault=low < -epsilon,
        layers=(path,),
    )


def _other_order(norms: dict[str, dict[str, Variable]]) -> Iterator[Evidence]:
    """Signs that fit mean, variance, gamma, beta: of trained layers, gamma is seldom negative and beta seldom never."""
    suspect = [path for path, own in norms.items() if set(_SLOTS) <= set(own) and _looks_shifted(own)]
    if suspect:
        yield Evidence(
            Text(
                f"by the signs the arrays of {names_en(suspect)} could be mean, variance, gamma, beta instead of gamma, beta, mean, "
                "variance: gamma has both signs, beta and mean are never negative",
                f"从符号看，{names_zh(suspect)} 的数组可能是 mean、variance、gamma、beta 的顺序，而不是 gamma、beta、mean、variance："
                "gamma 有正有负，beta 和 mean 从不为负",
            ),
            confirms=(ORDER,),
            layers=tuple(suspect),
        )


def _looks_shifted(own: dict[str, Variable]) -> bool:
    gamma, beta, mean = (own[name].statistics for name in _SLOTS[:3])
    return gamma.count >= FEWEST and gamma.low < 0 < gamma.high and beta.low > 0 and mean.low > 0


def _untouched(weights: Weights, norms: dict[str, dict[str, Variable]]) -> Iterator[Evidence]:
    steps = weights.iterations
    if steps is None or steps < STEPS:
        return
    fresh = [path for path, own in norms.items() if _is_fresh(own) and _in_training(weights, path)]
    if fresh:
        yield Evidence(
            Text(
                f"mean and variance of {names_en(fresh)} are still 0 and 1 after {steps:,} steps: inference normalizes otherwise than "
                "training did",
                f"训练 {steps:,} 步之后，{names_zh(fresh)} 的均值和方差仍是 0 和 1：推理时的归一化与训练时不同",
            ),
            confirms=(FINE_TUNING, HIGHER),
            layers=tuple(path for path in fresh if norms[path]["moving_variance"].mapped),
        )


def _is_fresh(own: dict[str, Variable]) -> bool:
    mean, variance = own.get("moving_mean"), own["moving_variance"].statistics
    return mean is not None and mean.statistics.zeros == mean.size > 0 and variance.constant and variance.low == 1


def _in_training(weights: Weights, path: str) -> bool:
    place = weights.flow.places.get(path) if weights.flow else None
    return place is not None and is_trained(place.layer)


PROBE = Probe(
    id="batchnorm-weights",
    subject="weights",
    promise=Text(
        "whether the arrays of BatchNormalization are in their places and were updated",
        "检查 BatchNormalization 的数组顺序是否正确、统计量是否更新过",
    ),
    topics=(ORDER, NAN, FINE_TUNING, HIGHER),
    look=look,
    remedy=Text(
        "set the weights as gamma, beta, moving mean, moving variance",
        "按 gamma、beta、移动均值、移动方差的顺序设置权重",
    ),
    documentation="https://keras.io/api/layers/normalization_layers/batch_normalization/",
)
