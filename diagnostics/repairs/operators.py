"""Operators on tensors: tf_keras writes them as TFOpLambda, Keras 3 as operations; the simple ones become layers of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from ...knowledge.text import Text
from ..graph_edit import Written, become, models_of, name_of
from ..model_file import Json
from ..repair import Change, Draft, Repair, shown

# `function` of TFOpLambda (tf_keras/src/layers/core/tf_op_layer.py), and classes in keras/src/ops.
_SIGNS = {
    "__operators__.add": "+", "math.add": "+", "__operators__.sub": "-", "math.subtract": "-", "__operators__.mul": "*",
    "math.multiply": "*", "__operators__.truediv": "/", "math.truediv": "/", "math.divide": "/",
    "Add": "+", "Subtract": "-", "Multiply": "*", "TrueDivide": "/", "Divide": "/",
}  # fmt: skip
_LAYERS = {"+": "Add", "-": "Subtract", "*": "Multiply"}
_ONE: dict[str, Written] = {
    "nn.relu": ("Activation", {"activation": "relu"}), "nn.relu6": ("ReLU", {"max_value": 6.0}),
    "nn.softmax": ("Activation", {"activation": "softmax"}), "nn.sigmoid": ("Activation", {"activation": "sigmoid"}),
    "math.sigmoid": ("Activation", {"activation": "sigmoid"}), "math.tanh": ("Activation", {"activation": "tanh"}),
    "math.negative": ("Rescaling", {"scale": -1.0, "offset": 0.0}), "__operators__.neg": ("Rescaling", {"scale": -1.0, "offset": 0.0}),
    "math.exp": ("Activation", {"activation": "exponential"}), "nn.elu": ("Activation", {"activation": "elu"}),
    "Relu": ("Activation", {"activation": "relu"}), "Relu6": ("ReLU", {"max_value": 6.0}),
    "Sigmoid": ("Activation", {"activation": "sigmoid"}), "Tanh": ("Activation", {"activation": "tanh"}),
    "Negative": ("Rescaling", {"scale": -1.0, "offset": 0.0}), "Exp": ("Activation", {"activation": "exponential"}),
}  # fmt: skip
_REFERENCE = 3
_LARGEST = 1e30


def mend(draft: Draft) -> Iterator[Change]:
    """Put a layer in place of each operator that has one, where the copy is for the other line."""
    if draft.line is None or (draft.line == "keras-3") == (draft.target == "keras3"):
        return
    for prefix, model, layers in models_of(draft.config):
        for layer in layers if model["class_name"] != "Sequential" else ():
            before = shown({key: layer[key] for key in ("class_name", "config", "inbound_nodes") if key in layer})
            written = (
                _old(layer) if layer["class_name"] == "TFOpLambda" else _new(layer) if _is_operation(layer) else None
            )
            if written is not None:
                become(layer, written)
            elif layer["class_name"] in ("SlicingOpLambda", "GetItem"):
                written = _slice_new(layer) if layer["class_name"] == "SlicingOpLambda" else _slice_old(layer)
            if written is not None:
                yield Change(
                    Text("an operator that only one Keras reads becomes a layer", "只有一个 Keras 能读的运算换成层"),
                    f"{prefix}{name_of(layer)}",
                    before,
                    shown({"class_name": written[0], "config": written[1]}),
                )


def _is_operation(layer: Json) -> bool:
    """Keras 3's HDF5 names no module; an operation has no configuration but its name."""
    return str(layer.get("module", "keras.src.ops")).startswith("keras.src.ops") and set(layer["config"]) <= {"name"}


def _old(layer: Json) -> Written | None:
    """A TFOpLambda: its node is [tensor, call, index, arguments], the second operand stands in the arguments."""
    nodes, function = layer.get("inbound_nodes"), layer["config"].get("function")
    node = nodes[0] if isinstance(nodes, list) and len(nodes) == 1 else None
    call = node[0] if isinstance(node, list) and len(node) == 1 and isinstance(node[0], list) else node
    if not isinstance(call, list) or len(call) <= _REFERENCE or not isinstance(call[_REFERENCE], dict):
        return None
    given = {key: value for key, value in call[_REFERENCE].items() if value is not None and key != "name"}
    first = None if call[0] == "_CONSTANT_VALUE" else call[:_REFERENCE]
    if function in _ONE and not given and first:
        return _fed(layer, [first], _ONE[function])
    if function not in _SIGNS or set(given) != {"y"}:
        return None
    second = given["y"]
    if first is None:
        return _scaled(layer, _SIGNS[function], second, call[2], constant_first=True)
    if isinstance(second, list):
        return _paired(layer, _SIGNS[function], first, second)
    return _scaled(layer, _SIGNS[function], first, second, constant_first=False)


def _scaled(layer: Json, sign: str, source: Any, number: Any, *, constant_first: bool) -> Written | None:  # noqa: ANN401
    if not _is_reference(source) or type(number) not in (int, float) or not abs(number) <= _LARGEST:
        return None
    written = _affine(sign, float(number), constant_first=constant_first)
    return _fed(layer, [source], written) if written else None


