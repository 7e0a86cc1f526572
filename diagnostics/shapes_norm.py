"""Shapes of normalisation and preprocessing, whose output mostly is as large as their input, in Keras 2 and 3.

Sources: keras/src/layers/normalization and preprocessing of Keras 3.15, their like in tf_keras 2.21.
"""

from __future__ import annotations

from .shapes_base import LAST_AXIS, RANK, Rule, Shape, Step, Unfit, Unknown, channels_first, flag, one, option, size

_TO_INTEGERS = ("Discretization", "Hashing", "IntegerLookup", "StringLookup")
_RESIZING = ("Resizing", "CenterCrop", "RandomCrop")


def _prelu(step: Step) -> tuple[Shape]:
    shared = option(step.config, "shared_axes", default=[])
    if not isinstance(shared, list | tuple):
        raise Unknown
    _all_sized(step, tuple(axis for axis in range(1, len(step.first)) if axis not in shared))
    return (step.first,)


def axes_of(step: Step) -> tuple[int, ...]:
    """The axes that a normalisation names, counted from the front; an axis that the tensor doesn't have is refused."""
    written = option(step.config, "axis", default=-1)
    listed = written if isinstance(written, list | tuple) else [written]
    number = len(step.first)
    if any(type(axis) is not int for axis in listed):
        raise Unknown
    if missing := [axis for axis in listed if not -number <= axis < number]:
        axis = max(-(2**31), min(missing[0], 2**31))
        raise Unfit(
            f"axis={axis} is not among the {number} axes of the tensor: the last one is axis=-1",
            f"axis={axis} 超出张量的 {number} 个轴：最后一个轴是 axis=-1",
            RANK,
        )
    return tuple(axis % number for axis in listed)


def _batch_norm(step: Step) -> tuple[Shape]:
    if step.config.get("mode", 0) != 0:  # Keras 1 could normalise each sample by itself
        return (step.first,)
    _all_sized(step, axes_of(step))
    return (step.first,)


def _layer_norm(step: Step) -> tuple[Shape]:
    if flag(step.config, "center", default=True) or flag(step.config, "scale", default=True):
        _all_sized(step, axes_of(step))
    return (step.first,)


def _all_sized(step: Step, axes: tuple[int, ...]) -> None:
    if any(step.first[axis] is None for axis in axes):
        raise Unfit(
            "an axis that its weights have a value for each place of has no fixed size: give it in the shape of the input",
            "它的权重要与某个轴等长，而该轴大小未定：请在输入形状里写明",
            LAST_AXIS,
        )


def _group_norm(step: Step) -> tuple[Shape]:
    axis = axes_of(step)[0]
    _all_sized(step, (axis,))
    groups, channels = step.config.get("groups", 32), step.first[axis]
    if groups != -1 and channels is not None and (not size(groups) or channels % groups):
        raise Unfit(
            f"groups={groups} does not divide the {channels} channels that it normalises: choose a divisor",
            f"groups={groups} 不能整除它归一化的 {channels} 个通道：请换成约数",
            LAST_AXIS,
        )
    return (step.first,)


def _picture_size(step: Step) -> tuple[Shape]:
    shape = list(step.first)
    if len(shape) not in (3, 4):
        raise Unknown
    height, width = (size(step.config.get(name)) for name in ("height", "width"))
    end = len(shape) if channels_first(step.config) else len(shape) - 1
    shape[end - 2 : end] = [height, width]
    return one(*shape)


def _random_size(axis: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape = list(step.first)
        if len(shape) not in (3, 4):
            raise Unknown
        shape[axis] = None
        return one(*shape)

    return rule


def _integers(step: Step) -> tuple[Shape]:
    if step.config.get("output_mode", "int") != "int" or flag(step.config, "sparse"):
        raise Unknown
    return (step.first,)


def _categories(step: Step) -> tuple[Shape]:
    shape, mode = step.first, step.config.get("output_mode", "multi_hot")
    tokens = size(step.config.get("num_tokens"))
    if mode not in ("one_hot", "multi_hot", "count") or len(shape) < 2:  # noqa: PLR2004 - the batch and an axis
        raise Unknown
    return one(*shape, tokens) if mode == "one_hot" and shape[-1] != 1 else one(*shape[:-1], tokens)


def _text(step: Step) -> tuple[Shape]:
    config = step.config
    if config.get("output_mode", "int") != "int" or flag(config, "ragged") or config.get("split") is None:
        raise Unknown
    length = config.get("output_sequence_length")
    return one(step.first[0], None if length is None else size(length))


def _crossing(step: Step) -> tuple[Shape]:
    shapes = step.joined
    if step.config.get("output_mode", "int") != "int":
        raise Unknown
    if len(set(shapes)) > 1:
        raise Unknown
    return (shapes[0],)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_TO_INTEGERS, _integers),
    **dict.fromkeys(_RESIZING, _picture_size),
    "PReLU": _prelu,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "RandomHeight": _random_size(-3),
    "RandomWidth": _random_size(-2),
    "CategoryEncoding": _categories,
    "TextVectorization": _text,
    "HashedCrossing": _crossing,
}
