"""A loss with from_logits=True behind a softmax or sigmoid: the loss takes the activation once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of, shown


def mend(draft: Draft) -> Iterator[Change]:
    """Set from_logits to False where every output that can be seen ends in softmax or sigmoid."""
    if draft.compiled is None or not _ends_in_probabilities(draft.config):
        return
    for loss in _losses(draft.compiled.get("loss")):
        config = loss.get("config")
        if isinstance(config, dict) and config.get("from_logits") is True:
            before = shown(loss)
            config["from_logits"] = False
            yield Change(
                Text("the outputs are probabilities, not logits", "输出是概率，不是 logits"),
                "compile",
                before,
                shown(loss),
            )


def _ends_in_probabilities(config: Json) -> bool:
    """Whether the last layer of a chain, or the only output layer, has such an activation."""
    inner = config.get("config")
    if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
        return False
    listed = [layer for path, layer in layers_of(config) if path and "/" not in path]
    if config.get("class_name") != "Sequential":
        names = set(_strings(inner.get("output_layers")))
        listed = [layer for layer in listed if layer.get("name") in names]
        if len(listed) != 1:
            return False
    last = listed[-1].get("config") if listed else None
    activation = last.get("activation") if isinstance(last, dict) else None
    return activation in ("softmax", "sigmoid") or (listed != [] and listed[-1]["class_name"] == "Softmax")


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _losses(value: Any) -> Iterator[Json]:  # noqa: ANN401
    if isinstance(value, dict) and "class_name" in value:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _losses(part)


REPAIR = Repair(
    id="from-logits",
    promise=Text(
        "from_logits=True behind softmax or sigmoid becomes False",
        "softmax 或 sigmoid 之后的 from_logits=True 改为 False",
    ),
    topics=("loss-activation-mismatch",),
    mend=mend,
)
