"""A Sequential model saved without an input shape gets the one that its first kernel tells."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..repair import Change, Draft, Repair, shown

_KEEPS_FEATURES = frozenset({"Flatten", "Dropout", "Activation", "ReLU", "LeakyReLU", "BatchNormalization"})


def mend(draft: Draft) -> Iterator[Change]:
    """Put an InputLayer before the first layer, where a Dense comes first or behind layers that keep the number of features."""
    inner = draft.config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if draft.config.get("class_name") != "Sequential" or not isinstance(layers, list):
        return
    if any(_has_shape(layer) for layer in layers[:1]) or "build_input_shape" in (inner or {}):
        return
    for layer in layers:
        name = (
            layer["config"].get("name") if isinstance(layer, dict) and isinstance(layer.get("config"), dict) else None
        )
        stored = draft.weights.get(str(name), [])
        if isinstance(layer, dict) and layer.get("class_name") == "Dense" and stored:
            key = "batch_input_shape" if draft.line != "keras-3" else "batch_shape"
            inserted = {key: [None, int(stored[0].shape[0])], "dtype": "float32", "name": "features"}
            layers.insert(0, {"class_name": "InputLayer", "config": inserted})
            yield Change(
                Text(
                    f"the file has no input shape; the kernel of '{name}' takes {stored[0].shape[0]} features, so that is what the "
                    "copy takes: give it flat vectors",
                    f"文件里没有输入形状；'{name}' 的核接收 {stored[0].shape[0]} 个特征，副本就按这个来：请输入展平的向量",
                ),
                "",
                "",
                shown(inserted),
            )
            return
        if not isinstance(layer, dict) or layer.get("class_name") not in _KEEPS_FEATURES or stored:
            return


def _has_shape(layer: object) -> bool:
    config = layer.get("config") if isinstance(layer, dict) else None
    return not isinstance(config, dict) or bool({"batch_input_shape", "batch_shape", "input_shape"} & config.keys())


REPAIR = Repair(
    id="input-shape",
    promise=Text("a Sequential model without an input shape gets one", "给没有输入形状的 Sequential 模型补上输入形状"),
    topics=("layer-not-built",),
    mend=mend,
    stage="read",
)
