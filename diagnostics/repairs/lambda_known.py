"""A Lambda whose bytecode is a known expression becomes a layer of Keras, so that the copy holds no code for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..graph_edit import as_functional, become, input_shape, models_of, repeat_input
from ..lambda_code import code_bytes, expression_of, stored_code
from ..lambda_expression import Lambda
from ..lambda_layers import Known, layer_for
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shown

_SINGLE = 1
_BY_KERAS = ("mask", "training")  # arguments that Keras itself gives


def mend(draft: Draft) -> Iterator[Change]:
    """Read each Lambda's bytecode, never running it, and put a layer in its place where one does the same."""
    masked = any(_makes_masks(layer) for _, layer in layers_of(draft.config))
    for prefix, model, layers in models_of(draft.config):
        for layer in layers:
            known = _known(model, layer) if layer.get("class_name") == "Lambda" else None
            if known is None or (masked and "Pooling" in known.written[0]):  # which minds masks, unlike a mean
                continue
            before = shown({key: layer["config"][key] for key in ("function", "arguments") if key in layer["config"]})
            if known.power > _SINGLE and not _multiplied(model, layer, known.power, nested=bool(prefix)):
                continue
            become(layer, known.written)
            yield Change(
                Text(
                    f"the Lambda computes what {known.written[0]} does, so its bytecode goes",
                    f"这个 Lambda 的计算与 {known.written[0]} 相同，字节码因此删去",
                ),
                f"{prefix}{layer['config'].get('name', '')}",
                before,
                shown({"class_name": known.written[0], "config": known.written[1], "inputs": known.power}),
            )


def _makes_masks(layer: Json) -> bool:
    config = layer.get("config")
    return layer.get("class_name") == "Masking" or (isinstance(config, dict) and bool(config.get("mask_zero")))


def _known(model: Json, layer: Json) -> Known | None:
    stored = stored_code(layer["config"])
    read = expression_of(code_bytes(stored[0])) if stored else None
    if read is None or stored is None or stored[2]:
        return None
    values = _values(read, stored[1], layer["config"].get("arguments"))
    return layer_for(read.result, values, input_shape(model, layer)) if values is not None else None


def _values(read: Lambda, defaults: Any, arguments: Any) -> dict[int, Any] | None:  # noqa: ANN401 - as the file has them
    """The values of all arguments but the first, by position: defaults, and what the layer gives by name."""
    listed = list(defaults) if isinstance(defaults, list | tuple) else []
    given = arguments if isinstance(arguments, dict) else {}
    if len(listed) >= len(read.arguments) or not set(given) <= set(read.arguments[1:]):
        return None
    first = len(read.arguments) - len(listed)
    values = dict(enumerate(listed, first)) | {read.arguments.index(name): value for name, value in given.items()}
    return {place: value for place, value in values.items() if read.arguments[place] not in _BY_KERAS}


def _multiplied(model: Json, layer: Json, times: int, *, nested: bool) -> bool:
    """Multiply takes its input several times, which a chain cannot say: the outermost one is written as a graph."""
    if model["class_name"] == "Sequential" and (nested or not as_functional(model)):
        return False
    return repeat_input(layer, times)


REPAIR = Repair(
    id="lambda-known",
    promise=Text(
        "Lambdas that compute something known become layers without code",
        "把计算内容已知的 Lambda 换成不含代码的层",
    ),
    topics=("lambda-unsafe-deserialization",),
    mend=mend,
)
