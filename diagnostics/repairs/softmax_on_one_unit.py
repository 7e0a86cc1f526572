"""Softmax on one unit always gives 1; sigmoid is what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of


def mend(draft: Draft) -> Iterator[Change]:
    """Sigmoid in place of softmax in a last Dense of one unit, or in an Activation behind one."""
    before: Json | None = None
    for path, layer in layers_of(draft.config):
        config = layer.get("config")
        if not isinstance(config, dict) or "layers" in config:
            continue
        if layer["class_name"] == "Activation" and before is not None and _is_softmax(config.get("activation")):
            yield _changed(path, config)
        if layer["class_name"] == "Dense" and config.get("units") == 1 and _is_softmax(config.get("activation")):
            yield _changed(path, config)
        before = config if layer["class_name"] == "Dense" and config.get("units") == 1 else None


def _is_softmax(activation: object) -> bool:
    return activation == "softmax" or (isinstance(activation, dict) and activation.get("config") == "softmax")


def _changed(path: str, config: Json) -> Change:
    config["activation"] = "sigmoid"
    return Change(
        Text(
            "softmax over one unit is 1 for any input; sigmoid gives the probability (the weights were trained with the old one: "
            "check the predictions, and train on)",
            "单个单元上的 softmax 恒为 1；sigmoid 才给出概率（权重是在旧激活下训练的：请检查预测，并继续训练）",
        ),
        path,
        '{"activation": "softmax"}',
        '{"activation": "sigmoid"}',
    )


REPAIR = Repair(
    id="softmax-on-one-unit",
    promise=Text("softmax over a single unit becomes sigmoid", "把单个单元上的 softmax 换成 sigmoid"),
    topics=("softmax-on-one-unit",),
    mend=mend,
    keeps_outputs=False,
)
