"""Inbound nodes: is every layer of a functional model reached from its inputs, by layers, and how often."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..connections import SIDE_EFFECTS, Connections, wrongly_called
from ..graph import Graph, Layer, needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

DISCONNECTED = "graph-disconnected"
SEVERAL_CALLS = "multiple-inbound-nodes"
RAW_OPERATION = "tensor-op-outside-layer"
INPUTS = "multi-input-output-model"
OLD_OPERATION = "saved-in-keras2-loaded-in-keras3"

# What Keras 2.4 to 2.15 makes of a TensorFlow call on a symbolic tensor (keras/layers/core/tf_op_layer.py, Keras 2.12).
_TENSORFLOW_OPERATIONS = frozenset({
    "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod", "InstanceMethod", "InstanceProperty",
})  # fmt: skip


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the inbound nodes of the model and of all models nested in it show."""
    graph = needed_graph(model)
    faults = 0
    calls = 0
    for prefix, part in graph.walk():
        for evidence in () if part.sequential else _connections(prefix, part):
            faults += evidence.fault
            yield evidence
        for evidence in _several_calls(prefix, part):
            calls += 1
            yield evidence
        yield from _raw_operations(prefix, part)
    yield _sound(graph, connected=not faults, once=not calls)


def _sound(graph: Graph, *, connected: bool, once: bool) -> Evidence:
    number = sum(len(part.layers) for _, part in graph.walk())
    ruled_out = [topic for topic, holds in ((DISCONNECTED, connected), (SEVERAL_CALLS, once)) if holds]
    ways_en = {True: "all connected", False: "not all connected"}
    ways_zh = {True: "全部连通", False: "并非全部连通"}
    return Evidence(
        Text(
            f"{number} layers, {ways_en[connected]}{', each called once' if once else ''}",
            f"共 {number} 层，{ways_zh[connected]}{'，每层只被调用一次' if once else ''}",
        ),
        rules_out=tuple(ruled_out),
    )


def _connections(prefix: str, graph: Graph) -> Iterator[Evidence]:
    names = {layer.name for layer in graph.layers}
    inputs = {tensor.layer for tensor in graph.inputs}
    connections = Connections(graph)
    yield from _missing_layers(prefix, graph, names)
    yield from _missing_calls(prefix, connections)
    yield from _circle(prefix, connections)
    yield from _wrong_numbers(prefix, graph)
    yield from _lost_layers(prefix, [la for la in graph.layers if not la.calls and la.name not in inputs])
    idle = names - connections.needed()
    yield from _unused(prefix, sorted(inputs & idle))
    yield from _dead_ends(prefix, graph, idle - inputs)


def _unused(prefix: str, unused: list[str]) -> Iterator[Evidence]:
    """Keras 2 and 3 build, train and save such a model without a word (Keras 3.15, tf_keras 2.21)."""
    if unused:
        yield Evidence(
            Text(
                f"no output of the model needs its input {names_en(unused, prefix)}: data must be given for it and changes nothing",
                f"模型的任何输出都用不到输入 {names_zh(unused, prefix)}：必须给它数据，但数据不起任何作用",
            ),
            confirms=(INPUTS, DISCONNECTED),
            warning=True,
            layers=tuple(f"{prefix}{name}" for name in unused),
        )


def _dead_ends(prefix: str, graph: Graph, idle: set[str]) -> Iterator[Evidence]:
    """Keras writes only the layers between inputs and outputs, so these were put into the file by something else."""
    dead = [layer.name for layer in graph.layers if layer.name in idle and layer.class_name not in SIDE_EFFECTS]
    if dead:
        yield Evidence(
            Text(
                f"{names_en(dead, prefix)} leads to no output of the model",
                f"{names_zh(dead, prefix)} 不通向模型的任何输出",
            ),
            confirms=(DISCONNECTED,),
            layers=tuple(f"{prefix}{name}" for name in dead),
        )


def _missing_calls(prefix: str, connections: Connections) -> Iterator[Evidence]:
    if missing := connections.missing_calls():
        told = [f"{tensor.layer} (call {tensor.node}, output {tensor.index})" for tensor in missing]
        yield Evidence(
            Text(
                f"inbound nodes name a call or an output that does not exist: {names_en(told, prefix)}; Keras 3 refuses such a graph, "
                "and loading it in Keras 2 may never end",
                f"入站节点引用了不存在的调用或输出：{names_zh(told, prefix)}；Keras 3 会拒绝它，Keras 2 加载时可能永远不返回",
            ),
            confirms=(DISCONNECTED,),
            fault=True,
            layers=tuple(dict.fromkeys(f"{prefix}{tensor.layer}" for tensor in missing)),
        )


def _circle(prefix: str, connections: Connections) -> Iterator[Evidence]:
    if circle := connections.circle():
        yield Evidence(
            Text(
                f"the inbound nodes of {names_en(circle, prefix)} form a circle: each waits for the other's output; Keras 3 refuses "
                "such a graph, and loading it in Keras 2 never ends",
                f"{names_zh(circle, prefix)} 的入站节点构成环：彼此等待对方的输出；Keras 3 会拒绝它，Keras 2 加载时永远不返回",
            ),
            confirms=(DISCONNECTED,),
            fault=True,
            layers=tuple(f"{prefix}{name}" for name in circle),
        )


