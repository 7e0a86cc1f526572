"""The stored values themselves: NaN, infinities, kernels that are one value throughout, magnitudes out of range."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..probe import CouldNotLook, Evidence, Probe
from ..weights import Variable, Weights
from ..weights_layers import initializer, is_trained
from ..wording import names_en, names_zh

NAN = "nan-loss"
NOT_LEARNING = "loss-not-decreasing"
_KERNELS = frozenset({"kernel", "recurrent_kernel", "depthwise_kernel", "pointwise_kernel", "embeddings"})
# Kernels of trained models stay within some tens (largest of the 18 ordinary ones here: 9; of the ImageNet models about 30);
# a linear layer in front of unscaled targets reaches thousands.
LARGE = 1e3
EXPLODED = 1e6
# A kernel of fewer elements may be one value by chance or by design.
FEWEST = 8
_CONSTANTS = frozenset(
    {"Zeros", "zeros", "zero", "Ones", "ones", "one", "Constant", "constant", "Identity", "identity"}
)
DENORMAL_SHARE = 0.01


def look(weights: Weights) -> Iterator[Evidence]:
    """What the numbers of all variables say by themselves."""
    if not weights.variables:
        raise CouldNotLook(
            Text(
                "the file stores no weights: the model was saved before it was built",
                "文件里没有权重：模型在构建之前就保存了",
            )
        )
    floats = [v for v in weights.variables if v.is_float and v.size]
    yield from _not_finite(floats, "", "")
    slots = [v for v in weights.optimizer if v.is_float and v.size]
    yield from _not_finite(slots, "the optimizer's ", "优化器的 ")
    yield from _constant(weights, floats)
    yield from _large([v for v in floats if v.name in _KERNELS])
    yield from _denormal([v for v in floats if v.name in _KERNELS])
    yield _summary(weights, floats)


def _not_finite(variables: list[Variable], whose_en: str, whose_zh: str) -> Iterator[Evidence]:
    bad = [v for v in variables if v.statistics.nan or v.statistics.infinite]
    if not bad:
        return
    nan, infinite = (sum(getattr(v.statistics, kind) for v in bad) for kind in ("nan", "infinite"))
    total = sum(v.size for v in bad)
    yield Evidence(
        Text(
            f"{whose_en}{names_en(v.path for v in bad)}: {nan:,} NaN and {infinite:,} infinite of {total:,} values; the model can "
            "only give NaN, and no further training repairs it: go back to an earlier checkpoint",
            f"{whose_zh}{names_zh(v.path for v in bad)}：{total:,} 个值中有 {nan:,} 个 NaN、{infinite:,} 个无穷大；模型只会输出 NaN，"
            "继续训练也救不回来：请退回更早的检查点",
        ),
        confirms=(NAN,),
        fault=True,
        layers=_layers(bad),
    )


def _layers(variables: list[Variable]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v.layer for v in variables if v.mapped))


def _constant(weights: Weights, floats: list[Variable]) -> Iterator[Evidence]:
    """A kernel that began as random numbers and is now one value; one that was made so (LayerScale, zero-gated branches) is a fact."""
    flat = [v for v in floats if v.name in _KERNELS and v.size >= FEWEST and v.statistics.constant]
    lost = [v for v in flat if _was_random(weights, v)]
    if lost:
        yield _one_value(lost, fault=True)
    if made := [v for v in flat if v not in lost]:
        yield _one_value(made, fault=False)


def _was_random(weights: Weights, variable: Variable) -> bool:
    """Whether the layer says that it began with random numbers and that training may change them."""
    place = weights.flow.places.get(variable.layer) if weights.flow and variable.mapped else None
    if place is None or variable.part or not is_trained(place.layer):
        return False
    made = initializer(place.layer, variable.name) or initializer(place.layer, "kernel")
    return bool(made) and made not in _CONSTANTS


def _one_value(flat: list[Variable], *, fault: bool) -> Evidence:
    values = ", ".join(f"{value:g}" for value in sorted({v.statistics.low for v in flat})[:5])
    return Evidence(
        Text(
            f"every value is the same ({values}) in {names_en(v.path for v in flat)}: all units of such a layer compute the same",
            f"{names_zh(v.path for v in flat)} 的所有值都相同（{values}）：这样的层里每个单元算出的都一样",
        ),
        confirms=(NOT_LEARNING,),
        fault=fault,
        layers=_layers(flat),
    )


def _large(kernels: list[Variable]) -> Iterator[Evidence]:
    large = sorted((v for v in kernels if v.statistics.largest > LARGE), key=lambda v: -v.statistics.largest)
    if large:
        most = large[0].statistics.largest
        yield Evidence(
            Text(
                f"the largest weight has a magnitude of {most:.3g}; weights above {LARGE:g} are in {names_en(v.path for v in large)}: "
                "training diverged, or the inputs or targets are not scaled",
                f"最大的权重绝对值为 {most:.3g}；{names_zh(v.path for v in large)} 中有超过 {LARGE:g} 的权重："
                "训练已发散，或输入、目标没有缩放",
            ),
            confirms=(NAN, NOT_LEARNING),
            warning=most > EXPLODED,
            layers=_layers(large),
        )


def _denormal(kernels: list[Variable]) -> Iterator[Evidence]:
    small = [v for v in kernels if v.statistics.denormal > DENORMAL_SHARE * v.size]
    if small:
        count = sum(v.statistics.denormal for v in small)
        yield Evidence(
            Text(
                f"{count:,} values are denormal (too small for a normal number) in {names_en(v.path for v in small)}: "
                "they do nothing and slow a CPU down",
                f"{names_zh(v.path for v in small)} 中有 {count:,} 个非规格化数（小到无法规格化）：它们不起作用，还会拖慢 CPU",
            ),
            confirms=(NOT_LEARNING,),
            layers=_layers(small),
        )


def _summary(weights: Weights, floats: list[Variable]) -> Evidence:
    values = sum(v.size for v in floats)
    largest = max(floats, key=lambda v: v.statistics.largest, default=None)
    at, most = (largest.path, largest.statistics.largest) if largest else ("-", 0.0)
    skipped_en = f"; not read: {names_en(weights.skipped)}" if weights.skipped else ""
    skipped_zh = f"；未读取：{names_zh(weights.skipped)}" if weights.skipped else ""
    return Evidence(
        Text(
            f"{len(weights.variables):,} variables, {values:,} values, the largest magnitude is {most:.3g} in "
            f"{names_en([at])}{skipped_en}",
            f"{len(weights.variables):,} 个变量，共 {values:,} 个值，绝对值最大为 {most:.3g}，在 {names_zh([at])}{skipped_zh}",
        )
    )


PROBE = Probe(
    id="weight-values",
    subject="weights",
    promise=Text(
        "whether stored weights are finite, within range, and not one value throughout",
        "检查保存的权重是否有限、大小正常、没有整层同一个值",
    ),
    topics=(NAN, NOT_LEARNING),
    look=look,
    remedy=Text(
        "load the last checkpoint without NaN and train on with a lower learning rate and clipnorm",
        "加载最后一个没有 NaN 的检查点，用更小的学习率并加上 clipnorm 继续训练",
    ),
    documentation="https://keras.io/api/callbacks/terminate_on_nan/",
)
