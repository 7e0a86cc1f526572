"""Which variables each class of layer holds, from its configuration and what it is called on.

Sources: the `build` of each layer in keras/src/layers (Keras 3.15) and tf_keras/src/layers (2.21), which hold the same
variables but for the state of dropouts and random layers (Keras 3's seed generators), which is no parameter and not told here.
"""

from __future__ import annotations

from .model_file import Json
from .shapes_base import Operand, Shape, Step, Unknown, flag, option, size
from .shapes_core import SAME
from .shapes_norm import axes_of
from .shapes_recurrent import layer_in
from .variables_kernels import RULES as _KERNELS
from .variables_kernels import Variables, VariablesOf, bias, nothing

_WITHOUT = (SAME - {"Highway", "LayerScale", "Normalization", "ParametricSoftplus", "RMSNormalization", "SReLU"}) | {
    "InputLayer", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Flatten", "Reshape",
    "CustomScaleLayer", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer",
    "Permute", "RepeatVector", "Resizing", "CenterCrop", "RandomCrop", "RandomHeight", "RandomWidth", "CategoryEncoding",
    "Hashing", "HashedCrossing", "Discretization", "StringLookup", "IntegerLookup", "TextVectorization",
}  # fmt: skip


def held_by(class_name: str, config: Json, inputs: tuple[Shape | None, ...]) -> Variables:
    """The variables of a layer by name; `Unknown` where the class, or a size that counts, is not known."""
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


def _batch_norm(config: Json, shape: Shape) -> Variables:
    found = _scaled(config, _named_axes(config, shape))
    sizes = _named_axes(config, shape)
    return {**found, "moving_mean": sizes, "moving_variance": sizes}


def _layer_norm(config: Json, shape: Shape) -> Variables:
    return _scaled(config, _named_axes(config, shape))


def _named_axes(config: Json, shape: Shape) -> Shape:
    step = Step("", config, (Operand(shape),), {}, None, nothing)
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


def _layer_scale(config: Json, _shape: Shape) -> Variables:
    return {"gamma": (size(config.get("projection_dim")),)}


def _normalization(config: Json, shape: Shape) -> Variables:
    if config.get("mean") is not None:
        return {}
    axis = config.get("axis", -1)
    kept = () if axis is None else _named_axes(config, shape)
    return {"mean": kept, "variance": kept, "count": ()}


def _bidirectional(config: Json, shape: Shape) -> Variables:
    class_name, inner = layer_in(config.get("layer"))
    forward = held_by(class_name, inner, (shape,))
    written = config.get("backward_layer")
    backward = held_by(*layer_in(written), (shape,)) if isinstance(written, dict) else forward
    return {f"forward/{n}": s for n, s in forward.items()} | {f"backward/{n}": s for n, s in backward.items()}


def _time_distributed(config: Json, shape: Shape) -> Variables:
    class_name, inner = layer_in(config.get("layer"))
    return {f"layer/{n}": s for n, s in held_by(class_name, inner, ((shape[0], *shape[2:]),)).items()}


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
        found |= {f"{name}/{kind}": shape for kind, shape in {"kernel": (*taken, *made), **bias(config, *made)}.items()}
    return found


def _attention(config: Json, _inputs: tuple[Shape | None, ...]) -> Variables:
    found: Variables = {"scale": ()} if flag(config, "use_scale") else {}
    return found | ({"concat_score_weight": ()} if config.get("score_mode") == "concat" else {})


def _additive(config: Json, inputs: tuple[Shape | None, ...]) -> Variables:
    if len(inputs) < 2 or not inputs[0] or not inputs[1] or inputs[0][-1] != inputs[1][-1]:  # noqa: PLR2004
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
RULES: dict[str, VariablesOf] = {
    **_KERNELS,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "PReLU": _prelu,
    "Normalization": _normalization,
    "LayerScale": _layer_scale,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
}
