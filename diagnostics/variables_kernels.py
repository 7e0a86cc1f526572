"""The kernels and biases of dense, convolutional and recurrent layers and of embeddings, by name and shape.

Sources: the `build` of each layer in keras/src/layers (Keras 3.15) and tf_keras/src/layers (2.21).
"""

from __future__ import annotations

from collections.abc import Callable

from .model_file import Json
from .shapes_base import Operand, Shape, Step, Unknown, channels_first, flag, option, size
from .shapes_conv import filters_of, kernel_size, split
from .shapes_core import einsum_shapes
from .shapes_recurrent import cells_of, units_of

Variables = dict[str, Shape]
VariablesOf = Callable[[Json, Shape], Variables]
_GATES = {
    "LSTM": 4,
    "GRU": 3,
    "SimpleRNN": 1,
    "LSTMCell": 4,
    "GRUCell": 3,
    "SimpleRNNCell": 1,
    "CuDNNLSTM": 4,
    "CuDNNGRU": 3,
}


def bias(config: Json, *shape: int | None) -> Variables:
    """The bias of this shape, where there is one."""
    used = option(config, "use_bias", "bias", default=True)
    if not isinstance(used, bool):
        raise Unknown
    return {"bias": shape} if used else {}


def _dense(config: Json, shape: Shape) -> Variables:
    units = units_of(config)
    return {"kernel": (shape[-1], units), **bias(config, units)}


def _einsum(config: Json, shape: Shape) -> Variables:
    step = Step("EinsumDense", config, (Operand(shape),), {}, None, nothing)
    kernel, given = einsum_shapes(step)
    axes = config.get("bias_axes")
    if axes is None:
        return {"kernel": kernel}
    labels = str(config.get("equation")).rpartition("->")[2].replace("...", "").strip()
    places = sorted(labels.find(axis) for axis in str(axes))
    if not places or places[0] < 0:
        raise Unknown
    tail = given[len(given) - len(labels) :] if "..." in str(config.get("equation")) else given
    return {"kernel": kernel, "bias": tuple(tail[i] if i in places else 1 for i in range(places[0], len(labels)))}


def nothing(_written: object, _shape: Shape) -> tuple[Shape | None, ...]:
    """Of a layer that a layer holds; there is none here."""
    raise Unknown


def _embedding(config: Json, _shape: Shape) -> Variables:
    return {"embeddings": (size(config.get("input_dim")), size(config.get("output_dim")))}


def _conv(axes: int) -> VariablesOf:
    def rule(config: Json, shape: Shape) -> Variables:
        channels = channels_of(config, shape, axes)
        groups = size(option(config, "groups", default=1)) or 1
        filters = filters_of(config)
        return {"kernel": (*kernel_size(config, axes), channels // groups, filters), **bias(config, filters)}

    return rule


def channels_of(config: Json, shape: Shape, axes: int) -> int:
    """The number of channels of a picture of so many axes."""
    if len(shape) < axes + 2:
        raise Unknown
    channels = split(shape, axes, first=channels_first(config))[2]
    if channels is None:
        raise Unknown
    return channels


def _transposed(axes: int) -> VariablesOf:
    def rule(config: Json, shape: Shape) -> Variables:
        filters = filters_of(config)
        return {
            "kernel": (*kernel_size(config, axes), filters, channels_of(config, shape, axes)),
            **bias(config, filters),
        }

    return rule


def _depthwise(axes: int) -> VariablesOf:
    def rule(config: Json, shape: Shape) -> Variables:
        channels, times = channels_of(config, shape, axes), size(config.get("depth_multiplier", 1))
        return {"kernel": (*kernel_size(config, axes), channels, times), **bias(config, channels * times)}

    return rule


def _separable(axes: int) -> VariablesOf:
    def rule(config: Json, shape: Shape) -> Variables:
        channels, times, filters = (
            channels_of(config, shape, axes),
            size(config.get("depth_multiplier", 1)),
            filters_of(config),
        )
        depthwise = (*kernel_size(config, axes), channels, times)
        pointwise = (*(1,) * axes, channels * times, filters)
        return {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise, **bias(config, filters)}

    return rule


def _recurrent(class_name: str) -> VariablesOf:
    def rule(config: Json, shape: Shape) -> Variables:
        units, gates = units_of(config), _GATES[class_name]
        twice = class_name in ("GRU", "GRUCell") and flag(config, "reset_after")
        if class_name.startswith("CuDNN"):
            return {
                "kernel": (shape[-1], gates * units),
                "recurrent_kernel": (units, gates * units),
                "bias": (2 * gates * units,),
            }
        shape_of_bias = (2, gates * units) if twice else (gates * units,)
        kernels: Variables = {"kernel": (shape[-1], gates * units), "recurrent_kernel": (units, gates * units)}
        return {**kernels, **bias(config, *shape_of_bias)}

    return rule


def _rnn(config: Json, shape: Shape) -> Variables:
    found: Variables = {}
    for number, (class_name, cell) in enumerate(cells_of(config)):
        inner = _recurrent(class_name)(cell, shape)
        found |= {f"cell_{number}/{name}": part for name, part in inner.items()}
        shape = (*shape[:-1], units_of(cell))
    return found


def _conv_lstm(axes: int) -> VariablesOf:
    def rule(config: Json, shape: Shape) -> Variables:
        channels, filters, kernel = channels_of(config, shape, axes), filters_of(config), kernel_size(config, axes)
        kernels: Variables = {
            "kernel": (*kernel, channels, 4 * filters),
            "recurrent_kernel": (*kernel, filters, 4 * filters),
        }
        return {**kernels, **bias(config, 4 * filters)}

    return rule


_OF_AXES = (
    ("Conv", "", _conv), ("Convolution", "", _conv), ("Conv", "Transpose", _transposed), ("DepthwiseConv", "", _depthwise),
    ("SeparableConv", "", _separable), ("ConvLSTM", "", _conv_lstm),
)  # fmt: skip
RULES: dict[str, VariablesOf] = {
    "Dense": _dense,
    "EinsumDense": _einsum,
    "Embedding": _embedding,
    "RNN": _rnn,
    **{name: _recurrent(name) for name in ("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU")},
    **{f"{family}{axes}D{tail}": rule(axes) for axes in (1, 2, 3) for family, tail, rule in _OF_AXES},
}