def _paired(layer: Json, sign: str, first: list[Any], second: list[Any]) -> Written | None:
    if sign not in _LAYERS or not _is_reference(second):
        return None
    return _fed(layer, [first, second], (_LAYERS[sign], {}))


def _fed(layer: Json, sources: list[Any], written: Written) -> Written:
    layer["inbound_nodes"] = [[[*source[:_REFERENCE], {}] for source in sources]]
    return written


def _is_reference(value: Any) -> TypeGuard[list[Any]]:  # noqa: ANN401
    return isinstance(value, list) and len(value) >= _REFERENCE and isinstance(value[0], str) and value[0][:1] != "_"


def _affine(sign: str, number: float, *, constant_first: bool) -> Written | None:
    """Rescaling for x + c, x - c, c - x, x * c, x / c; there is none for c / x."""
    if sign == "/":
        return ("Rescaling", {"scale": 1 / number, "offset": 0.0}) if number and not constant_first else None
    if sign == "*":
        return "Rescaling", {"scale": number, "offset": 0.0}
    if sign == "-" and constant_first:
        return "Rescaling", {"scale": -1.0, "offset": number}
    return "Rescaling", {"scale": 1.0, "offset": number if sign == "+" else -number}


def _new(layer: Json) -> Written | None:
    """An operation of Keras 3: its node has the operands as arguments, tensors or numbers."""
    nodes = layer.get("inbound_nodes")
    node = nodes[0] if isinstance(nodes, list) and len(nodes) == 1 else None
    args = node.get("args") if isinstance(node, dict) and not node.get("kwargs") else None
    if not isinstance(node, dict) or not isinstance(args, list):
        return None
    tensors = [each for each in args if isinstance(each, dict) and each.get("class_name") == "__keras_tensor__"]
    name = layer["class_name"]
    if len(args) == 1 and tensors and name in _ONE:
        return _ONE[name]
    if len(args) != 2 or name not in _SIGNS:  # noqa: PLR2004
        return None
    sign = _SIGNS[name]
    if len(tensors) == len(args) and sign in _LAYERS:
        node["args"] = [tensors]
        return _LAYERS[sign], {}
    numbers = [each for each in args if type(each) in (int, float) and abs(each) <= _LARGEST]
    if len(tensors) != 1 or len(numbers) != 1:
        return None
    written = _affine(sign, float(numbers[0]), constant_first=args[0] is not tensors[0])
    node["args"] = tensors if written else args
    return written


def _slice_new(layer: Json) -> Written | None:
    """A slice x[a:b, c] of tf_keras as the operation of Keras 3."""
    nodes = layer.get("inbound_nodes")
    call: Any = nodes[0] if isinstance(nodes, list) and len(nodes) == 1 else None
    given = call[_REFERENCE] if _is_reference(call) and len(call) > _REFERENCE else None
    spec = given.get("slice_spec") if isinstance(given, dict) else None
    parts = [_bounds(each) for each in spec] if isinstance(spec, list) else [None]
    if any(each is None for each in parts):
        return None
    key = [each if type(each) is int else {"class_name": "__slice__", "config": each} for each in parts]
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None], "dtype": "float32", "keras_history": call[:3]},
    }
    layer["class_name"], layer["config"] = "GetItem", {"name": name_of(layer)}
    layer["inbound_nodes"] = [{"args": [tensor, key], "kwargs": {}}]
    return "GetItem", {"key": key}


def _slice_old(layer: Json) -> Written | None:
    """The same the other way."""
    nodes = layer.get("inbound_nodes")
    node = nodes[0] if isinstance(nodes, list) and len(nodes) == 1 else None
    args = node.get("args") if isinstance(node, dict) else None
    if not isinstance(args, list) or len(args) != 2:  # noqa: PLR2004
        return None
    history = args[0].get("config", {}).get("keras_history") if isinstance(args[0], dict) else None
    listed = args[1] if isinstance(args[1], list) else [args[1]]
    spec = [_bounds(each.get("config") if isinstance(each, dict) else each) for each in listed]
    if not _is_reference(history) or any(each is None for each in spec):
        return None
    config = {"name": name_of(layer), "trainable": True, "dtype": "float32", "function": "__operators__.getitem"}
    layer["class_name"], layer["config"] = "SlicingOpLambda", config
    layer["inbound_nodes"] = [[*history[:_REFERENCE], {"slice_spec": spec}]]
    return "SlicingOpLambda", {"slice_spec": spec}


def _bounds(part: Any) -> int | Json | None:  # noqa: ANN401
    """A number, or the bounds of a slice; None for what else stands in brackets (..., None, a tensor)."""
    if type(part) is int:
        return part
    if not isinstance(part, dict) or not set(part) <= {"start", "stop", "step"}:
        return None
    bounds = {key: part.get(key) for key in ("start", "stop", "step")}
    return bounds if all(each is None or type(each) is int for each in bounds.values()) else None


REPAIR = Repair(
    id="operators",
    promise=Text(
        "operators on tensors (x + 1, a * b) become layers that every Keras reads",
        "把张量运算（x + 1、a * b）换成各版 Keras 都能读的层",
    ),
    topics=("saved-in-keras2-loaded-in-keras3", "saved-in-keras3-loaded-in-keras2", "tensor-op-outside-layer"),
    mend=mend,
)
