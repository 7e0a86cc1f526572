"""Which operations of a TensorFlow graph are refused: what a model needs is listed, the rest is not let through.

Reading and writing checkpoints is allowed only where the file itself says that saving and restoring happens, and only where
nothing else leads there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .hazard import Hazard, hazard
from .safety_operations import ALLOWED
from .wording import names_en, names_zh

_CHECKPOINTS = frozenset({
    "MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2", "Save", "SaveSlices", "SaveV2",
})  # fmt: skip
_TABLE_FROM_FILE = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
_REASONS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"PyFunc"), "runs a Python function", "会执行 Python 函数"),
    (
        re.compile(r"Dataset|Iterator"),
        "builds a data pipeline, which may read files or run a graph",
        "会建立数据管道，可读文件或运行子图",
    ),
    (re.compile(r"File|Save|Restore|Checkpoint|Vocab|ImmutableConst|Reader"), "reads or writes files", "会读写文件"),
    (re.compile(r"Debug|Print|Summary"), "writes to a file or an address", "会写入文件或地址"),
    (re.compile(r"Rpc|Remote|Service|Send|Recv"), "talks to another machine", "会与其他机器通信"),
)


@dataclass
class Node:
    """An operation of a graph, what it takes by name, and the functions that it names."""

    name: str
    op: str
    inputs: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass
class Meta:
    """What one graph of the file holds: its nodes, the nodes of each function, and what leads where."""

    nodes: dict[str, Node] = field(default_factory=dict)
    library: dict[str, list[Node]] = field(default_factory=dict)
    saving: list[str] = field(default_factory=list)  # nodes of the graph at which saving and restoring begin
    serving: list[str] = field(default_factory=list)  # nodes of the graph that signatures and initializers name
    callable: list[str] = field(default_factory=list)  # functions that Python code can call
    assets: set[str] = field(default_factory=set)


def node_of(tensor: str) -> str:
    """The node of a tensor's or a control input's name: `a/b:1` and `^a/b` are both of `a/b`."""
    return tensor.lstrip("^").partition(":")[0]


def _ancestors(meta: Meta, roots: Iterable[str]) -> set[str]:
    """The nodes of the graph that those named depend on, themselves included."""
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in seen or name not in meta.nodes:
            continue
        seen.add(name)
        todo += [node_of(entry) for entry in meta.nodes[name].inputs]
    return seen


def _calls(node: Node) -> tuple[str, ...]:
    """What a node calls: the functions among its attributes; in TensorFlow 1 its operation is itself a function's name."""
    return (*node.functions, node.op)


def _called(meta: Meta, roots: Iterable[str]) -> set[str]:
    """The functions that are called from those named, themselves included."""
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo += [called for node in meta.library.get(name, ()) for called in _calls(node)]
    return seen


def judged(meta: Meta) -> Iterator[Hazard]:
    """A hazard for each operation that no model needs, with the nodes that hold it."""
    saving, serving = _ancestors(meta, meta.saving), _ancestors(meta, meta.serving)
    others = [name for name in meta.nodes if name not in saving]
    savers = _called(meta, (f for name in saving for f in _calls(meta.nodes[name])))
    reached = _called(meta, [f for name in {*others, *serving} for f in _calls(meta.nodes[name])] + meta.callable)
    told: dict[str, list[str]] = {}
    for name, node in meta.nodes.items():
        if _is_refused(node, meta, saves=name in saving and name not in serving):
            told.setdefault(node.op, []).append(name)
    for function, nodes in meta.library.items():
        saves = function in savers and function not in reached
        for node in nodes:
            if _is_refused(node, meta, saves=saves):
                told.setdefault(node.op, []).append(f"{function}/{node.name}")
    for op, names in told.items():
        yield _hazard_of(op, names)


def _is_refused(node: Node, meta: Meta, *, saves: bool) -> bool:
    """Whether no model needs the operation of a node, or needs it elsewhere."""
    if node.op in ALLOWED or node.op in meta.library or node.op == "PrintV2":
        return False
    if node.op in _CHECKPOINTS and saves:
        return False
    return not (node.op in _TABLE_FROM_FILE and meta.assets and _is_asset(node, meta))


def _is_asset(node: Node, meta: Meta) -> bool:
    """Whether the file that a table is read from is one of the model's own, or an argument that stands for it."""
    source = node_of(node.inputs[1]) if len(node.inputs) > 1 else ""
    return source in meta.assets or (source not in meta.nodes and node.name not in meta.nodes)


def _hazard_of(op: str, names: list[str]) -> Hazard:
    en, zh = next(
        ((en, zh) for pattern, en, zh in _REASONS if pattern.search(op)),
        ("is none that a Keras model needs", "不是 Keras 模型需要的运算"),
    )
    return hazard(
        f"the graph holds the operation {names_en([op])}, which {en} (in {names_en(names)})",
        f"计算图中有运算 {names_zh([op])}，它{zh}（位于 {names_zh(names)}）",
    )
