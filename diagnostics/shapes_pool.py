"""Shapes of pooling, upsampling, padding, cropping and spatial dropout, in Keras 1 to 3.

Formulas: keras/src/ops/operation_utils.py and keras/src/layers/reshaping (Keras 3.15); names of Keras 1:
keras/legacy/interfaces.py (Keras 2.2.4).
"""

from __future__ import annotations

from .shapes_base import (
    NEGATIVE,
    Rule,
    Shape,
    Step,
    Unfit,
    Unknown,
    channels_first,
    flag,
    needs_axes,
    option,
    pairs,
    positive,
)
from .shapes_conv import joined, padding_of, split, strides_of, windows


def _pool(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        needs_axes(shape, axes + 2)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        pool = positive(option(config, "pool_size", "pool_length", default=2), axes)
        places = windows(picture, pool, strides_of(config, axes, pool), padding_of(config), (1,) * axes)
        return (joined(lead, places, channels, first=first),)

    return rule


def _global_pool(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        needs_axes(shape, axes + 2)
        first = channels_first(config)
        lead, _, channels = split(shape, axes, first=first)
        kept = (1,) * axes if flag(config, "keepdims") else ()
        return (joined(lead, kept, channels, first=first),)

    return rule


def _adaptive_pool(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        first = channels_first(config)
        if len(shape) != axes + 2:
            raise Unknown
        lead, _, channels = split(shape, axes, first=first)
        return (joined(lead, positive(config.get("output_size"), axes), channels, first=first),)

    return rule


def _upsampling(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        if axes == 3 and len(shape) != 5 and step.line != "keras-3":  # noqa: PLR2004
            raise Unknown  # Keras 2 forgets to ask
        needs_axes(shape, axes + 2)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        times = positive(option(config, "size", "length", default=2), axes)
        if axes == 2 and step.line == "keras-2" and None in picture:  # noqa: PLR2004
            picture = (None, None)  # tf.image.resize gives up both
        grown = [None if n is None else n * k for n, k in zip(picture, times, strict=True)]
        return (joined(lead, grown, channels, first=first),)

    return rule


def _padding(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        needs_axes(shape, axes + 2)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        sides = pairs(option(config, "padding", default=1), axes)
        grown = [None if n is None else n + a + b for n, (a, b) in zip(picture, sides, strict=True)]
        return (joined(lead, grown, channels, first=first),)

    return rule


def _cropping(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        needs_axes(shape, axes + 2)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        sides = pairs(option(config, "cropping", default=1), axes)
        left = [None if n is None else n - a - b for n, (a, b) in zip(picture, sides, strict=True)]
        for length, rest, (before, after) in zip(picture, left, sides, strict=True):
            if rest is not None and rest <= 0:
                raise Unfit(
                    f"cropping {before} and {after} from an axis of {length} leaves nothing: crop less",
                    f"从大小为 {length} 的轴上裁掉 {before} 和 {after} 后什么都不剩：请减少裁剪",
                    NEGATIVE,
                )
        return (joined(lead, left, channels, first=first),)

    return rule


def _spatial_dropout(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        needs_axes(step.first, axes + 2)
        return (step.first,)

    return rule


_FAMILIES = {
    "MaxPooling{}D": _pool, "AveragePooling{}D": _pool, "MaxPool{}D": _pool, "AvgPool{}D": _pool,
    "GlobalMaxPooling{}D": _global_pool, "GlobalAveragePooling{}D": _global_pool,
    "GlobalMaxPool{}D": _global_pool, "GlobalAvgPool{}D": _global_pool,
    "AdaptiveAveragePooling{}D": _adaptive_pool, "AdaptiveMaxPooling{}D": _adaptive_pool,
    "UpSampling{}D": _upsampling, "ZeroPadding{}D": _padding, "Cropping{}D": _cropping,
    "SpatialDropout{}D": _spatial_dropout,
}  # fmt: skip
RULES: dict[str, Rule] = {name.format(axes): rule(axes) for name, rule in _FAMILIES.items() for axes in (1, 2, 3)}
