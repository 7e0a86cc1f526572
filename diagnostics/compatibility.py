"""Which Kerases can read a file, told by its configuration alone.

Each row was seen: models saved by tf_keras 2.21, Keras 2.15, 2.12 and TensorFlow 2.4 were loaded in Keras 3.15 and 3.0, and the
other way round. The words of the error each stands for are in knowledge/entries/saved-in-keras*-loaded-in-keras*.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .model_file import ModelFile

MAX_VALUES = 500_000
# Keras 3 has no `groups` in these, nor the kernel arguments that a SeparableConv writes in Keras 2.
_NO_GROUPS = frozenset({
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
    "SeparableConv2D",
})  # fmt: skip
_NO_KERAS_3 = frozenset({
    "ClassMethod", "CuDNNGRU", "CuDNNLSTM", "InstanceMethod", "InstanceProperty", "SlicingOpLambda", "TFOpLambda",
    "TensorFlowOpLayer",
})  # fmt: skip
# tf.keras of TensorFlow 1 and 2.0 wrote a `dtype` into these (2.2.4-tf), which Keras 3 refuses.
_INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "LecunNormal", "LecunUniform", "Ones",
    "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
})  # fmt: skip
_KEYS_OF_KERAS_2 = {"time_major": "time_major", "query_shape": "query_shape", "rng_type": "rng_type"}


@dataclass(frozen=True)
class Block:
    """What one layer of the file has that a Keras does not know."""

    layer: str
    what: str


def blocks_keras_3(model: ModelFile) -> list[Block]:
    """What stops Keras 3 from loading a Keras 2 file: options, classes and policies that it no longer has."""
    found: dict[Block, None] = {}
    if model.config and isinstance(model.config.get("config"), list):  # a Sequential of before Keras 2.2.3
        found[Block("", "a Sequential written as a list")] = None
    for name, written in _objects(model.config):
        class_name, config = written["class_name"], written["config"]
        for what in _of_keras_2(class_name, config, written.get("module"), model):
            found[Block(name, what)] = None
    return list(found)


def _of_keras_2(class_name: str, config: dict[str, Any], module: object, model: ModelFile) -> Iterator[str]:
    if class_name in _NO_KERAS_3:
        yield class_name
    if class_name in _NO_GROUPS and "groups" in config:
        yield f"{class_name}.groups"
    if class_name in _INITIALIZERS and "dtype" in config:
        yield "initializer dtype"
    for key, what in _KEYS_OF_KERAS_2.items():
        if key in config:
            yield what
    dtype = config.get("dtype")
    if isinstance(dtype, dict) and dtype.get("class_name") == "Policy":
        yield "dtype Policy"
    if model.container == "keras zip":
        if "batch_input_shape" in config and class_name != "InputLayer":
            yield "batch_input_shape"
        if class_name == "Functional":
            yield f"{module}.Functional" if isinstance(module, str) else "Functional"


def blocks_keras_2(model: ModelFile) -> list[Block]:
    """What stops Keras 2 and tf_keras from loading a Keras 3 file: module paths, policies and options of Keras 3."""
    found: dict[Block, None] = {}
    for name, written in _objects(model.config):
        config, dtype = written["config"], written["config"].get("dtype")
        if "batch_shape" in config:
            found[Block(name, "batch_shape")] = None
        if isinstance(dtype, dict) and dtype.get("class_name") == "DTypePolicy":
            found[Block(name, "DTypePolicy")] = None
        if "quantization_config" in config:
            found[Block(name, "quantization_config")] = None
        if str(written.get("module")).startswith("keras.src.models"):
            found[Block(name, str(written["module"])[:80])] = None
    return list(found)


def blocks_compile(model: ModelFile) -> str | None:
    """What of the training configuration stops Keras 3 on an HDF5 file that loads with compile=False; None where nothing does.

    `mse` as a loss is looked up among functions that Keras 3 no longer registers by that name, whichever Keras wrote the
    file; a loss object of Keras 2 has arguments that Keras 3 refuses.
    """
    if model.container != "HDF5" or model.compiled is None:
        return None
    loss = model.compiled.get("loss")
    if loss == "mse":
        return "loss 'mse'"
    config = loss.get("config") if isinstance(loss, dict) else None
    if model.line != "keras-3" and isinstance(config, dict) and "fn" in config:
        return "the loss object"
    return None


def _objects(config: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every dict with a class and a configuration, and the name of the layer that it is or is in."""
    todo: list[tuple[Any, str]] = [(config, "")]
    seen = 0
    while todo and seen < MAX_VALUES:
        value, name = todo.pop()
        seen += 1
        if isinstance(value, list):
            todo += [(part, name) for part in reversed(value) if isinstance(part, list | dict)]
        elif isinstance(value, dict):
            inner = value.get("config")
            if isinstance(value.get("class_name"), str) and isinstance(inner, dict):
                own = value.get("name") or inner.get("name")
                name = own if isinstance(own, str) else name
                yield name, value
            todo += [(part, name) for part in value.values() if isinstance(part, list | dict)]
