"""Dtype casts: the dtype policy of each layer, and where a tensor needs a cast before the next layer takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...knowledge.text import Text
from ..dtypes import MERGES, compute_dtype, is_integer, policy_of, refuses_integers, tensor_dtypes
from ..flow import flow_of
from ..graph import Graph, Layer, needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

MISMATCH = "dtype-mismatch-op"
NOT_ALLOWED = "dtype-not-allowed"
MIXED = "mixed-precision-dtype"
NAN = "nan-loss"
UNSCALED = "integer-inputs-not-scaled"
_PROBABILITIES = frozenset({"softmax", "sigmoid"})


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the dtypes of the model and of all models nested in it show."""
    graph = needed_graph(model)
    keras_2 = model.line != "keras-3"
    for prefix, part in graph.walk():
        dtypes = tensor_dtypes(part)
        yield from _integers(prefix, part, dtypes, keras_2=keras_2)
        if keras_2:
            yield from _mixed_merges(prefix, part, dtypes)
    yield from _half_precision_outputs(graph)
    yield from _policies(graph)


def _integers(prefix: str, graph: Graph, dtypes: dict[str, str | None], *, keras_2: bool) -> Iterator[Evidence]:
    for layer in graph.layers:
        source = layer.calls[0].inputs[0].layer if layer.calls and layer.calls[0].inputs else None
        if source is None or not is_integer(dtypes.get(source)):
            continue
        if refuses_integers(layer, keras_2=keras_2):
            yield _cast_needed(prefix, source, str(dtypes[source]), layer)
        elif layer.class_name == "Dense":
            yield _unscaled(prefix, source, str(dtypes[source]), layer)


def _cast_needed(prefix: str, source: str, dtype: str, layer: Layer) -> Evidence:
    taker_en, taker_zh = names_en([layer.name], prefix), names_zh([layer.name], prefix)
    return Evidence(
        Text(
            f"{names_en([source], prefix)} hands {dtype} to {taker_en} ({layer.class_name}), which takes floats only: a cast "
            "is needed between the two (a Rescaling layer, or Input(dtype='float32') and float data)",
            f"{names_zh([source], prefix)} 把 {dtype} 交给 {taker_zh}（{layer.class_name}），而该层只接受浮点数：两者之间需要类型转换"
            "（加 Rescaling 层，或用 Input(dtype='float32') 并喂浮点数据）",
        ),
        confirms=(NOT_ALLOWED, MISMATCH, UNSCALED),
        fault=True,
        layers=(f"{prefix}{source}", f"{prefix}{layer.name}"),
    )


def _unscaled(prefix: str, source: str, dtype: str, layer: Layer) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([source], prefix)} hands {dtype} to {names_en([layer.name], prefix)} (Dense): it is cast, but not scaled",
            f"{names_zh([source], prefix)} 把 {dtype} 交给 {names_zh([layer.name], prefix)}（Dense）：会自动转换类型，但没有缩放",
        ),
        confirms=(UNSCALED,),
        layers=(f"{prefix}{layer.name}",),
    )


def _mixed_merges(prefix: str, graph: Graph, dtypes: dict[str, str | None]) -> Iterator[Evidence]:
    """Keras 2 merges no integers with floats; Keras 3 promotes them."""
    for layer in graph.layers:
        if layer.class_name not in MERGES or not layer.calls:
            continue
        taken = {t.layer: dtypes.get(t.layer) for t in layer.calls[0].inputs}
        kinds = {is_integer(dtype) for dtype in taken.values() if dtype}
        if len(kinds) > 1:
            told = [f"{name}: {dtype}" for name, dtype in taken.items()]
            yield Evidence(
                Text(
                    f"{names_en([layer.name], prefix)} ({layer.class_name}) merges integers with floats: {names_en(told)}; cast "
                    "the integer input first",
                    f"{names_zh([layer.name], prefix)}（{layer.class_name}）把整数和浮点数合并：{names_zh(told)}；请先转换整数输入",
                ),
                confirms=(MISMATCH,),
                fault=True,
                layers=(f"{prefix}{layer.name}",),
            )


