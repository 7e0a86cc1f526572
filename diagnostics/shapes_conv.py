"""Shapes of convolutions, pooling, cropping, padding and upsampling, in Keras 1 to 3.

Formulas: keras/src/ops/operation_utils.py and keras/src/backend/common/backend_utils.py (Keras 3.15),
keras/utils/conv_utils.py (Keras 2.12); names of Keras 1: keras/legacy/interfaces.py (Keras 2.2.4).
"""

from __future__ import annotations

from collections.abc import Sequence

from .model_file import Json
from .shapes_base import (
    LAST_AXIS,
    NEGATIVE,
    Rule,
    Shape,
    Step,
    Unfit,
    Unknown,
    channels_first,
    needs_axes,
    option,
    positive,
    size,
    sizes,
)

_KERAS_1_KERNELS = (("filter_length",), ("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))


def kernel_size(config: Json, axes: int) -> tuple[int, ...]:
    """The size of a convolution's kernel along each axis."""
    written = config.get("kernel_size")
    if written is None:
        written = [config.get(name) for name in _KERAS_1_KERNELS[axes - 1]]
    return positive(written, axes)


def strides_of(config: Json, axes: int, default: object = 1) -> tuple[int, ...]:
    """The step of a window along each axis."""
    return positive(option(config, "strides", "subsample", "subsample_length", "stride", default=default), axes)


def padding_of(config: Json) -> str:
    """valid, same, causal or full."""
    written = option(config, "padding", "border_mode", default="valid")
    if written not in ("valid", "same", "causal", "full"):
        raise Unknown
    return str(written)


def split(shape: Shape, axes: int, *, first: bool) -> tuple[Shape, Shape, int | None]:
    """The axes before the picture (the batch), those of the picture, and the channels."""
    lead = len(shape) - axes - 1
    if first:
        return shape[:lead], shape[lead + 1 :], shape[lead]
    return shape[:lead], shape[lead:-1], shape[-1]


def joined(lead: Shape, picture: Sequence[int | None], channels: int | None, *, first: bool) -> Shape:
    """The reverse of `split`."""
    return (*lead, channels, *picture) if first else (*lead, *picture, channels)


def takes_pictures(step: Step, shape: Shape, axes: int) -> None:
    """Refuse a tensor of another rank. Convolutions of TensorFlow 2's Keras take further axes before the picture."""
    if len(shape) > axes + 2 and step.line != "keras-3":
        raise Unknown
    needs_axes(shape, axes + 2)


def window(length: int | None, kernel: int, stride: int, padding: str, dilation: int = 1) -> int | None:
    """How many places a window has along an axis."""
    if length is None:
        return None
    wide = (kernel - 1) * dilation + 1
    if padding in ("same", "causal"):
        return (length - 1) // stride + 1
    if padding == "full":
        return (length + wide - 2) // stride + 1
    return (length - wide) // stride + 1


def windows(picture: Shape, kernel: Shape, stride: Shape, padding: str, dilation: Shape) -> list[int | None]:
    """How many places a window has along each axis; refused where it has none."""
    places = [
        window(n, k or 1, s or 1, padding, d or 1) for n, k, s, d in zip(picture, kernel, stride, dilation, strict=True)
    ]
    for length, wide, count in zip(picture, kernel, places, strict=True):
        if count is not None and count <= 0:
            raise _too_small(picture, kernel, dilation, length, wide)
    return places


def _too_small(picture: Shape, kernel: Shape, dilation: Shape, length: int | None, wide: int | None) -> Unfit:
    spread = f", dilation {_by(dilation)}" if set(dilation) != {1} else ""
    spread_zh = f"、膨胀率 {_by(dilation)}" if spread else ""
    return Unfit(
        f"a window of {_by(kernel)}{spread} does not fit into {_by(picture)} ({length} < {wide}) with padding='valid', so no size "
        "is left: use padding='same', a smaller window or fewer poolings before it, or a larger input",
        f"padding='valid' 时，{_by(kernel)} 的窗口{spread_zh}放不进 {_by(picture)}（{length} < {wide}），输出尺寸会小于等于 0："
        "请用 padding='same'、更小的窗口、减少前面的池化，或增大输入",
        NEGATIVE,
    )


def _by(parts: Shape) -> str:
    return " x ".join("?" if part is None else str(part) for part in parts)


def has_channels(channels: int | None, where: str) -> int:
    """The number of channels; a layer with a kernel cannot be built where it is open."""
    if channels is None:
        raise Unfit(
            f"its {where} axis has no fixed size, and the kernel's size depends on it: give it in the shape of the input",
            f"它的{'通道' if where == 'channel' else '最后一个'}轴大小未定，而卷积核/权重的形状取决于它：请在输入形状里写明",
            LAST_AXIS,
        )
    return channels


def _dilation(config: Json, axes: int) -> tuple[int, ...]:
    return positive(option(config, "dilation_rate", "atrous_rate", default=1), axes)


def filters_of(config: Json) -> int:
    """The number of filters."""
    return size(option(config, "filters", "nb_filter"))


def _conv(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        takes_pictures(step, shape, axes)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        check_groups(config, has_channels(channels, "channel"))
        places = windows(
            picture, kernel_size(config, axes), strides_of(config, axes), padding_of(config), _dilation(config, axes)
        )
        return (joined(lead, places, filters_of(config), first=first),)

    return rule


def check_groups(config: Json, channels: int) -> None:
    """Refuse groups that do not divide the channels or the filters."""
    groups = size(option(config, "groups", default=1))
    filters = filters_of(config)
    if groups > 1 and (channels % groups or filters % groups):
        raise Unfit(
            f"groups={groups} must divide both its {channels} input channels and its {filters} filters",
            f"groups={groups} 必须同时整除输入通道数 {channels} 和 filters={filters}",
            LAST_AXIS,
        )


def _depthwise(axes: int, *, separable: bool) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        takes_pictures(step, shape, axes)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        wide = has_channels(channels, "channel") * size(config.get("depth_multiplier", 1))
        dilation = _dilation(config, axes)
        places = windows(picture, kernel_size(config, axes), strides_of(config, axes), padding_of(config), dilation)
        if step.line != "keras-3" and max(dilation) > 1 and None in picture:
            raise Unknown  # TensorFlow then leaves every size open, or not, by release
        return (joined(lead, places, filters_of(config) if separable else wide, first=first),)

    return rule


def _transposed(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        takes_pictures(step, shape, axes)
        first = channels_first(config)
        lead, picture, channels = split(shape, axes, first=first)
        has_channels(channels, "channel")
        kernel, steps, padding = kernel_size(config, axes), strides_of(config, axes), padding_of(config)
        written = config.get("output_padding")
        extra = sizes(written, axes) if written is not None else (None,) * axes
        dilated = _dilation(config, axes)
        spread = [
            _spread(n, (k - 1) * d + 1, s, padding, e)
            for n, k, s, d, e in zip(picture, kernel, steps, dilated, extra, strict=True)
        ]
        if any(n is not None and n <= 0 for n in spread):
            raise Unknown
        return (joined(lead, spread, filters_of(config), first=first),)

    return rule


def _spread(length: int | None, kernel: int, stride: int, padding: str, extra: int | None) -> int | None:
    """The reverse of `window`: how long the input was."""
    if length is None:
        return None
    if extra is None:
        return length * stride + (max(kernel - stride, 0) if padding == "valid" else 0)
    return (length - 1) * stride + kernel - (2 * (kernel // 2) if padding == "same" else 0) + extra


def _local(axes: int) -> Rule:
    def rule(step: Step) -> tuple[Shape]:
        shape, config = step.first, step.config
        needs_axes(shape, axes + 2)
        first = channels_first(config)
        lead, picture, _ = split(shape, axes, first=first)
        places = windows(picture, kernel_size(config, axes), strides_of(config, axes), padding_of(config), (1,) * axes)
        return (joined(lead, places, filters_of(config), first=first),)

    return rule


def _table() -> dict[str, Rule]:
    families = {
        "Conv{}D": _conv, "Convolution{}D": _conv, "AtrousConvolution{}D": _conv, "AtrousConv{}D": _conv,
        "Conv{}DTranspose": _transposed, "Convolution{}DTranspose": _transposed,
        "LocallyConnected{}D": _local }  # fmt: skip
    table = {name.format(axes): rule(axes) for name, rule in families.items() for axes in (1, 2, 3)}
    for axes in (1, 2):
        table[f"DepthwiseConv{axes}D"] = _depthwise(axes, separable=False)
        table[f"SeparableConv{axes}D"] = table[f"SeparableConvolution{axes}D"] = _depthwise(axes, separable=True)
    return table


RULES = _table()
