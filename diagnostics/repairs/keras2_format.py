"""A configuration of Keras 3 in the form that Keras 2 (tf_keras) reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shift_calls_of_models, shown

# Arguments that came with Keras 3 and that Keras 2 refuses; at these values they change nothing.
_NEW: dict[str, Any] = {
    "quantization_config": None, "lora_rank": None, "lora_alpha": None, "optional": False, "gate": None, "seed": None,
    "zero_output_for_mask": False, "synchronized": False, "use_cudnn": "auto", "rms_scaling": False, "flash_attention": None,
    "value_range": None, "autocast": True, "use_gate": False, "sliding_window": None, "antialias": False, "fill_mode": "constant",
    "fill_value": 0.0, "pad_to_aspect_ratio": False, "bounding_box_format": None, "pool_dimensions": None,
    "gptq_unpacked_column_size": None, "oov_method": None, "salt": None, "score_mode": "dot", "weights": None,
}  # fmt: skip
# The arguments of Keras 2, by the beginning of the class.
_ALSO_OLD: dict[str, tuple[str, ...]] = {
    "Dropout": ("seed",),
    "Gaussian": ("seed",),
    "AlphaDropout": ("seed",),
    "Random": ("seed", "value_range", "fill_mode", "fill_value"),
    "RandomContrast": ("seed",),
    "Hashing": ("salt",),
    "Attention": ("score_mode",),
}
# Of one of these a Keras 2 layer knows nothing whatever the value.
_ALWAYS: dict[str, tuple[str, ...]] = {
    "Random": ("data_format", "bounding_box_format"),
    "Resizing": ("data_format", "antialias", "fill_mode", "fill_value", "pad_to_aspect_ratio", "bounding_box_format"),
    "CenterCrop": ("data_format", "bounding_box_format"),
    "ZeroPadding1D": ("data_format",),
    "Permute": ("data_format",),
    "UpSampling1D": ("data_format",),
    "RandomContrast": ("value_range",),
    "IntegerLookup": ("oov_method", "salt"),
    "StringLookup": ("oov_method", "salt"),
    "TextVectorization": ("oov_method", "salt"),
}
_OBJECTS = ("dtype", "input_axes", "output_axes")  # of initializers
# Positional arguments that are tensors, in the order of `call`.
_CALLS = {"MultiHeadAttention": ("query", "value", "key"), "GroupQueryAttention": ("query", "value", "key")}
_RENAMED = {("LeakyReLU", "negative_slope"): "alpha"}


def mend(draft: Draft) -> Iterator[Change]:
    """Rewrite each layer as Keras 2 writes it."""
    if draft.line != "keras-3":
        return
    if shift_calls_of_models(draft.config, 1):
        yield Change(
            Text(
                "calls of nested models are numbered as Keras 2 numbers them",
                "嵌套模型的调用按 Keras 2 的方式编号",
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
        if _is_new(class_name, key, value):
            del config[key]
            changed = True
        elif (class_name, key) in _RENAMED:
            config[_RENAMED[class_name, key]] = config.pop(key)
            changed = True
        elif key not in ("layers", "layer", "backward_layer"):
            config[key] = _plain(key, value)
            changed |= config[key] != value
    _special(class_name, config)
    for key in ("input_layers", "output_layers"):
        if isinstance(config.get(key), list) and len(config[key]) == 3 and isinstance(config[key][0], str):  # noqa: PLR2004
            config[key] = [config[key]]
            changed = True
    if isinstance(layer.get("inbound_nodes"), list):
        nodes = [_node(class_name, node) for node in layer["inbound_nodes"]]
        changed |= nodes != layer["inbound_nodes"]
        layer["inbound_nodes"] = nodes
    return changed


def _special(class_name: str, config: Json) -> None:
    """Arguments that Keras 2 must have, or has in another form."""
    function = config.get("function")
    if class_name == "Lambda" and isinstance(function, dict) and isinstance(function.get("config"), dict):
        told = function["config"]
        config.update(function=[told.get(key) for key in ("code", "defaults", "closure")], function_type="lambda")
        config.update(module="__main__", output_shape_type="raw", output_shape_module=None, output_shape=None)
    if class_name == "MultiHeadAttention":
        config.update({key: config.get(key) for key in ("query_shape", "key_shape", "value_shape")})
    if class_name == "TextVectorization":
        config["dtype"] = "string"
    if class_name in ("StringLookup", "IntegerLookup") and config.get("output_mode") == "int":
        config["dtype"] = "int64"


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
            "config": {k: _plain(k, v) for k, v in inner.items() if not _is_dropped(value["class_name"], k, v)},
        }
    return value


def _is_new(class_name: str, key: str, value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    """Whether Keras 2 has no such argument, and the value is one that changes nothing."""
    if any(class_name.startswith(start) and key in keys for start, keys in _ALWAYS.items()):
        return True
    known = [keys for start, keys in _ALSO_OLD.items() if class_name.startswith(start)]
    if class_name == "RandomContrast":
        known = [("seed",)]
    return key in _NEW and value == _NEW[key] and not any(key in keys for keys in known)


def _is_dropped(class_name: str, key: str, value: Any) -> bool:  # noqa: ANN401
    """The same of objects in an argument: cells, initializers."""
    return key in _OBJECTS or (class_name.endswith("Cell") and _is_new(class_name, key, value))


def _node(class_name: str, node: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """An inbound node: Keras 3 writes arguments, Keras 2 a list of [layer, node, tensor, arguments]."""
    if not isinstance(node, dict) or not isinstance(node.get("args"), list):
        return node
    args, given = list(node["args"]), dict(node.get("kwargs") or {})
    names = _CALLS.get(class_name, ())
    if names:  # Keras 2 has one positional argument
        given |= dict(zip(names[1:], args[1:], strict=False))
        args = args[:1]
    if not args:
        first = next((key for key in (*names, "inputs", "sequence") if key in given), None)
        args = [given.pop(first)] if first else []
    if "initial_state" in given and list(_references(given["initial_state"])):
        args.append(given.pop("initial_state"))
    keywords = {
        key: _keyword(value)
        for key, value in given.items()
        if value is not None and (key, value) != ("training", False)
    }
    references = list(_references(args))
    return [[*reference, keywords if i == 0 else {}] for i, reference in enumerate(references)]


def _keyword(value: Any) -> Any:  # noqa: ANN401
    found = list(_references(value))
    if not found:
        return value
    return found if isinstance(value, list) else found[0]


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
