"""The variables that a layer will hold, by name and shape, from its configuration and what it is called on.

Sources: the `build` of each layer in keras/src/layers (Keras 3.15) and tf_keras/src/layers (2.21), which hold the same
variables but for the state of dropouts and random layers (Keras 3's seed generators), which is no parameter and not told here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from .graph import Layer
from .model_file import Json
from .shapes_base import LAST_AXIS, Operand, Shape, Step, Unfit, Unknown, channels_first, flag, option, shown, size
from .shapes_calls import built_on
from .shapes_conv import filters_of, kernel_size, split
from .shapes_core import SAME, axes_of, einsum_shapes
from .shapes_recurrent import cells_of, layer_in, units_of

Variables = dict[str, Shape]
_Rule = Callable[[Json, Shape], Variables]
_NOT_TRAINED = frozenset({"moving_mean", "moving_variance", "mean", "variance", "count", "vector_u"})
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
_WITHOUT = (SAME - {"Highway", "Normalization", "PReLU", "ParametricSoftplus", "RMSNormalization", "SReLU"}) | {
    "InputLayer", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Flatten", "Reshape",
    "Permute", "RepeatVector", "Resizing", "CenterCrop", "RandomCrop", "RandomHeight", "RandomWidth", "CategoryEncoding",
    "Hashing", "HashedCrossing", "Discretization", "StringLookup", "IntegerLookup", "TextVectorization",
}  # fmt: skip


def variables_of(layer: Layer, inputs: tuple[Shape | None, ...]) -> Variables | None:
    """The variables of a layer that is called on tensors of these shapes.

    Returns:
        Their shapes by name; those of the layers in a Bidirectional or TimeDistributed have "forward/", "backward/" or
        "layer/" before the name. None where the class, or a size that counts, is not known.
    """
    try:
        return _variables(layer.class_name, layer.config, inputs)
    except (Unknown, Unfit):
        return None


def parameters_of(layer: Layer, inputs: tuple[Shape | None, ...]) -> tuple[int, int] | None:
    """How many parameters a layer has: those that training can change, and the others; None where not known.

    A frozen layer (`trainable` false) has none of the first kind.
    """
    found = variables_of(layer, inputs)
    if found is None:
        return None
    fixed = sum(_count(shape) for name, shape in found.items() if name.rpartition("/")[2] in _NOT_TRAINED)
    total = sum(_count(shape) for shape in found.values())
    return (0, total) if layer.config.get("trainable") is False else (total - fixed, fixed)


def _count(shape: Shape) -> int:
    return prod(part or 0 for part in shape)


def check_built(layer: Layer, taken: tuple[Shape | None, ...]) -> None:
    """Refuse what a layer is called on where its variables were made for something else: the file tells both.

    Raises:
        Unfit: a variable would have another shape.
    """
    built = built_on(layer)
    if built is None or len(taken) != 1:
        return
    needed, made = variables_of(layer, taken), variables_of(layer, (built,))
    for name in needed or ():
        if made and name in made and needed and made[name] != needed[name]:
            raise Unfit(
                f"the file says that it was built on {shown(built)}, where its {name} has the shape {shown(made[name])}; on this "
                f"input it would be {shown(needed[name])}: feed it what it was built on, or build and train it anew",
                f"文件里写明它是在 {shown(built)} 上建立的，{name} 的形状是 {shown(made[name])}；而这个输入需要 "
                f"{shown(needed[name])}：请给它原来的输入形状，或重新建立并训练该层",
                LAST_AXIS,
            )


def _variables(class_name: str, config: Json, inputs: tuple[Shape | None, ...]) -> Variables:
    if class_name in _WITHOUT or class_name in _NO_VARIABLES:
        return {}
    if class_name in _JOINING:
        return _sized(_JOINING[class_name](config, inputs))
    shape = inputs[0] if inputs else None
    rule = RULES.get(class_name)
    if rule is None or shape is None or not shape:
        raise Unknown
    return _sized(rule(config, shape))


def _sized(found: Variables) -> Variables:
    if any(part is None for variable in found.values() for part in variable):
        raise Unknown
    return found


def _bias(config: Json, *shape: int | None, name: str = "use_bias") -> Variables:
    used = option(config, name, "bias", default=True)
    if not isinstance(used, bool):
        raise Unknown
    return {"bias": shape} if used else {}


def _dense(config: Json, shape: Shape) -> Variables:
    units = units_of(config)
    return {"kernel": (shape[-1], units), **_bias(config, units)}


def _einsum(config: Json, shape: Shape) -> Variables:
    step = Step("EinsumDense", config, (Operand(shape),), {}, None, _nothing)
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


def _nothing(_written: object, _shape: Shape) -> tuple[Shape | None, ...]:
    raise Unknown


def _embedding(config: Json, _shape: Shape) -> Variables:
    return {"embeddings": (size(config.get("input_dim")), size(config.get("output_dim")))}


def _conv(axes: int) -> _Rule:
    def rule(config: Json, shape: Shape) -> Variables:
        channels = _channels(config, shape, axes)
        groups = size(option(config, "groups", default=1)) or 1
        filters = filters_of(config)
        return {"kernel": (*kernel_size(config, axes), channels // groups, filters), **_bias(config, filters)}

    return rule


def _channels(config: Json, shape: Shape, axes: int) -> int:
    if len(shape) < axes + 2:
        raise Unknown
    channels = split(shape, axes, first=channels_first(config))[2]
    if channels is None:
        raise Unknown
    return channels


def _transposed(axes: int) -> _Rule:
    def rule(config: Json, shape: Shape) -> Variables:
        filters = filters_of(config)
        return {
            "kernel": (*kernel_size(config, axes), filters, _channels(config, shape, axes)),
            **_bias(config, filters),
        }

    return rule


def _depthwise(axes: int) -> _Rule:
    def rule(config: Json, shape: Shape) -> Variables:
        channels, times = _channels(config, shape, axes), size(config.get("depth_multiplier", 1))
        return {"kernel": (*kernel_size(config, axes), channels, times), **_bias(config, channels * times)}

    return rule


def _separable(axes: int) -> _Rule:
    def rule(config: Json, shape: Shape) -> Variables:
        channels, times, filters = (
            _channels(config, shape, axes),
            size(config.get("depth_multiplier", 1)),
            filters_of(config),
        )
        depthwise = (*kernel_size(config, axes), channels, times)
        pointwise = (*(1,) * axes, channels * times, filters)
        return {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise, **_bias(config, filters)}

    return rule


def _recurrent(class_name: str) -> _Rule:
    def rule(config: Json, shape: Shape) -> Variables:
        units, gates = units_of(config), _GATES[class_name]
        twice = class_name in ("GRU", "GRUCell") and flag(config, "reset_after")
        if class_name.startswith("CuDNN"):
            return {
                "kernel": (shape[-1], gates * units),
                "recurrent_kernel": (units, gates * units),
                "bias": (2 * gates * units,),
            }
        bias = (2, gates * units) if twice else (gates * units,)
        kernels: Variables = {"kernel": (shape[-1], gates * units), "recurrent_kernel": (units, gates * units)}
        return {**kernels, **_bias(config, *bias)}

    return rule


def _rnn(config: Json, shape: Shape) -> Variables:
    found: Variables = {}
    for number, (class_name, cell) in enumerate(cells_of(config)):
        inner = _recurrent(class_name)(cell, shape)
        found |= {f"cell_{number}/{name}": part for name, part in inner.items()}
        shape = (*shape[:-1], units_of(cell))
    return found


def _conv_lstm(axes: int) -> _Rule:
    def rule(config: Json, shape: Shape) -> Variables:
        channels, filters, kernel = _channels(config, shape, axes), filters_of(config), kernel_size(config, axes)
        kernels: Variables = {
            "kernel": (*kernel, channels, 4 * filters),
            "recurrent_kernel": (*kernel, filters, 4 * filters),
        }
        return {**kernels, **_bias(config, 4 * filters)}

    return rule


def _batch_norm(config: Json, shape: Shape) -> Variables:
    found = _scaled(config, _named_axes(config, shape))
    sizes = _named_axes(config, shape)
    return {**found, "moving_mean": sizes, "moving_variance": sizes}


def _layer_norm(config: Json, shape: Shape) -> Variables:
    return _scaled(config, _named_axes(config, shape))


def _named_axes(config: Json, shape: Shape) -> Shape:
    step = Step("", config, (Operand(shape),), {}, None, _nothing)
    return tuple(shape[axis] for axis in axes_of(step))


def _scaled(config: Json, sizes: Shape) -> Variables:
    names = {"gamma": flag(config, "scale", default=True), "beta": flag(config, "center", default=True)}
    return {name: sizes for name, there in names.items() if there}


def _rms_norm(config: Json, shape: Shape) -> Variables:
    return {"scale": _named_axes(config, shape)}


def _prelu(config: Json, shape: Shape) -> Variables:
    shared = option(config, "shared_axes", default=[])
    if not isinstance(shared, list | tuple):
        raise Unknown
    return {"alpha": tuple(1 if axis in shared else part for axis, part in enumerate(shape) if axis)}


def _normalization(config: Json, shape: Shape) -> Variables:
    if config.get("mean") is not None or config.get("invert") not in (None, False):
        raise Unknown
    axis = config.get("axis", -1)
    kept = () if axis is None else _named_axes(config, shape)
    return {"mean": kept, "variance": kept, "count": ()}


def _bidirectional(config: Json, shape: Shape) -> Variables:
    class_name, inner = layer_in(config.get("layer"))
    forward = _variables(class_name, inner, (shape,))
    written = config.get("backward_layer")
    backward = _variables(*layer_in(written), (shape,)) if isinstance(written, dict) else forward
    return {f"forward/{n}": s for n, s in forward.items()} | {f"backward/{n}": s for n, s in backward.items()}


def _time_distributed(config: Json, shape: Shape) -> Variables:
    class_name, inner = layer_in(config.get("layer"))
    return {f"layer/{n}": s for n, s in _variables(class_name, inner, ((shape[0], *shape[2:]),)).items()}


def _multi_head(config: Json, inputs: tuple[Shape | None, ...]) -> Variables:
    """Query, value and key, as they are called; the key is the value where there is none."""
    if len(inputs) not in (2, 3) or None in inputs or flag(config, "use_gate"):
        raise Unknown
    query, value, key = (shape[-1] for shape in (*inputs, inputs[1])[:3] if shape)
    heads, per_key = size(option(config, "num_heads", "num_query_heads")), size(option(config, "key_dim", "head_dim"))
    kept = size(option(config, "num_key_value_heads", default=heads))
    per_value = size(option(config, "value_dim", default=per_key))
    written = config.get("output_shape")
    given = (query,) if written is None else tuple(written) if isinstance(written, list | tuple) else (size(written),)
    parts = {
        "query": ((query,), (heads, per_key)),
        "key": ((key,), (kept, per_key)),
        "value": ((value,), (kept, per_value)),
        "attention_output": ((heads, per_value), given),
    }
    found: Variables = {}
    for name, (taken, made) in parts.items():
        found |= {
            f"{name}/{kind}": shape for kind, shape in {"kernel": (*taken, *made), **_bias(config, *made)}.items()
        }
    return found


def _attention(config: Json, inputs: tuple[Shape | None, ...]) -> Variables:
    found: Variables = {"scale": ()} if flag(config, "use_scale") else {}
    return found | ({"concat_score_weight": ()} if config.get("score_mode") == "concat" else {})


def _additive(config: Json, inputs: tuple[Shape | None, ...]) -> Variables:
    if not inputs or not inputs[0]:
        raise Unknown
    return {"scale": (inputs[0][-1],)} if flag(config, "use_scale", default=True) else {}


_JOINING = {
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _multi_head,
    "GroupedQueryAttention": _multi_head,
    "Attention": _attention,
    "AdditiveAttention": _additive,
}
_NO_VARIABLES = frozenset(
    name.format(axes)
    for axes in (1, 2, 3)
    for name in (
        "MaxPooling{}D", "AveragePooling{}D", "GlobalMaxPooling{}D", "GlobalAveragePooling{}D", "AdaptiveMaxPooling{}D",
        "AdaptiveAveragePooling{}D", "UpSampling{}D", "ZeroPadding{}D", "Cropping{}D", "SpatialDropout{}D",
    )
)  # fmt: skip
RULES: dict[str, _Rule] = {
    "Dense": _dense,
    "EinsumDense": _einsum,
    "Embedding": _embedding,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "PReLU": _prelu,
    "Normalization": _normalization,
    "RNN": _rnn,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    **{name: _recurrent(name) for name in ("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU")},
    **{
        f"{family}{axes}D{tail}": rule(axes)
        for axes in (1, 2, 3)
        for family, tail, rule in (
            ("Conv", "", _conv), ("Convolution", "", _conv), ("Conv", "Transpose", _transposed),
            ("DepthwiseConv", "", _depthwise), ("SeparableConv", "", _separable), ("ConvLSTM", "", _conv_lstm),
        )
    },
}  # fmt: skip
