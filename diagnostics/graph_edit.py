"""Changes to a model's configuration that repairs share: layers exchanged, put in behind another, a chain made a graph.

Both ways of writing a graph are kept: nodes as lists (Keras 1 and 2), and nodes of arguments (Keras 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from .model_file import Json
from .repair import layers_of

Written = tuple[str, Json]  # class name and configuration of a layer without its name
_MODELS = frozenset({"Sequential", "Functional", "Model"})
_KEEP_SHAPE = frozenset({
    "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "BatchNormalization", "LayerNormalization",
    "Rescaling", "GaussianNoise", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "UnitNormalization", "Masking",
    "Multiply",
})  # fmt: skip
_IMAGES = frozenset({
    "Conv2D", "SeparableConv2D", "DepthwiseConv2D", "Conv2DTranspose", "MaxPooling2D", "AveragePooling2D", "UpSampling2D",
    "ZeroPadding2D", "Cropping2D", "Resizing",
})  # fmt: skip
Shape = tuple[int | None, ...]


def models_of(config: Json) -> Iterator[tuple[str, Json, list[Json]]]:
    """Every model in a configuration with the path before its layers' names ("" or "inner/"), and its layers."""
    for path, model in list(layers_of(config)):
        inner = model.get("config")
        listed = inner.get("layers") if isinstance(inner, dict) else None
        if model.get("class_name") in _MODELS and isinstance(listed, list):
            sound = [each for each in listed if isinstance(each, dict) and isinstance(each.get("config"), dict)]
            yield (f"{path}/" if path else ""), model, sound


def name_of(layer: Json) -> str:
    """The name of a layer as it is written."""
    return str(layer.get("name") or layer["config"].get("name") or "")


def become(layer: Json, written: Written) -> None:
    """Make a layer one of another class, in its place and under its name."""
    old = layer["config"]
    kept = {key: old[key] for key in ("name", "trainable", "dtype", "batch_input_shape", "batch_shape") if key in old}
    layer["class_name"], layer["config"] = written[0], {**kept, **written[1]}
    if "module" in layer:
        layer["module"], layer["registered_name"] = "keras.layers", None
    layer.pop("build_config", None)
    for node in layer.get("inbound_nodes") or ():
        if isinstance(node, dict):  # Lambda is given masks, which other layers do not take as an argument
            node["kwargs"] = {}


def insert_behind(model: Json, layer: Json, written: Written) -> Json:
    """Put a layer between another and all that takes its outputs; the new layer as it is written."""
    inner, name = model["config"], name_of(layer)
    new: Json = {
        "class_name": written[0],
        "config": {"name": _free(inner, f"{name}_{written[0].lower()}"), **written[1]},
    }
    if isinstance(layer["config"].get("dtype"), str | dict):
        new["config"]["dtype"] = layer["config"]["dtype"]
    if "module" in layer:
        new |= {"module": "keras.layers", "registered_name": None}
    if model["class_name"] != "Sequential":
        found = [each for each in _references(inner) if each[0] == name]
        shape = next(
            (tensor for tensor in _tensors(inner) if tensor["config"].get("keras_history", [""])[0] == name), None
        )
        for reference in found:
            reference[0] = new["config"]["name"]
        calls = layer.get("inbound_nodes") or []
        nodes = [_node([(name, number, 0)], calls[number], shape) for number in range(len(calls))]
        new |= {"name": new["config"]["name"], "inbound_nodes": nodes}
    inner["layers"].insert(inner["layers"].index(layer) + 1, new)
    return new


def repeat_input(layer: Json, times: int) -> bool:
    """Let a layer of one input take that input several times, as Multiply does for a power; whether that could be done."""
    nodes = layer.get("inbound_nodes")
    made: list[Any] = []
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and isinstance(node.get("args"), list) and len(node["args"]) == 1:
            made.append({"args": [[node["args"][0]] * times], "kwargs": {}})
        elif isinstance(node, list) and len(node) == 1 and isinstance(node[0], list):
            made.append([[*node[0][:3], {}] for _ in range(times)])
        else:
            return False
    if made:
        layer["inbound_nodes"] = made
    return bool(made)


def as_functional(model: Json) -> bool:
    """Write a Sequential model as a graph of the same layers; False where its input shape or a nested model prevents it."""
    inner = model["config"]
    layers = inner.get("layers")
    if model["class_name"] != "Sequential" or not layers or any(each["class_name"] in _MODELS for each in layers):
        return False
    keras_3 = "module" in model and any("batch_shape" in each["config"] for each in layers[:1])
    if layers[0]["class_name"] != "InputLayer":
        shape = layers[0]["config"].pop("batch_input_shape", None)
        if not isinstance(shape, list):
            return False
        dtype = "int32" if layers[0]["class_name"] == "Embedding" else "float32"
        config = {"batch_input_shape": shape, "dtype": dtype, "name": f"{name_of(layers[0])}_input"}
        layers.insert(0, {"class_name": "InputLayer", "config": config})
    for number, layer in enumerate(layers):
        layer["name"] = name_of(layer)
        before = [(name_of(layers[number - 1]), 0, 0)]
        layer["inbound_nodes"] = [_node(before, {} if keras_3 else [], None)] if number else []
    first, last = [name_of(layers[0]), 0, 0], [name_of(layers[-1]), 0, 0]
    inner.update(input_layers=[first], output_layers=[last])
    inner.pop("build_input_shape", None)
    model["class_name"] = "Functional"
    if "module" in model:
        model["module"] = "keras.src.models.functional" if keras_3 else model["module"]
    model.pop("build_config", None)
    return True


