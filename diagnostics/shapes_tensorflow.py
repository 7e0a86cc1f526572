"""Shapes of the commonest TensorFlow calls that Keras 2.4 to 2.15 keeps as layers (TFOpLambda, SlicingOpLambda)."""

from __future__ import annotations

from .shapes_base import Shape, Step, Unknown, operands
from .shapes_ops import BY_ELEMENT, OPERATIONS

# What a function of TensorFlow is in Keras; its arguments have other names.
_TENSORFLOW = {
    "__operators__.add": "Add", "math.add": "Add", "math.subtract": "Subtract", "math.multiply": "Multiply",
    "math.truediv": "Divide", "math.divide": "Divide", "math.maximum": "Maximum", "math.minimum": "Minimum", "math.pow": "Power",
    "__operators__.getitem": "GetItem", "reshape": "Reshape", "expand_dims": "ExpandDims", "squeeze": "Squeeze",
    "compat.v1.squeeze": "Squeeze", "concat": "Concatenate", "stack": "Stack", "transpose": "Transpose",
    "compat.v1.transpose": "Transpose", "linalg.matmul": "Matmul", "cast": "Cast", "math.reduce_mean": "Mean",
    "math.reduce_sum": "Sum", "math.reduce_max": "Max", "math.reduce_min": "Min", "math.reduce_prod": "Prod",
    "compat.v1.math.reduce_mean": "Mean", "nn.relu": "Relu", "nn.sigmoid": "Sigmoid", "math.sigmoid": "Sigmoid",
    "nn.softmax": "Softmax", "math.tanh": "Tanh", "nn.tanh": "Tanh", "math.exp": "Exp", "math.log": "Log", "math.sqrt": "Sqrt",
    "math.square": "Square", "math.abs": "Abs", "clip_by_value": "Clip", "stop_gradient": "StopGradient",
    "math.negative": "Negative", "math.l2_normalize": "Normalize", "nn.relu6": "Relu6", "nn.swish": "Silu", "nn.silu": "Silu",
    "nn.gelu": "Gelu", "nn.elu": "Elu", "nn.leaky_relu": "LeakyRelu", "math.softplus": "Softplus",
}  # fmt: skip
_TENSORFLOW_NAMES = {"perm": "axes", "shape": "newshape", "slice_spec": "key"}


def from_tensorflow(step: Step) -> tuple[Shape | None, ...]:
    """A TFOpLambda or SlicingOpLambda: the function's name stands in its configuration."""
    name = _TENSORFLOW.get(str(step.config.get("function")))
    if name is None:
        raise Unknown
    given = {_TENSORFLOW_NAMES.get(key, key): value for key, value in step.kwargs.items()}
    tensors = {key: value for key, value in given.items() if operands(value)}
    literal = [value for key, value in given.items() if name in BY_ELEMENT and key in ("x", "y") and key not in tensors]
    if name == "Normalize" and not isinstance(given.get("axis"), int | list):
        raise Unknown
    config = {key: value for key, value in given.items() if key not in tensors}
    args = (*step.args, *tensors.values(), *literal, *([given["key"]] if name == "GetItem" and "key" in given else []))
    if name == "Matmul" and (config.get("transpose_a") or config.get("transpose_b")):
        raise Unknown
    return OPERATIONS[name](Step(name, config, args, {}, step.line, step.inside))
