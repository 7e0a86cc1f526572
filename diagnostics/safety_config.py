"""The static gate for configurations: every object that the JSON of a model would make Keras import, build or look up.

Nothing of Keras' own rules is trusted: a dict is examined wherever it stands (inbound nodes, build and compile
configuration included), because `deserialize_keras_object` resolves it wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..knowledge.text import Text
from .hazard import LAMBDA, Hazard, hazard
from .safety_names import REFUSED, is_arithmetic, is_harmless_operation, judge
from .wording import names_en, names_zh

MAX_DEPTH = 400
MAX_VALUES = 5_000_000
MAX_HAZARDS = 20
_KINDS = frozenset({"function_type", "output_shape_type", "mask_type"})
_SYMBOL_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty"})
_BUILT_IN_VALUES = frozenset({
    "__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__symbolic_tensor__",
    "CompositeTensor", "Composite", "TypeSpec", "TensorShape", "Dimension", "TensorSpec",
})  # fmt: skip


@dataclass
class Seen:
    """What a configuration holds: hazards, and the names of custom code that its reader must supply."""

    hazards: list[Hazard] = field(default_factory=list)
    custom: dict[str, None] = field(default_factory=dict)


def examine_config(config: object) -> Seen:
    """Every hazard in a configuration, at any depth, without recursion: how deep it is, its author chose."""
    seen = Seen()
    todo: list[tuple[Any, int, str]] = [(config, 0, "")]
    values = 0
    while todo and len(seen.hazards) < MAX_HAZARDS:
        value, depth, owner = todo.pop()
        values += 1
        if depth > MAX_DEPTH or values > MAX_VALUES:
            seen.hazards.append(_too_much())
            break
        if isinstance(value, list):
            todo += [(part, depth + 1, owner) for part in value if isinstance(part, list | dict)]
        elif isinstance(value, dict):
            owner = _name_of(value) or owner
            if not _is_ordinary(value):
                seen.hazards += _hazards(value, owner, seen)
            todo += [(part, depth + 1, owner) for part in value.values() if isinstance(part, list | dict)]
    seen.hazards = list(dict.fromkeys(seen.hazards))
    return seen


def _too_much() -> Hazard:
    return hazard(
        f"the configuration is nested more than {MAX_DEPTH} deep or holds over {MAX_VALUES:,} values: no Keras model is",
        f"配置嵌套超过 {MAX_DEPTH} 层或多于 {MAX_VALUES:,} 个值：Keras 模型不会这样",
    )


def _name_of(value: dict[str, Any]) -> str:
    """The name of the layer that a dict describes, for the reader."""
    inner = value.get("config")
    name = value.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
    return name if isinstance(name, str) else ""


def _is_ordinary(value: dict[str, Any]) -> bool:
    """Whether nothing can be said of a dict by itself: no object, or one of Keras' own that its configuration cannot change.

    Most are; telling them first is what keeps a model of hundreds of layers within milliseconds.
    """
    name = value.get("name")
    if isinstance(value.get("vocabulary"), str) or (isinstance(name, str) and not name.isidentifier()):
        return False
    if "class_name" not in value:
        return True
    class_name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    inner = value.get("config")
    if isinstance(inner, dict) and not _KINDS.isdisjoint(inner):
        return False
    texts = isinstance(class_name, str) and isinstance(module, str | None) and isinstance(registered, str | None)
    return texts and ("module" not in value or bool(module)) and _is_known(class_name, module or "", registered)


@lru_cache(maxsize=4096)
def _is_known(class_name: str, module: str, registered: str | None) -> bool:
    """A class of Keras by every name that it has, and none whose configuration names something to call."""
    if registered not in (None, class_name) or class_name in REFUSED or not class_name.isidentifier():
        return False
    if (
        class_name in ("function", "Lambda", "TensorFlowOpLayer")
        or class_name.startswith("__")
        or class_name in _SYMBOL_LAYERS
    ):
        return False
    return class_name not in _BUILT_IN_VALUES and judge(module, class_name, function=False) == "keras"


def _hazards(value: dict[str, Any], owner: str, seen: Seen) -> Iterator[Hazard]:
    name = value.get("name")
    if isinstance(name, str) and _leaves_its_folder(name):
        yield hazard(
            f"the name {names_en([name])} would become a folder or file outside the model's own",
            f"名称 {names_zh([name])} 会变成模型目录之外的文件或文件夹",
        )
    vocabulary = value.get("vocabulary")
    if isinstance(vocabulary, str):
        yield hazard(
            f"layer {names_en([owner])} reads its vocabulary from {names_en([vocabulary])}: any file or address on loading",
            f"层 {names_zh([owner])} 会从 {names_zh([vocabulary])} 读取词表：加载时可读任意文件或地址",
        )
    if "class_name" in value:
        yield from _object(value, owner, seen)


def _leaves_its_folder(name: str) -> bool:
    """Keras 2 names hold single slashes (`block1/conv`), which stay inside; these do not."""
    return "\\" in name or "\0" in name or name.startswith("/") or ".." in name.split("/")


def _object(value: dict[str, Any], owner: str, seen: Seen) -> Iterator[Hazard]:
    """A dict with `class_name`: what Keras turns into an object."""
    class_name, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
    if not isinstance(class_name, str) or not isinstance(module, str | None) or not isinstance(registered, str | None):
        yield hazard(
            f"an object of the configuration (near {names_en([owner])}) has a class or module that is no text",
            f"配置中（{names_zh([owner])} 附近）有对象的类名或模块不是文本",
        )
        return
    inner = value.get("config")
    short = class_name.rpartition(">")[2].rpartition(".")[2]
    lambdas = "Lambda" in (short, (registered or "").rpartition(">")[2])
    if class_name == "__lambda__" or (isinstance(inner, dict) and _is_code(inner, lambdas=lambdas)):
        yield _code(owner)
    elif lambdas and isinstance(inner, dict) and isinstance(inner.get("function"), str):
        seen.custom[inner["function"]] = None
    if class_name == "__lambda__":
        return
    yield from _refused_class(short, registered, owner)
    if short in _SYMBOL_LAYERS or short == "TensorFlowOpLayer":
        yield from _operation(short, inner if isinstance(inner, dict) else {}, owner)
    if class_name not in _BUILT_IN_VALUES or module:
        yield from _reference(value, class_name, module or "", registered, seen)


def _is_code(config: dict[str, Any], *, lambdas: bool) -> bool:
    """Whether a function, mask or output shape is marshalled bytecode and not a name or an object of its own.

    HDF5 and .keras of Keras 2: a list of bytecode, defaults and closure with `function_type` "lambda" (Keras 1 wrote it
    alike); Keras 3: a dict `__lambda__`, which is found by itself wherever it stands. What a Lambda has else is no kind
    that Keras wrote, and so counts as code.
    """
    kinds = [config.get(f"{key}_type") for key in ("function", "output_shape", "mask")]
    if "lambda" in kinds:
        return True
    return lambdas and (
        isinstance(config.get("function"), list) or any(k not in (None, "function", "raw") for k in kinds)
    )


def _code(owner: str) -> Hazard:
    where_en = f"layer {names_en([owner])}" if owner else "the configuration"
    where_zh = f"层 {names_zh([owner])}" if owner else "配置"
    return hazard(
        f"{where_en} holds a lambda as bytecode: Python code from the file that runs when the model is loaded or called",
        f"{where_zh} 中有以字节码保存的 lambda：加载或调用模型时会执行文件里的 Python 代码",
        LAMBDA,
        code=True,
    )


def _refused_class(short: str, registered: str | None, owner: str) -> Iterator[Hazard]:
    for name in dict.fromkeys((short, (registered or "").rpartition(">")[2])):
        if name not in REFUSED:
            continue
        en, zh = REFUSED[name]
        yield hazard(f"layer {names_en([owner])} ({name}) {en}", f"层 {names_zh([owner])}（{name}）{zh}", LAMBDA)


def _operation(short: str, config: dict[str, Any], owner: str) -> Iterator[Hazard]:
    """Layers that look a TensorFlow function or operation up by the name in their configuration."""
    if short == "TensorFlowOpLayer":
        node = config.get("node_def")
        symbol = node.get("op") if isinstance(node, dict) else node
        harmless = isinstance(node, dict) and isinstance(symbol, str) and is_harmless_operation(symbol)
    else:
        key = {"ClassMethod": "cls_symbol", "InstanceMethod": "method_name", "InstanceProperty": "attr_name"}
        symbol = config.get(key.get(short, "function"))
        attribute = short.startswith("Instance")
        harmless = isinstance(symbol, str) and (
            symbol.isidentifier() and not symbol.startswith("__") if attribute else is_arithmetic(symbol)
        )
    if not harmless:
        named = [str(symbol)]
        yield hazard(
            f"layer {names_en([owner])} ({short}) calls {names_en(named)} of TensorFlow, which is not arithmetic on tensors",
            f"层 {names_zh([owner])}（{short}）会调用 TensorFlow 的 {names_zh(named)}，它不是张量运算",
        )


def _reference(
    value: dict[str, Any], class_name: str, module: str, registered: str | None, seen: Seen
) -> Iterator[Hazard]:
    """Every name that a loader may take out of the module, judged."""
    inner = value.get("config")
    function = class_name == "function"
    names = [inner] if function else [class_name]
    if class_name == "__typespec__":
        names = [value.get("spec_name")]
    if registered and registered != class_name and ">" not in registered:
        names.append(registered)
    for name in names:
        if not isinstance(name, str):
            verdict = "hazard"
        elif registered and ">" in registered and module == "":
            verdict = "custom"
        else:
            verdict = judge(module, name, function=function)
        full = f"{module}.{name}" if module else str(name)
        if verdict == "custom":
            seen.custom[full] = None
        elif verdict == "hazard":
            yield hazard(
                f"loading would import {names_en([full])} and call it: it is no part of a Keras model",
                f"加载时会导入并调用 {names_zh([full])}：它不是 Keras 模型的组成部分",
            )
        elif not module and _is_unregistered(value, class_name):
            seen.custom[class_name] = None


def _is_unregistered(value: dict[str, Any], class_name: str) -> bool:
    """Keras writes `module: null` for classes that are none of its own; before 2.12 there is no `module` at all.

    `Custom>Adam` is how Keras 2.11 called its own new optimizers.
    """
    written = "module" in value and class_name not in _BUILT_IN_VALUES and not class_name.startswith("__")
    return written or (">" in class_name and not class_name.startswith("Custom>"))


def custom_text(names: tuple[str, ...]) -> Text:
    """The statement that custom code must be supplied."""
    return Text(
        f"custom code is needed to load this, from its author: {names_en(names)}",
        f"加载它需要作者提供的自定义代码：{names_zh(names)}",
    )
