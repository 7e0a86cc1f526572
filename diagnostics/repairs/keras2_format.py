"""A configuration of Keras 3 in the form that Keras 2 (tf_keras) reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shift_calls_of_sequentials, shown

# Arguments that came with Keras 3 and that Keras 2 refuses; at these values they change nothing.
_NEW: dict[str, Any] = {
    "quantization_config": None, "lora_rank": None, "lora_alpha": None, "optional": False, "gate": None, "seed": None,
    "zero_output_for_mask": False, "synchronized": False, "use_cudnn": "auto", "rms_scaling": False, "flash_attention": None,
    "value_range": None, "autocast": True,
}  # fmt: skip
_ALSO_OLD = {
    "Dropout": ("seed",),
    "SpatialDropout1D": (),
    "Bidirectional": (),
    "GaussianDropout": (),
    "RNN": ("zero_output_for_mask",),
}
_RENAMED = {("LeakyReLU", "negative_slope"): "alpha"}


def mend(draft: Draft) -> Iterator[Change]:
    """Rewrite each layer as Keras 2 writes it."""
    if draft.line != "keras-3":
        return
    if shift_calls_of_sequentials(draft.config, 1):
        yield Change(
            Text(
                "calls of nested Sequential models are numbered as Keras 2 numbers them",
                "嵌套 Sequential 模型的调用按 Keras 2 的方式编号",
            ),
            "",
        )
    for path, layer in layers_of(draft.config):
        config = layer.get("config")
        if not isinstance(config, dict):
            continue
        before = (
            shown(layer)
            if "layers" not in config
            else shown({"class_name": layer["class_name"], "module": layer.get("module")})
        )
        changed = _layer(layer, config)
        if changed:
            after = shown(layer) if "layers" not in config else shown({"class_name": layer["class_name"]})
            yield Change(Text("rewritten as Keras 2 writes it", "改写成 Keras 2 的写法"), path, before, after)


def _layer(layer: Json, config: Json) -> bool:
    changed = any(
        layer.pop(key, None) is not None for key in ("module", "registered_name", "build_config", "compile_config")
    )
    class_name = layer["class_name"]
    if "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
        changed = True
    for key, value in list(config.items()):
        if key in _NEW and value == _NEW[key] and key not in _ALSO_OLD.get(class_name, ()):
            del config[key]
            changed = True
        elif (class_name, key) in _RENAMED:
            config[_RENAMED[class_name, key]] = config.pop(key)
            changed = True
        elif key not in ("layers", "layer", "backward_layer"):
            config[key] = _plain(key, value)
            changed |= config[key] != value
    for key in ("input_layers", "output_layers"):
        if isinstance(config.get(key), list) and len(config[key]) == 3 and isinstance(config[key][0], str):  # noqa: PLR2004
            config[key] = [config[key]]
            changed = True
    if isinstance(layer.get("inbound_nodes"), list):
        nodes = [_node(node) for node in layer["inbound_nodes"]]
        changed |= nodes != layer["inbound_nodes"]
        layer["inbound_nodes"] = nodes
    return changed


def _plain(key: str, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """An object as Keras 3 registers it, as class name and configuration; a dtype policy by its name."""
    if isinstance(value, list):
        return [_plain(key, each) for each in value]
    if not isinstance(value, dict):
        return value
    inner = value.get("config")
    if key == "dtype" and isinstance(inner, dict) and isinstance(inner.get("name"), str):
        return inner["name"]
    if value.get("class_name") == "function" and isinstance(inner, str):
        return inner
    if "class_name" in value and isinstance(inner, dict):
        return {
            "class_name": value["class_name"],
            "config": {k: _plain(k, v) for k, v in inner.items() if k != "dtype"},
        }
    return value


def _node(node: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """An inbound node: Keras 3 writes arguments, Keras 2 a list of [layer, node, tensor, arguments]."""
    if not isinstance(node, dict) or not isinstance(node.get("args"), list):
        return node
    keywords = {
        key: value for key, value in (node.get("kwargs") or {}).items() if value is not None and key != "training"
    }
    references = list(_references(node["args"]))
    return [[*reference, keywords if i == 0 else {}] for i, reference in enumerate(references)]


def _references(value: Any, depth: int = 0) -> Iterator[list[Any]]:  # noqa: ANN401
    if (
        isinstance(value, dict)
        and value.get("class_name") == "__keras_tensor__"
        and isinstance(value.get("config"), dict)
    ):
        history = value["config"].get("keras_history")
        if isinstance(history, list):
            yield list(history[:3])
    elif isinstance(value, list) and depth < 5:  # noqa: PLR2004 - arguments are lists of lists at most
        for each in value:
            yield from _references(each, depth + 1)


REPAIR = Repair(
    id="keras2-format",
    promise=Text(
        "a model of Keras 3 in the form that Keras 2 and tf_keras read",
        "把 Keras 3 的模型改写成 Keras 2 和 tf_keras 能读的形式",
    ),
    topics=("saved-in-keras3-loaded-in-keras2", "argument-not-in-this-version"),
    mend=mend,
    stage="write",
    targets=("keras2",),
)