def input_shape(model: Json, layer: Json, depth: int = 0) -> Shape | None:
    """The shape that a layer takes, batch included, as far as the configuration tells; None where it does not."""
    own = layer["config"].get("batch_input_shape", layer["config"].get("batch_shape"))
    if isinstance(own, list):
        return tuple(own) if all(n is None or type(n) is int for n in own) else None
    tensors = list(_tensors(layer.get("inbound_nodes")))
    shape = tensors[0]["config"].get("shape") if len(tensors) == 1 else None
    if isinstance(shape, list) and len(shape) > 1 and all(n is None or type(n) is int for n in shape):
        return tuple(shape)
    layers = [
        each for each in model["config"]["layers"] if isinstance(each, dict) and isinstance(each.get("config"), dict)
    ]
    if model["class_name"] == "Sequential":
        place = layers.index(layer)
        before = layers[place - 1] if place else None
    else:
        names = {each[0] for each in _references({"layers": [layer]})}
        before = next((each for each in layers if {name_of(each)} == names), None)
    return _output_shape(model, before, depth + 1) if before is not None and depth < 200 else None  # noqa: PLR2004


def _output_shape(model: Json, layer: Json, depth: int) -> Shape | None:
    kind, config = layer["class_name"], layer["config"]
    taken = input_shape(model, layer, depth)
    if kind in ("InputLayer", *_KEEP_SHAPE):
        return taken
    of_images = config.get("data_format") != "channels_first"
    if kind in _IMAGES:
        channels = config.get("filters") if kind in ("Conv2D", "SeparableConv2D", "Conv2DTranspose") else None
        return (None, None, None, channels) if of_images else (None,) * 4
    rule = _RULES.get(kind, _RULES["Global"] if kind.startswith("Global") else None)
    return rule(config, taken) if rule and (of_images or not kind.startswith("Global")) else None


def _recurrent(config: Json, taken: Shape | None) -> Shape:
    steps = (taken[1] if taken and len(taken) > 1 else None,) if config.get("return_sequences") else ()
    return (None, *steps, config.get("units"))


def _flat(_: Json, taken: Shape | None) -> Shape:
    sizes = taken[1:] if taken else (None,)
    return None, None if None in sizes else prod(n for n in sizes if n is not None)


def _reshaped(config: Json, _: Shape | None) -> Shape | None:
    target = config.get("target_shape")
    return (None, *(None if n == -1 else n for n in target)) if isinstance(target, list) else None


def _pooled(config: Json, taken: Shape | None) -> Shape | None:
    """Global pooling: the window goes, or is left with length 1."""
    if not taken:
        return None
    return (None, *((1,) * (len(taken) - 2) if config.get("keepdims") else ()), taken[-1])


_RULES: dict[str, Callable[[Json, Shape | None], Shape | None]] = {
    "Dense": lambda config, taken: (*taken[:-1], config.get("units")) if taken else None,
    "Embedding": lambda config, taken: (*(taken or (None, None)), config.get("output_dim")),
    "Conv1D": lambda config, _: (None, None, config.get("filters")),
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "SimpleRNN": _recurrent,
    "Flatten": _flat,
    "Reshape": _reshaped,
    "Global": _pooled,
}


def _free(inner: Json, wanted: str) -> str:
    taken = {
        name_of(each) for each in inner["layers"] if isinstance(each, dict) and isinstance(each.get("config"), dict)
    }
    name, number = wanted, 1
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _node(sources: list[tuple[str, int, int]], like: Any, shape: Json | None) -> Any:  # noqa: ANN401 - JSON of two forms
    """A call on tensors, in the form of another call."""
    if not isinstance(like, dict):
        return [[*source, {}] for source in sources]
    known = (shape or {}).get("config", {})
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": known.get("shape", [None]), "dtype": known.get("dtype", "float32"), "keras_history": list(source),
            },
        }
        for source in sources
    ]  # fmt: skip
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": {}}


def _tensors(value: Any, depth: int = 0) -> Iterator[Json]:  # noqa: ANN401 - JSON of any shape
    """Every tensor as Keras 3 writes it."""
    if (
        isinstance(value, dict)
        and value.get("class_name") == "__keras_tensor__"
        and isinstance(value.get("config"), dict)
    ):
        if isinstance(value["config"].get("keras_history"), list) and value["config"]["keras_history"]:
            yield value
    elif isinstance(value, dict | list) and depth < 12:  # noqa: PLR2004 - layers, nodes, arguments, lists
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part, depth + 1)


def _references(inner: Any) -> Iterator[list[Any]]:  # noqa: ANN401
    """Every [layer, call, tensor, ...] of a model's own nodes and ends, to be changed in place."""
    parts = [each.get("inbound_nodes") for each in inner.get("layers", ()) if isinstance(each, dict)]
    for part in (*parts, inner.get("output_layers")):
        yield from _listed(part, 0)


def _listed(value: Any, depth: int) -> Iterator[list[Any]]:  # noqa: ANN401
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int:  # noqa: PLR2004
        yield value
    if isinstance(value, dict | list) and depth < 12:  # noqa: PLR2004
        for part in value.values() if isinstance(value, dict) else value:
            yield from _listed(part, depth + 1)
