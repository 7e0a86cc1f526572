"""Under mixed precision the last activation in float16 overflows or rounds to 0 and 1; in float32 it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..graph_edit import models_of, name_of
from ..model_file import Json
from ..repair import Change, Draft, Repair, shown

_POLICIES = frozenset({"mixed_float16", "float16"})
_ACTIVATIONS = frozenset({"softmax", "sigmoid"})


def mend(draft: Draft) -> Iterator[Change]:
    """Set float32 for each output layer that ends in softmax or sigmoid and computes in float16."""
    for prefix, model, layers in models_of(draft.config):
        ends = set() if prefix else _outputs(model, layers)
        for layer in layers:
            config = layer["config"]
            if name_of(layer) in ends and _policy(config.get("dtype")) in _POLICIES and _is_last(layer):
                before = shown(config["dtype"])
                config["dtype"] = "float32"
                yield Change(
                    Text(
                        "the output is computed in float32: float16 has 3 digits, and its largest number is 65,504",
                        "输出改用 float32 计算：float16 只有约 3 位有效数字，最大值只有 65,504",
                    ),
                    name_of(layer),
                    before,
                    '"float32"',
                )


def _outputs(model: Json, layers: list[Json]) -> set[str]:
    if model["class_name"] == "Sequential":
        return {name_of(layers[-1])} if layers else set()
    return set(_strings(model["config"].get("output_layers")))


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value if isinstance(value, list) else value.values():
            yield from _strings(part)


def _is_last(layer: Json) -> bool:
    activation = layer["config"].get("activation")
    activation = activation.get("config") if isinstance(activation, dict) else activation
    return layer["class_name"] == "Softmax" or (isinstance(activation, str) and activation in _ACTIVATIONS)


def _policy(dtype: Any) -> str:  # noqa: ANN401
    inner = dtype.get("config") if isinstance(dtype, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else dtype
    return name if isinstance(name, str) else ""


REPAIR = Repair(
    id="float16-outputs",
    promise=Text(
        "softmax and sigmoid outputs in float16 are computed in float32",
        "把 float16 的 softmax、sigmoid 输出改用 float32 计算",
    ),
    topics=("mixed-precision-dtype", "nan-loss"),
    mend=mend,
    tolerance=1e-2,  # ten times the precision of float16
)