def _wrong_numbers(prefix: str, graph: Graph) -> Iterator[Evidence]:
    for name, (given, expected) in wrongly_called(graph).items():
        yield Evidence(
            Text(
                f"the nested model {names_en([name], prefix)} is called with {given} tensor(s) and has {expected} input(s)",
                f"嵌套模型 {names_zh([name], prefix)} 调用时给了 {given} 个张量，而它有 {expected} 个输入",
            ),
            confirms=(INPUTS,),
            fault=True,
            layers=(f"{prefix}{name}",),
        )


def _missing_layers(prefix: str, graph: Graph, names: set[str]) -> Iterator[Evidence]:
    for layer in graph.layers:
        missing = sorted({t.layer for call in layer.calls for t in call.inputs} - names)
        if missing:
            path = f"{prefix}{layer.name}"
            yield _not_there(names_en([path]), names_zh([path]), missing, path)
    ends = sorted({tensor.layer for tensor in (*graph.inputs, *graph.outputs)} - names)
    if ends:
        yield _not_there("the model itself", "模型本身", ends)


def _not_there(who_en: str, who_zh: str, missing: list[str], *layers: str) -> Evidence:
    return Evidence(
        Text(
            f"{who_en} takes the output of {names_en(missing)}, which is not in the model: the graph is disconnected",
            f"{who_zh} 使用了 {names_zh(missing)} 的输出，而模型里没有这一层：计算图断开",
        ),
        confirms=(DISCONNECTED,),
        fault=True,
        layers=layers,
    )


def _lost_layers(prefix: str, lost: list[Layer]) -> Iterator[Evidence]:
    if inputs := [layer.name for layer in lost if layer.class_name == "InputLayer"]:
        yield Evidence(
            Text(
                f"Input {names_en(inputs, prefix)} is in the graph but not among the model's inputs",
                f"图中有 Input {names_zh(inputs, prefix)}，但它不在模型的 inputs 里",
            ),
            confirms=(DISCONNECTED, "model-inputs-not-input-layers"),
            fault=True,
            layers=tuple(f"{prefix}{name}" for name in inputs),
        )
    if others := [layer.name for layer in lost if layer.class_name != "InputLayer"]:
        yield Evidence(
            Text(
                f"{names_en(others, prefix)} has no inbound node: nothing is fed to it",
                f"{names_zh(others, prefix)} 没有入站节点：没有任何张量输入给它",
            ),
            confirms=(DISCONNECTED,),
            fault=True,
            layers=tuple(f"{prefix}{name}" for name in others),
        )


def _several_calls(prefix: str, graph: Graph) -> Iterator[Evidence]:
    for layer in graph.layers:
        if (times := len(layer.calls)) > 1:
            yield Evidence(
                Text(
                    f"{names_en([layer.name], prefix)} ({layer.class_name}) is called {times} times: it has {times} inbound "
                    "nodes, so .output is ambiguous; in Keras 2 use get_output_at(0 "
                    f"to {times - 1}), in Keras 3 keep the tensor that each call returned",
                    f"{names_zh([layer.name], prefix)}（{layer.class_name}）被调用了 {times} 次，有 {times} 个入站节点，.output "
                    f"因此有歧义；Keras 2 用 get_output_at(0 到 {times - 1})，Keras 3 请保留每次调用返回的张量",
                ),
                confirms=(SEVERAL_CALLS, "shared-layers-siamese"),
                layers=(f"{prefix}{layer.name}",),
            )


def _raw_operations(prefix: str, graph: Graph) -> Iterator[Evidence]:
    old = [layer for layer in graph.layers if layer.class_name in _TENSORFLOW_OPERATIONS]
    new = [layer for layer in graph.layers if layer.module.startswith("keras.src.ops")]
    for layers, topics, en, zh in (
        (old, (RAW_OPERATION, OLD_OPERATION), "raw TensorFlow operations", "裸 TensorFlow 运算"),
        (new, (RAW_OPERATION,), "Keras operations", "Keras 运算（keras.ops）"),
    ):
        if layers:
            listed = [f"{layer.name} ({layer.class_name})" for layer in layers]
            yield Evidence(
                Text(
                    f"{len(layers)} {en} stand between the layers: {names_en(listed, prefix)}",
                    f"层与层之间有 {len(layers)} 个{zh}：{names_zh(listed, prefix)}",
                ),
                confirms=topics,
                layers=tuple(f"{prefix}{layer.name}" for layer in layers),
            )


PROBE = Probe(
    id="inbound-nodes",
    subject="model",
    promise=Text(
        "whether every layer is reached from the inputs, by layers, and how often each is called",
        "检查每一层是否都能从输入经由层到达，以及各层被调用的次数",
    ),
    topics=(
        DISCONNECTED,
        SEVERAL_CALLS,
        RAW_OPERATION,
        OLD_OPERATION,
        INPUTS,
        "shared-layers-siamese",
        "model-inputs-not-input-layers",
    ),
    look=look,
    remedy=Text(
        "build the model from keras.Input to its outputs by calling layers, or keras.ops, on Keras tensors only",
        "从 keras.Input 到输出，只用层（或 keras.ops）作用在 Keras 张量上来搭建模型",
    ),
    documentation="https://keras.io/guides/functional_api/",
)
