"""The static gate for TensorFlow graphs: every operation of one, in its functions and in constants that are graphs again.

What a model needs is listed, the rest is refused. Reading and writing checkpoints is allowed only where the file itself says
that saving and restoring happens, and only where nothing else leads there. Field numbers: tensorflow/core/protobuf/
saved_model.proto, meta_graph.proto, saver.proto, saved_object_graph.proto and tensorflow/core/framework/*.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .hazard import CORRUPT, Hazard, hazard
from .safety_operations import ALLOWED
from .wire import WireError, fields, parts, text
from .wording import names_en, names_zh

MAX_NODES = 1_000_000
MAX_NESTED = 3
_CHECKPOINTS = frozenset({
    "MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2", "Save", "SaveSlices", "SaveV2",
})  # fmt: skip
_PRINTS = re.compile(r"stdout|stderr|log\(\w{1,20}\)")
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
class _Node:
    name: str
    op: str
    inputs: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass
class _Meta:
    """What one graph of the file holds: its nodes, the nodes of each function, and what leads where."""

    nodes: dict[str, _Node] = field(default_factory=dict)
    library: dict[str, list[_Node]] = field(default_factory=dict)
    saving: list[str] = field(default_factory=list)  # nodes of the graph at which saving and restoring begin
    serving: list[str] = field(default_factory=list)  # nodes of the graph that signatures and initializers name
    callable: list[str] = field(default_factory=list)  # functions that Python code can call
    assets: set[str] = field(default_factory=set)


def examine_saved_model(data: memoryview) -> Iterator[Hazard]:
    """Every hazard of a `saved_model.pb`."""
    yield from _guarded(_meta_graphs(data))


def examine_graph(data: memoryview) -> Iterator[Hazard]:
    """Every hazard of a frozen graph."""
    yield from _guarded(_frozen(data))


def _guarded(hazards: Iterator[Hazard]) -> Iterator[Hazard]:
    try:
        yield from hazards
    except (WireError, RecursionError) as error:
        yield hazard(f"the graph is damaged: {error}", f"计算图已损坏：{error}", CORRUPT)


def _meta_graphs(data: memoryview) -> Iterator[Hazard]:
    for part in parts(data, 2):
        reader = _Reader()
        meta = reader.meta(part)
        yield from reader.hazards
        yield from _judged(meta)


def _frozen(data: memoryview) -> Iterator[Hazard]:
    reader, meta = _Reader(), _Meta()
    reader.graph(data, meta)
    yield from reader.hazards
    yield from _judged(meta)


class _Reader:
    """Reads a graph's nodes; what is hazardous in a node by itself is collected on the way."""

    def __init__(self, depth: int = 0) -> None:
        self.hazards: list[Hazard] = []
        self._depth, self._seen = depth, 0

    def meta(self, data: memoryview) -> _Meta:
        meta = _Meta()
        for number, value in fields(data):
            if not isinstance(value, memoryview):
                continue
            if number == 2:  # noqa: PLR2004 - graph_def
                self.graph(value, meta)
            elif number == 3:  # noqa: PLR2004 - saver_def: the file name, the save and the restore operation
                meta.saving += [_node_of(text(value, n)) for n in (1, 2, 3)]
            elif number == 4:  # noqa: PLR2004 - collection_def: initializers of TensorFlow 1
                meta.serving += _collected(value)
            elif number == 5:  # noqa: PLR2004 - signature_def
                meta.serving += _outputs(value)
            elif number == 6:  # noqa: PLR2004 - asset_file_def
                self._asset(value, meta)
            elif number == 7:  # noqa: PLR2004 - object_graph_def
                meta.callable += [text(entry, 1) for entry in parts(value, 2)]
        return meta

    def graph(self, data: memoryview, meta: _Meta) -> None:
        for number, value in fields(data):
            if number == 1 and isinstance(value, memoryview):
                node = self._node(value)
                twin = f"{node.name}#{len(meta.nodes)}"  # two nodes of one name are no valid graph: both are judged
                meta.nodes[twin if node.name in meta.nodes else node.name] = node
            elif number == 2 and isinstance(value, memoryview):  # noqa: PLR2004 - library
                for function in parts(value, 1):
                    name = "".join([text(signature, 1) for signature in parts(function, 1)][-1:])
                    meta.library.setdefault(name, []).extend(self._node(node) for node in parts(function, 3))

    def _asset(self, data: memoryview, meta: _Meta) -> None:
        name = text(data, 2)
        meta.assets.update(_node_of(text(info, 1)) for info in parts(data, 1))
        if name.startswith("/") or ".." in name.split("/") or {"\\", "\0", ":"}.intersection(name):
            self.hazards.append(
                hazard(
                    f"the asset {names_en([name])} is a file outside the model's folder",
                    f"资源 {names_zh([name])} 是模型目录之外的文件",
                )
            )

    def _node(self, data: memoryview) -> _Node:
        self._seen += 1
        if self._seen > MAX_NODES:
            raise WireError("more nodes than a model has")
        name = op = ""
        inputs: list[str] = []
        functions: list[str] = []
        for number, value in fields(data):
            if not isinstance(value, memoryview):
                continue
            if number == 5:  # noqa: PLR2004 - attr: a map of names to values
                self._attribute(value, functions)
                continue
            words = bytes(value[:4096]).decode("utf-8", "replace")
            if number == 1:
                name = words
            elif number == 2:  # noqa: PLR2004 - op
                op = words
            elif number == 3:  # noqa: PLR2004 - input
                inputs.append(words)
        return _Node(name, op, tuple(inputs), tuple(functions))

    def _attribute(self, entry: memoryview, functions: list[str]) -> None:
        """One attribute: functions that the node calls, text that says where it prints to, constants."""
        key = text(entry, 1)
        for value in parts(entry, 2):
            for number, part in fields(value):
                if not isinstance(part, memoryview):
                    continue
                if number == 10:  # noqa: PLR2004 - func
                    functions.append(text(part, 1))
                elif number == 1:
                    functions += [text(one, 1) for one in parts(part, 9)]
                elif number == 8:  # noqa: PLR2004 - tensor
                    self._constant(part)
                elif number == 2 and key == "output_stream":  # noqa: PLR2004 - s
                    self._stream(bytes(part[:200]).decode("utf-8", "replace"))

    def _stream(self, stream: str) -> None:
        if not _PRINTS.fullmatch(stream):
            self.hazards.append(
                hazard(
                    f"the graph prints to {names_en([stream])} (PrintV2), a file",
                    f"计算图会打印（PrintV2）到文件 {names_zh([stream])}",
                )
            )

    def _constant(self, tensor: memoryview) -> None:
        """A text of a constant may be a graph that an operation runs."""
        for data in parts(tensor, 8):
            if bytes(data[:1]) != b"\n" or not _begins_like_a_graph(data):
                continue
            if self._depth >= MAX_NESTED:
                raise WireError("graphs in graphs in graphs")
            inner, meta = _Reader(self._depth + 1), _Meta()
            inner.graph(data, meta)
            self.hazards += [*inner.hazards, *_judged(meta)]


