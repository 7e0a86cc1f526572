"""The optimizer that the model was compiled with, by the arguments that every Keras takes; one that blocks loading goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, shown

# The arguments that Keras 2.2 to 3.15 share (keras.io/api/optimizers): everything else is of one line, or the default.
_SHARED: dict[str, tuple[str, ...]] = {
    "SGD": ("learning_rate", "momentum", "nesterov"),
    "RMSprop": ("learning_rate", "rho", "momentum", "epsilon", "centered"),
    "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "AdamW": ("learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "Adamax": ("learning_rate", "beta_1", "beta_2", "epsilon"),
    "Nadam": ("learning_rate", "beta_1", "beta_2", "epsilon"),
    "Adagrad": ("learning_rate", "initial_accumulator_value", "epsilon"),
    "Adadelta": ("learning_rate", "rho", "epsilon"),
    "Ftrl": ("learning_rate", "learning_rate_power", "l1_regularization_strength", "l2_regularization_strength"),
}


def mend(draft: Draft) -> Iterator[Change]:
    """Reduce the optimizer to what every Keras reads; take out what the model was compiled with where that is none of Keras'."""
    if draft.compiled is None:
        return
    key = "optimizer_config" if "optimizer_config" in draft.compiled else "optimizer"
    written = draft.compiled.get(key)
    if isinstance(written, str) or written is None:
        return
    plain = _plain(written)
    same_line = draft.line == ("keras-3" if draft.target == "keras3" else "keras-2")
    if plain is not None and same_line and "lr" not in written.get("config", ()):
        return
    if plain is None:
        draft.compiled = None
        yield Change(
            Text(
                "the optimizer is none of Keras': the copy is not compiled, which keeps nothing from predicting",
                "优化器不是 Keras 自带的：副本不带编译信息，不影响预测",
            ),
            "compile",
            shown(written),
            "",
        )
    elif plain != written:
        draft.compiled[key] = plain
        yield Change(
            Text("the optimizer keeps the arguments that every Keras takes", "优化器只保留各版 Keras 都认识的参数"),
            "compile",
            shown(written),
            shown(plain),
        )


def _plain(written: Any) -> Json | None:  # noqa: ANN401 - JSON of any shape
    """An optimizer by class and shared arguments; the one inside a LossScaleOptimizer; None where it is not Keras' own."""
    for _ in range(4):
        config = written.get("config") if isinstance(written, dict) else None
        inner = config.get("inner_optimizer") or config.get("optimizer") if isinstance(config, dict) else None
        if not isinstance(inner, dict):
            break
        written = inner
    if not isinstance(written, dict) or not isinstance(written.get("config"), dict):
        return None
    name = str(written.get("class_name")).rpartition(">")[2]
    if name not in _SHARED:
        return None
    config = {("learning_rate" if key == "lr" else key): value for key, value in written["config"].items()}
    kept = {key: config[key] for key in _SHARED[name] if isinstance(config.get(key), int | float)}
    return {"class_name": name, "config": kept}


REPAIR = Repair(
    id="optimizer",
    promise=Text("an optimizer that another Keras does not read", "另一个 Keras 读不懂的优化器设置"),
    topics=("optimizer-arguments", "saved-in-keras2-loaded-in-keras3", "saved-in-keras3-loaded-in-keras2"),
    mend=mend,
    stage="write",
)
