"""A configuration of Keras 2 in the form that Keras 3 reads."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shift_calls_of_models, shown

_CLASSES = {"Model": "Functional"}
_MODULES = {"Functional": "keras.src.models.functional", "Sequential": "keras", "GetItem": "keras.src.ops.numpy"}
_PASSED_ON = ("module", "registered_name", "build_config", "compile_config", "shared_object_id")
# Arguments that Keras 3 no longer takes and that changed nothing in what is computed, by the beginning of the class ("" for any
# layer). Found by comparing the signatures of tf_keras 2.21 and Keras 3.15; see https://keras.io/guides/migrating_to_keras_3/
_RECURRENT = ("implementation", "time_major")
_GONE: dict[str, tuple[str, ...]] = {
    "": ("batch_input_shape", "input_dtype", "ragged_input"),
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "ConvLSTM": _RECURRENT,
    "RNN": ("time_major",),
    "Embedding": ("input_length", "sparse"),
    "DepthwiseConv": ("groups", "filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "SeparableConv": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Conv1DTranspose": ("groups",),
    "Conv2DTranspose": ("groups",),
    "Conv3DTranspose": ("groups",),
    "BatchNormalization": ("fused", "virtual_batch_size", "adjustment"),
    "MultiHeadAttention": ("softmax_robust_masking", "query_shape", "key_shape", "value_shape"),
    "Softmax": ("robust_masking",),
    "SpatialDropout": ("noise_shape", "trainable"),
    "Random": ("rng_type",),
    "Gaussian": ("rng_type",),
    "AlphaDropout": ("rng_type",),
    "Dropout": ("rng_type",),
    "Discretization": ("trainable",),
    "Lambda": ("function_type", "module", "output_shape_type", "output_shape_module"),
}
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}


def mend(draft: Draft) -> Iterator[Change]:
    """Rewrite each layer that Keras 3 would not take as it is."""
    if draft.line == "keras-3":
        return
    yield from _input(draft.config)
    if shift_calls_of_models(draft.config, -1):
        yield Change(
            Text(
                "calls of nested models are numbered as Keras 3 numbers them",
                "嵌套模型的调用按 Keras 3 的方式编号",
            ),
            "",
        )
    for path, layer in layers_of(draft.config):
        if isinstance(layer.get("config"), dict):
            before = _told(layer)
            _rewrite(layer)
            yield from _changed(path, before, _told(layer))


def _rewrite(layer: Json) -> None:
    layer["class_name"] = _CLASSES.get(layer["class_name"], layer["class_name"])
    _layer(layer["class_name"], layer["config"])
    _ends(layer, layer["config"])
    for key in _PASSED_ON:
        layer.pop(key, None)
    if layer["class_name"] != "TFOpLambda":
        layer |= {"module": _MODULES.get(layer["class_name"], "keras.layers")}
        layer["registered_name"] = None


def _changed(path: str, before: Json, after: Json) -> Iterator[Change]:
    if before != after:
        gone = {key: value for key, value in before.items() if key not in after or after[key] != value}
        new = {key: value for key, value in after.items() if key not in before or before[key] != value}
        rewritten = Text("rewritten in the form that Keras 3 reads", "改写成 Keras 3 能读的形式")
        yield Change(rewritten, path, shown(gone), shown(new))


def _told(layer: Json) -> Json:
    """What of a layer a change shows."""
    config = {key: value for key, value in layer["config"].items() if key not in ("layers", "layer", "backward_layer")}
    nodes = {"inbound_nodes": layer["inbound_nodes"]} if "inbound_nodes" in layer else {}
    return copy.deepcopy({"class_name": layer["class_name"], **config, **nodes})


def _ends(layer: Json, config: Json) -> None:
    """One input or output is itself, not a list of one; the states that a recurrent layer starts from have an argument."""
    for key in ("input_layers", "output_layers"):
        ends = config.get(key)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            config[key] = ends[0]
    nodes = layer.get("inbound_nodes")
    if layer["class_name"] in ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional") and isinstance(nodes, list):
        layer["inbound_nodes"] = [_with_states(node) for node in nodes]
    elif isinstance(nodes, list):
        layer["inbound_nodes"] = [_with_tensors(node) for node in nodes]


def _with_states(node: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(node, list) or len(node) < 2 or not all(_is_reference(each) for each in node):  # noqa: PLR2004
        return _with_tensors(node)
    return {"args": [_tensor(node[0])], "kwargs": {"initial_state": [_tensor(each) for each in node[1:]]}}


def _with_tensors(node: Any) -> Any:  # noqa: ANN401
    """Tensors among the keyword arguments are only read in the form that Keras 3 writes."""
    if not isinstance(node, list) or not node or not all(_is_reference(each) for each in node):
        return node
    keywords = next((each[3] for each in node if len(each) > 3 and each[3]), None)  # noqa: PLR2004
    if not isinstance(keywords, dict) or not any(_holds_reference(value) for value in keywords.values()):
        return node
    first = [_tensor(each) for each in node]
    given = {key: _with_references(value) for key, value in keywords.items() if value is not None}
    return {"args": first if len(first) == 1 else [first], "kwargs": given}


def _holds_reference(value: Any) -> bool:  # noqa: ANN401
    return _is_reference(value) or (
        isinstance(value, list) and bool(value) and all(_is_reference(each) for each in value)
    )


def _with_references(value: Any) -> Any:  # noqa: ANN401
    if _is_reference(value):
        return _tensor(value)
    return [_tensor(each) for each in value] if _holds_reference(value) else value


def _is_reference(value: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and type(value[1]) is int
        and type(value[2]) is int
    )


def _tensor(reference: list[Any]) -> Json:
    """A tensor as Keras 3 writes it; its shape is not read where its history says whose it is."""
    told = {"shape": [None], "dtype": "float32", "keras_history": reference[:3]}
    return {"class_name": "__keras_tensor__", "config": told}


def _input(config: Json) -> Iterator[Change]:
    """Sequential models of Keras 2 have their input shape in the first layer; Keras 3 has a layer for it."""
    for path, model in layers_of(config):
        layers = model["config"].get("layers") if isinstance(model.get("config"), dict) else None
        if model.get("class_name") != "Sequential" or not isinstance(layers, list) or not layers:
            continue
        first = layers[0].get("config") if isinstance(layers[0], dict) else None
        shape = first.get("batch_input_shape") if isinstance(first, dict) else None
        if not isinstance(shape, list) or not isinstance(first, dict) or layers[0].get("class_name") == "InputLayer":
            continue
        dtype = "int32" if layers[0].get("class_name") == "Embedding" else first.get("dtype")
        name = f"{first.get('name', 'first')}_input"
        inserted = {"batch_shape": shape, "dtype": dtype if isinstance(dtype, str) else "float32", "name": name}
        layers.insert(0, {"class_name": "InputLayer", "config": inserted})
        yield Change(
            Text("the input shape becomes a layer of its own", "输入形状单独成为一层"),
            path,
            shown({"batch_input_shape": shape}),
            shown(inserted),
        )


def _layer(class_name: str, config: Json) -> None:
    if class_name == "InputLayer":
        if "batch_input_shape" in config:
            config["batch_shape"] = config.pop("batch_input_shape")
        config.pop("ragged", None)
    for start, keys in _GONE.items():
        for key in keys if class_name.startswith(start) else ():
            config.pop(key, None)
    for (owner, old), new in _RENAMED.items():
        if owner == class_name and old in config:
            config[new] = config.pop(old)
    function = config.get("function")
    if class_name == "Lambda" and isinstance(function, list) and len(function) == 3:  # noqa: PLR2004 - as func_dump gives it
        told = dict(zip(("code", "defaults", "closure"), function, strict=True))
        config["function"] = {"class_name": "__lambda__", "config": told}
    for cell in _cells(config):
        _layer(str(cell.get("class_name")), cell["config"])
        cell.setdefault("module", "keras.layers")
    for key, value in list(config.items()):
        config[key] = _plain(key, value)


def _cells(config: Json) -> Iterator[Json]:
    """The cells of an RNN, one or several in a list or in StackedRNNCells."""
    listed = config.get("cells") if isinstance(config.get("cells"), list) else [config.get("cell")]
    for cell in listed or ():
        if isinstance(cell, dict) and isinstance(cell.get("config"), dict):
            yield cell


def _plain(key: str, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """One argument: a dtype policy by its name, an axis as a number, an initializer without its dtype."""
    if not isinstance(value, dict):
        return value[0] if key == "axis" and isinstance(value, list) and len(value) == 1 else value
    inner = value.get("config")
    if key == "dtype" and isinstance(inner, dict) and isinstance(inner.get("name"), str):
        return inner["name"]
    if key == "axis" and isinstance(value.get("items"), list):  # tracking data structures of TensorFlow 2.0 to 2.3
        return value["items"]
    if key.endswith("_initializer") and isinstance(inner, dict):
        inner.pop("dtype", None)
    return value


REPAIR = Repair(
    id="keras3-format",
    promise=Text(
        "a model of Keras 1 or 2 in the form that Keras 3 reads", "把 Keras 1 或 2 的模型改写成 Keras 3 能读的形式"
    ),
    topics=("saved-in-keras2-loaded-in-keras3", "argument-not-in-this-version"),
    mend=mend,
    stage="write",
    targets=("keras3",),
)