def _begins_like_a_graph(data: memoryview) -> bool:
    try:
        node = next(parts(data, 1))
        return bool(text(node, 1) and re.fullmatch(r"[A-Z]\w+", text(node, 2)))
    except (WireError, StopIteration):
        return False


def _node_of(tensor: str) -> str:
    """The node of a tensor's or a control input's name: `a/b:1` and `^a/b` are both of `a/b`."""
    return tensor.lstrip("^").partition(":")[0]


def _outputs(signature: memoryview) -> Iterator[str]:
    """The nodes that a signature returns or names: a map entry, in it outputs and inputs, in them tensors by name."""
    for body in parts(signature, 2):
        for number in (1, 2):
            for entry in parts(body, number):
                yield from (_node_of(text(info, 1)) for info in parts(entry, 2))


def _collected(entry: memoryview) -> Iterator[str]:
    if text(entry, 1) not in ("saved_model_main_op", "legacy_init_op", "main_op", "init_op", "table_initializer"):
        return
    for collection in parts(entry, 2):
        for names in parts(collection, 1):
            yield from (_node_of(bytes(name[:4096]).decode("utf-8", "replace")) for name in parts(names, 1))


def _ancestors(meta: _Meta, roots: Iterable[str]) -> set[str]:
    """The nodes of the graph that those named depend on, themselves included."""
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in seen or name not in meta.nodes:
            continue
        seen.add(name)
        todo += [_node_of(entry) for entry in meta.nodes[name].inputs]
    return seen


def _calls(node: _Node) -> tuple[str, ...]:
    """What a node calls: the functions among its attributes; in TensorFlow 1 its operation is itself a function's name."""
    return (*node.functions, node.op)


def _called(meta: _Meta, roots: Iterable[str]) -> set[str]:
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


def _judged(meta: _Meta) -> Iterator[Hazard]:
    saving, serving = _ancestors(meta, meta.saving), _ancestors(meta, meta.serving)
    others = [name for name in meta.nodes if name not in saving]
    savers = _called(meta, (f for name in saving for f in _calls(meta.nodes[name])))
    reached = _called(meta, [f for name in {*others, *serving} for f in _calls(meta.nodes[name])] + meta.callable)
    told: dict[tuple[str, str], list[str]] = {}
    for name, node in meta.nodes.items():
        if refused := _refused(node, meta, saves=name in saving and name not in serving):
            told.setdefault(refused, []).append(name)
    for function, nodes in meta.library.items():
        saves = function in savers and function not in reached
        for node in nodes:
            if refused := _refused(node, meta, saves=saves):
                told.setdefault(refused, []).append(f"{function}/{node.name}")
    for (op, _), names in told.items():
        yield _hazard_of(op, names)


def _refused(node: _Node, meta: _Meta, *, saves: bool) -> tuple[str, str] | None:
    """The operation of a node that no model needs, or needs elsewhere; None for any other."""
    if node.op in ALLOWED or node.op in meta.library or node.op == "PrintV2":
        return None
    if node.op in _CHECKPOINTS and saves:
        return None
    if node.op in _TABLE_FROM_FILE and meta.assets and _is_asset(node, meta):
        return None
    return (node.op, "")


def _is_asset(node: _Node, meta: _Meta) -> bool:
    """Whether the file that a table is read from is one of the model's own, or an argument that stands for it."""
    source = _node_of(node.inputs[1]) if len(node.inputs) > 1 else ""
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