def _half_precision_outputs(graph: Graph) -> Iterator[Evidence]:
    """TensorFlow's guide "Mixed precision": the model's output should be float32, a float16 softmax is not stable.

    What it says of other outputs is that they should be float32 too, so that the loss is computed in it.
    """
    flow = flow_of(graph)
    for path in dict.fromkeys(source.path for source in flow.outputs):
        layer = flow.places[path].layer if path in flow.places else None
        if layer is None or compute_dtype(policy_of(layer)) != "float16":
            continue
        activation = "softmax" if layer.class_name == "Softmax" else layer.config.get("activation")
        is_probability = isinstance(activation, str) and activation in _PROBABILITIES
        yield _half_precision(path, str(activation)) if is_probability else _half_precision_numbers(path)


def _half_precision(path: str, activation: str) -> Evidence:
    return Evidence(
        Text(
            f"the output layer {names_en([path])} computes its {activation} in float16, which is not numerically stable: give that "
            "layer dtype='float32'",
            f"输出层 {names_zh([path])} 用 float16 计算 {activation}，数值不稳定：请给这一层设置 dtype='float32'",
        ),
        confirms=(MIXED, NAN),
        fault=True,
        layers=(path,),
    )


def _half_precision_numbers(path: str) -> Evidence:
    return Evidence(
        Text(
            f"the output layer {names_en([path])} hands float16 to the loss; the guides want float32 there: give that layer "
            "dtype='float32'",
            f"输出层 {names_zh([path])} 把 float16 交给损失函数；官方指南要求这里用 float32：请给这一层设置 dtype='float32'",
        ),
        confirms=(MIXED, NAN),
        layers=(path,),
    )


def _policies(graph: Graph) -> Iterator[Evidence]:
    """One policy everywhere rules a mixture out; several are a fact, told with the layers that differ."""
    policies: dict[str, list[str]] = {}
    for prefix, part in graph.walk():
        for layer in part.layers:
            policy = policy_of(layer)
            if policy and compute_dtype(policy) and layer.class_name != "InputLayer" and layer.inner is None:
                policies.setdefault(policy, []).append(f"{prefix}{layer.name}")
    counts = Counter({policy: len(names) for policy, names in policies.items()})
    told = ", ".join(f"{policy}: {number}" for policy, number in counts.most_common())
    if len(policies) == 1:
        ruled_out = () if told.startswith("mixed_") else (MIXED,)
        yield Evidence(
            Text(f"one dtype policy ({told} layers)", f"只有一种 dtype 策略（{told} 层）"), rules_out=ruled_out
        )
    elif policies:
        (main, _), *others = counts.most_common()
        islands = [name for policy, _ in others for name in policies[policy]]
        yield Evidence(
            Text(
                f"layers by dtype policy: {told}; other than {main}: {names_en(islands)}",
                f"各 dtype 策略的层数：{told}；不是 {main} 的层：{names_zh(islands)}",
            ),
            confirms=(MISMATCH, MIXED),
            layers=tuple(islands),
        )


PROBE = Probe(
    id="dtype-casts",
    subject="model",
    promise=Text(
        "the dtype policy of each layer, and where a cast is needed between two layers",
        "检查各层的 dtype 策略，以及哪两层之间需要类型转换",
    ),
    topics=(MISMATCH, NOT_ALLOWED, MIXED, NAN, UNSCALED),
    look=look,
    remedy=Text(
        "give each layer the dtype that it needs: integer ids straight into Embedding, floats into everything else",
        "让每一层得到它需要的 dtype：整数编号直接送入 Embedding，其余一律用浮点数",
    ),
    documentation="https://keras.io/api/mixed_precision/policy/",
)
