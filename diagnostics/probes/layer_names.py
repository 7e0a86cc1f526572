"""Layer names: each once in a model, of allowed characters, and given by hand where weights are found by them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ...knowledge.text import Text
from ..graph import Graph, needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..trainable import trains
from ..wording import names_en, names_zh

NAMES = "layer-names"
BY_NAME = "load-weights-by-name"
TO_KERAS_3 = "saved-in-keras2-loaded-in-keras3"
_WORD, _CAPITAL = re.compile("(.)([A-Z][a-z]+)"), re.compile("([a-z])([A-Z])")


def look(model: ModelFile) -> Iterator[Evidence]:
    """The names in the model and in all models nested in it; each model has names of its own."""
    graph = needed_graph(model)
    seen = list(graph.walk())
    for prefix, part in seen:
        yield from _twice(prefix, part)
    yield from _slashes(seen, keras_3=model.line == "keras-3")
    yield from _automatic(seen)
    number = sum(len(part.layers) for _, part in seen)
    yield Evidence(Text(f"{number} layers have names", f"共 {number} 层有名字"))


def _twice(prefix: str, part: Graph) -> Iterator[Evidence]:
    counts = Counter(layer.name for layer in part.layers)
    if double := [name for name, times in counts.items() if times > 1]:
        most = max(counts.values())
        yield Evidence(
            Text(
                f"the name {names_en(double, prefix)} is used up to {most} times in one model, and Keras refuses to build it: name "
                "the layers apart",
                f"层名 {names_zh(double, prefix)} 在同一个模型里最多用了 {most} 次，Keras 会拒绝建立：请给这些层取不同的名字",
            ),
            confirms=(NAMES,),
            fault=True,
            layers=tuple(f"{prefix}{name}" for name in double),
        )


def _slashes(seen: list[tuple[str, Graph]], *, keras_3: bool) -> Iterator[Evidence]:
    paths = [f"{prefix}{layer.name}" for prefix, part in seen for layer in part.layers if "/" in layer.name]
    if paths:
        yield Evidence(
            Text(
                f"{names_en(paths)} has a '/' in its name, which Keras 3 refuses: rename it with '_' before it is loaded there",
                f"{names_zh(paths)} 的名字里有“/”，Keras 3 不接受：在 Keras 3 里加载之前请改成“_”",
            ),
            confirms=(NAMES,) if keras_3 else (NAMES, TO_KERAS_3),
            fault=keras_3,
            layers=tuple(paths),
        )


def _automatic(seen: list[tuple[str, Graph]]) -> Iterator[Evidence]:
    """Names that Keras gave to layers with weights: they count on within a session, so another run gives others."""
    held = [
        (prefix, layer)
        for prefix, part in seen
        for layer in part.layers
        if layer.inner is None and trains(layer) is not None
    ]
    automatic = [f"{prefix}{layer.name}" for prefix, layer in held if _given_by_keras(layer.name, layer.class_name)]
    if automatic:
        yield Evidence(
            Text(
                f"{len(automatic)} of {len(held)} layers with weights have automatic names ({names_en(automatic)}), which count on "
                "within a session: load_weights(by_name=True) finds a layer only where the other model has the very same number",
                f"{len(held)} 个带权重的层里有 {len(automatic)} 个是自动命名（{names_zh(automatic)}），编号在一次会话里不断增加："
                "load_weights(by_name=True) 只有在另一个模型的编号完全相同时才找得到",
            ),
            confirms=(BY_NAME,),
        )


def _given_by_keras(name: str, class_name: str) -> bool:
    """Whether a name is the class's in snake case, with or without a number (keras/src/utils/naming.py, Keras 3.15)."""
    snake = _CAPITAL.sub(r"\1_\2", _WORD.sub(r"\1_\2", class_name[:100])).lower()
    start, _, number = name.rpartition("_")
    return snake in (name, start if number.isdecimal() else name)


PROBE = Probe(
    id="layer-names",
    subject="model",
    promise=Text(
        "whether each layer's name is its own, allowed in Keras 3, and given by hand",
        "检查层名是否唯一、Keras 3 是否接受、是否由人命名",
    ),
    topics=(NAMES, BY_NAME, TO_KERAS_3),
    look=look,
    remedy=Text(
        "give each layer a name of its own: Dense(10, name='scores'), without '/'",
        "给每一层取独一无二的名字，例如 Dense(10, name='scores')，不要含“/”",
    ),
    documentation="https://keras.io/api/layers/base_layer/",
)
