"""A configuration of Keras 2 in the form that Keras 3 reads."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shift_calls_of_sequentials, shown

_CLASSES = {"Model": "Functional", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
# Arguments that Keras 3 no longer takes and that changed nothing in what is computed, by class ("" for any layer).
# Found by giving each layer of tf_keras 2.21 to Keras 3.15; see https://keras.io/guides/migrating_to_keras_3/
_GONE: dict[str, tuple[str, ...]] = {
    "": ("batch_input_shape", "input_dtype", "ragged_input"),
    "LSTM": ("implementation", "time_major"),
    "GRU": ("implementation", "time_major"),
    "SimpleRNN": ("implementation", "time_major"),
    "RNN": ("time_major",),
    "Embedding": ("input_length",),
    "DepthwiseConv2D": ("groups",),
    "BatchNormalization": ("fused", "renorm", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "adjustment"),
}
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
_POOLING = ("GlobalAveragePooling", "GlobalMaxPooling")


def mend(draft: Draft) -> Iterator[Change]:
    """Rewrite each layer that Keras 3 would not take as it is."""
    if draft.line == "keras-3":
        return
    yield from _input(draft.config)
    if shift_calls_of_sequentials(draft.config, -1):
        yield Change(
            Text(
                "calls of nested Sequential models are numbered as Keras 3 numbers them",
                "嵌套 Sequential 模型的调用按 Keras 3 的方式编号",
            ),
            "",
        )
    for path, layer in layers_of(draft.config):
        config = layer.get("config")
        if not isinstance(config, dict):
            continue
        before, old_class = copy.deepcopy({k: v for k, v in config.items() if k != "layers"}), layer["class_name"]
        layer["class_name"] = _CLASSES.get(old_class, old_class)
        _layer(old_class, config)
        changed = {key for key in before.keys() | (config.keys() - {"layers"}) if before.get(key) != config.get(key)}
        if changed or layer["class_name"] != old_class:
            yield Change(
                Text("rewritten in the form that Keras 3 reads", "改写成 Keras 3 能读的形式"),
                path,
                shown({"class_name": old_class, **{key: before[key] for key in sorted(changed & before.keys())}}),
                shown(
                    {"class_name": layer["class_name"], **{key: config[key] for key in sorted(changed & config.keys())}}
                ),
            )


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
    for key in (*_GONE[""], *_GONE.get(class_name, ())):
        config.pop(key, None)
    for (owner, old), new in _RENAMED.items():
        if owner == class_name and old in config:
            config[new] = config.pop(old)
    if class_name in ("CuDNNLSTM", "CuDNNGRU"):
        config.update(recurrent_activation="sigmoid", **({"reset_after": True} if class_name == "CuDNNGRU" else {}))
    if class_name == "GRU":
        config.setdefault("reset_after", False)  # Keras before 2.2 had no other form and did not write it
    for key, value in list(config.items()):
        config[key] = _plain(key, value)


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
