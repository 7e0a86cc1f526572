"""Layer arguments of Keras 1, and the Sequential written as a list (before Keras 2.2.3), under the names of Keras 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shown

# keras/legacy/interfaces.py of Keras 2.2.4 holds these pairs; Keras 1 wrote the left ones.
_RENAMED = {
    "output_dim": "units",
    "nb_filter": "filters",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "stride": "strides",
    "pool_length": "pool_size",
    "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate",
    "dim_ordering": "data_format",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "p": "rate",
    "sigma": "stddev",
    "length": "size",
    "input_dtype": "dtype",
}
_EMBEDDING = {
    "init": "embeddings_initializer",
    "W_regularizer": "embeddings_regularizer",
    "W_constraint": "embeddings_constraint",
}
_CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
}
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
_ORDERS = {"tf": "channels_last", "th": "channels_first"}
# What has no counterpart: ways of computing, and sizes that the weights repeat.
_GONE = (
    "consume_less",
    "forget_bias_init",
    "input_length",
    "nb_row",
    "nb_col",
    "kernel_dim1",
    "kernel_dim2",
    "kernel_dim3",
)
_MARKS = frozenset(
    {"nb_filter", "border_mode", "W_regularizer", "inner_init", "dim_ordering", "input_dtype", "W_constraint"}
)
_DROPOUTS = frozenset({"Dropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"})


def mend(draft: Draft) -> Iterator[Change]:
    """Rename what Keras 1 wrote; wrap a bare list of layers."""
    if isinstance(draft.config.get("config"), list):
        draft.config["config"] = {"name": "sequential", "layers": draft.config["config"]}
        yield Change(
            Text(
                "the list of layers goes into a configuration with a name, as Keras has it since 2.2.3",
                "把层的列表放进带名字的配置里（Keras 2.2.3 起的写法）",
            ),
            "",
            shown("[layer, ...]"),
            shown('{"name": "sequential", "layers": [layer, ...]}'),
        )
    for path, layer in layers_of(draft.config):
        config = layer.get("config")
        if isinstance(config, dict) and _is_keras_1(layer["class_name"], config):
            yield _renamed(path, layer, config)
        if isinstance(config, dict) and layer["class_name"] == "GRU" and "reset_after" not in config:
            config["reset_after"] = False
            yield Change(
                Text(
                    "this GRU resets before the multiplication, the only form before Keras 2.2 and no longer the default",
                    "这个 GRU 在矩阵乘法之前重置：Keras 2.2 之前只有这种形式，如今已不是默认值",
                ),
                path,
                "",
                '{"reset_after": false}',
            )


def _is_keras_1(class_name: str, config: Json) -> bool:
    if class_name in _CLASSES or _MARKS & config.keys():
        return True
    return class_name in _DROPOUTS and "p" in config


def _renamed(path: str, layer: Json, config: Json) -> Change:
    before = {key: config[key] for key in config if key in _RENAMED or key in _GONE}
    names = {**_RENAMED, **_EMBEDDING, "output_dim": "output_dim"} if layer["class_name"] == "Embedding" else _RENAMED
    changed: Json = {}
    _sizes(config, changed)
    for old, new in names.items():
        if old in config and old != new:
            changed[new] = _value(old, config.pop(old))
    if config.get("forget_bias_init") is not None:
        changed["unit_forget_bias"] = config["forget_bias_init"] == "one"
    if layer["class_name"] in _RECURRENT or not layer["class_name"].startswith("Embedding"):
        config.pop("input_dim", None)
    for key in _GONE:
        config.pop(key, None)
    config.update({key: value for key, value in changed.items() if value is not None})
    layer["class_name"] = _CLASSES.get(layer["class_name"], layer["class_name"])
    return Change(
        Text("arguments of Keras 1 get the names of Keras 2", "把 Keras 1 的参数名换成 Keras 2 的"),
        path,
        shown(before),
        shown(changed),
    )


def _sizes(config: Json, changed: Json) -> None:
    """The kernel's sizes stood in arguments of their own."""
    for keys in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if all(isinstance(config.get(key), int) for key in keys):
            changed["kernel_size"] = [config[key] for key in keys]


def _value(old: str, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    return _ORDERS.get(value) if old == "dim_ordering" else value


REPAIR = Repair(
    id="keras1-arguments",
    promise=Text(
        "layer arguments of Keras 1 get the names that Keras has used since 2.0",
        "把 Keras 1 的层参数改成 Keras 2.0 以后的名字",
    ),
    topics=("legacy-argument-names", "saved-in-keras2-loaded-in-keras3"),
    mend=mend,
    stage="read",
)
