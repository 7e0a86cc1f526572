"""Low precision: is float16 trained with a scaled loss, what is quantized, and do metrics count in floats that hold their sums."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..compiled import metric_dtypes
from ..dtypes import is_integer, policy_name, policy_of, quantized_mode
from ..graph import Graph, graph_of
from ..model_file import Json, ModelFile
from ..optimizers import Optimizer, optimizer_of
from ..probe import CouldNotLook, Evidence, Probe
from ..trainable import trains
from ..wording import names_en, names_zh

MIXED = "mixed-precision-dtype"
METRIC = "metric-dtype-not-float"
NAN = "nan-loss"
NOT_LEARNING = "loss-not-decreasing"


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the policies of the layers, the optimizer and the metrics show together."""
    graph = graph_of(model)
    compiled = model.compiled or {}
    if graph is None and not compiled:
        raise CouldNotLook(
            Text(
                "the model is subclassed and not compiled: neither layers nor metrics are in the file",
                "这是未编译的子类化模型：文件里既没有各层，也没有指标的信息",
            )
        )
    yield from _metrics(compiled)
    if graph is not None:
        policies = _policies(graph)
        if compiled.get("loss"):
            yield from _half_weights(policies)
            yield from _unscaled(policies, model, compiled)
        yield from _quantized(policies)


def _policies(graph: Graph) -> dict[str, list[str]]:
    """The layers that have weights to train, by the name of their policy."""
    policies: dict[str, list[str]] = {}
    for prefix, part in graph.walk():
        for layer in part.layers:
            policy = policy_of(layer)
            if policy and layer.inner is None and trains(layer):
                policies.setdefault(policy, []).append(f"{prefix}{layer.name}")
    return policies


def _metrics(compiled: Json) -> Iterator[Evidence]:
    """A sum in an integer cuts the fractions off; one in float16 stops at 65,504, and counts exactly to 2,048 only."""
    told = [f"{name}: {dtype}" for name, dtype in metric_dtypes(compiled) if is_integer(dtype) or dtype == "float16"]
    if told:
        yield Evidence(
            Text(
                f"metrics sum up over the batches in a dtype that does not hold the sum: {names_en(told)}; leave dtype away (float32)",
                f"指标按批次累加时用的类型存不下结果：{names_zh(told)}；请去掉 dtype 参数（默认 float32）",
            ),
            confirms=(METRIC,),
            warning=True,
        )


def _half_weights(policies: dict[str, list[str]]) -> Iterator[Evidence]:
    if layers := policies.get("float16"):
        yield Evidence(
            Text(
                f"{len(layers)} layers keep their weights in float16 and are compiled for training: {names_en(layers)}; steps smaller "
                "than about 1/2000 of a weight are lost; use the policy mixed_float16, which keeps weights in float32",
                f"有 {len(layers)} 层的权重以 float16 保存并用于训练：{names_zh(layers)}；小于权重约 1/2000 的更新会丢失；请改用 "
                "mixed_float16 策略，权重仍为 float32",
            ),
            confirms=(MIXED, NAN, NOT_LEARNING),
            warning=True,
            layers=tuple(layers),
        )


def _unscaled(policies: dict[str, list[str]], model: ModelFile, compiled: Json) -> Iterator[Evidence]:
    """HDF5 has the optimizer as it was used; a .keras file as it was given, and loading wraps it where the policy asks for it."""
    layers = [*policies.get("mixed_float16", ()), *policies.get("float16", ())]
    optimizer = optimizer_of(compiled)
    if not layers or optimizer is None or optimizer.scales_loss:
        return
    config = (model.config or {}).get("config")
    wrapped_later = isinstance(config, dict) and policy_name(config.get("dtype")) == "mixed_float16"
    if model.container == "HDF5" or not wrapped_later:
        yield _without_scaling(layers, optimizer, sure=model.container == "HDF5")


def _without_scaling(layers: list[str], optimizer: Optimizer, *, sure: bool) -> Evidence:
    way_en = (
        "" if sure else ", unless keras.mixed_precision.set_global_policy('mixed_float16') is set before it is loaded"
    )
    way_zh = "" if sure else "（除非加载前设了 keras.mixed_precision.set_global_policy('mixed_float16')）"
    return Evidence(
        Text(
            f"{len(layers)} layers compute in float16 ({names_en(layers)}) and {names_en([optimizer.name])} does not scale the "
            f"loss{way_en}: small gradients become 0; wrap it in LossScaleOptimizer",
            f"有 {len(layers)} 层用 float16 计算（{names_zh(layers)}），而 {names_zh([optimizer.name])} 没有缩放损失{way_zh}："
            "很小的梯度会变成 0；请用 LossScaleOptimizer 包装它",
        ),
        confirms=(MIXED, NOT_LEARNING, NAN),
        warning=sure,
        layers=tuple(layers),
    )


def _quantized(policies: dict[str, list[str]]) -> Iterator[Evidence]:
    """Integer kernels are not trainable (keras/src/layers/core/dense.py); float8 is made for training."""
    layers = [path for policy, paths in policies.items() if is_integer(quantized_mode(policy)) for path in paths]
    if layers:
        yield Evidence(
            Text(
                f"{len(layers)} layers are quantized to integers: {names_en(layers)}; only their biases can be trained",
                f"有 {len(layers)} 层已量化为整数：{names_zh(layers)}；它们的 kernel 不能再训练，只有偏置可以",
            ),
            confirms=(NOT_LEARNING, "freeze-layers"),
            layers=tuple(layers),
        )


PROBE = Probe(
    id="low-precision",
    subject="model",
    promise=Text(
        "whether float16 is trained with a scaled loss, which layers are quantized, and what metrics are counted in",
        "检查 float16 训练是否缩放了损失、哪些层被量化，以及指标用什么类型累加",
    ),
    topics=(MIXED, METRIC, NAN, NOT_LEARNING, "freeze-layers"),
    look=look,
    remedy=Text(
        "keep weights, outputs and metrics in float32 and set the policy mixed_float16 before the model is built",
        "权重、输出和指标保持 float32，并在建模之前设置 mixed_float16 策略",
    ),
    documentation="https://keras.io/api/mixed_precision/",
)
