"""Builds the model of a draft in a Keras, with its weights; what cannot be built is refused with what to do about it."""

from __future__ import annotations

from typing import Any

from ..errors import SubjectError
from ..knowledge.text import Text
from .live import Engine
from .live_keras import Runner, leaves, runner
from .repair import Draft, Target, layers_of
from .wording import names_en, names_zh

ENGINES: dict[Target, Engine] = {"keras3": "keras", "keras2": "tf_keras"}


def build(keras: Runner, draft: Draft, *, allow_code: bool) -> Any:  # noqa: ANN401 - a Keras model
    """The model of a draft, with its weights.

    Raises:
        SubjectError: it cannot be built, or the weights are not its own; the message says why.
    """
    model = _built(keras, draft, allow_code=allow_code)
    _set_weights(model, draft)
    return model


def _built(keras: Runner, draft: Draft, *, allow_code: bool) -> Any:  # noqa: ANN401 - a Keras model
    which = f"{keras.name} {keras.version}"
    try:
        return keras.build(draft.config, allow_code=allow_code)
    except Exception as error:
        raise failed(
            f"{which} does not build the mended model: rewrite the layer that it names by hand, or mend for the other Keras",
            f"{which} 无法搭建修复后的模型：请手工改写它指出的层，或改为修复给另一个 Keras",
            error,
        ) from error


def _set_weights(model: Any, draft: Draft) -> None:  # noqa: ANN401
    """Each layer's arrays, as the draft has them."""
    if not model.built:
        raise SubjectError(
            "the mended model has no input shape, so its weights have no place: give its first layer one",
            "修复后的模型没有输入形状，权重无处可放：请给第一层加上输入形状",
        )
    for path, layer in leaves(model):
        stored = draft.weights.get(path, [])
        if len(stored) != len(layer.weights):
            raise SubjectError(
                f"layer '{path}' takes {len(layer.weights)} arrays, the file has {len(stored)} for it: the file is of another "
                "model, or of a form that is not known here",
                f"层 '{path}' 需要 {len(layer.weights)} 个权重数组，文件里有 {len(stored)} 个：文件属于另一个模型，或格式未知",
            )
        try:
            layer.set_weights(stored)
        except ValueError as error:
            raise failed(
                f"layer '{path}' does not take its weights: the configuration and the weights are of different models",
                f"层 '{path}' 的权重放不进去：配置和权重不属于同一个模型",
                error,
            ) from error


def check_classes(keras: Runner, draft: Draft) -> None:
    """Refuse layers of the author's own, and those that only the other Keras has.

    Raises:
        SubjectError: there are some; it names them.
    """
    which = f"{keras.name} {keras.version}"
    lacking = [layer for _, layer in layers_of(draft.config) if not keras.has_class(layer)]
    own = {layer["class_name"]: 1 for layer in lacking if not runner(_other(draft.target)).has_class(layer)}
    if own:
        raise SubjectError(
            f"{names_en(own)}: no class of Keras. Mending needs the model's own code, which a file does not hold: load it with "
            "custom_objects where that code is, and save it there",
            f"{names_zh(own)} 不是 Keras 的类。修复需要模型自己的代码，文件里没有："
            "请在有代码的环境里用 custom_objects 加载并重新保存",
        )
    if lacking:
        names = {layer["class_name"]: 1 for layer in lacking}
        raise SubjectError(
            f"{names_en(names)}: {which} has no such layer, and no repair has another for it: rewrite these layers by hand",
            f"{which} 没有 {names_zh(names)}，也没有可替代的修复：请手工改写这些层",
        )


def compile_model(keras: Runner, model: Any, draft: Draft) -> Text | None:  # noqa: ANN401 - a Keras model
    """Compile the model as the draft was; what is to be told of that, None where there is nothing to compile."""
    if not draft.compiled:
        return None
    try:
        keras.compile(model, draft.compiled)
    except Exception as error:  # noqa: BLE001 - a custom loss, an optimizer of another Keras
        told = in_a_line(error)
        return Text(
            f"the copy is not compiled ({told}): call compile() before training",
            f"副本没有编译（{told}）：训练前请先 compile()",
        )
    return Text(
        "the state of the optimizer (its moments and step count) is not carried over: training goes on from the weights",
        "优化器的状态（动量、步数）不会带过去：训练将从现有权重继续",
    )


def _other(target: Target) -> Engine:
    return ENGINES["keras2" if target == "keras3" else "keras3"]


def in_a_line(error: Exception) -> str:
    """The exception in a line: where Keras wraps another, the innermost, which says what was wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    inner = [line for line in lines if line.startswith("Exception encountered:")]
    text = inner[-1].partition(":")[2].strip() if inner else lines[0]
    return f"{type(error).__name__}: {text[:300]}"


def failed(en: str, zh: str, error: Exception) -> SubjectError:
    """The error that is raised for an exception of Keras, which it tells."""
    return SubjectError(f"{en} ({in_a_line(error)})", f"{zh}（{in_a_line(error)}）")
