"""The static gate for TensorFlow graphs: every operation of one, in its functions and in constants that are graphs again.

Field numbers: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saver.proto, saved_object_graph.proto and
tensorflow/core/framework/*.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .hazard import CORRUPT, Hazard, hazard
from .safety_nodes import Meta, Node, judged, node_of
from .wire import WireError, fields, parts, text
from .wording import names_en, names_zh

MAX_NODES = 1_000_000
MAX_NESTED = 3
_PRINTS = re.compile(r"stdout|stderr|log\(\w{1,20}\)")


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
        yield from judged(meta)


def _frozen(data: memoryview) -> Iterator[Hazard]:
    reader, meta = _Reader(), Meta()
    reader.graph(data, meta)
    yield from reader.hazards
    yield from judged(meta)


class _Reader:
    """Reads a graph's nodes; what is hazardous in a node by itself is collected on the way."""

    def __init__(self, depth: int = 0) -> None:
        self.hazards: list[Hazard] = []
        self._depth, self._seen = depth, 0

    def meta(self, data: memoryview) -> Meta:
        meta = Meta()
        for number, value in fields(data):
            if not isinstance(value, memoryview):
                continue
            if number == 2:  # noqa: PLR2004 - graph_def
                self.graph(value, meta)
            elif number == 3:  # noqa: PLR2004 - saver_def: the file name, the save and the restore operation
                meta.saving += [node_of(text(value, n)) for n in (1, 2, 3)]
            elif number == 4:  # noqa: PLR2004 - collection_def: initializers of TensorFlow 1
                meta.serving += _collected(value)
            elif number == 5:  # noqa: PLR2004 - signature_def
                meta.serving += _outputs(value)
            elif number == 6:  # noqa: PLR2004 - asset_file_def
                self._asset(value, meta)
            elif number == 7:  # noqa: PLR2004 - object_graph_def
                meta.callable += [text(entry, 1) for entry in parts(value, 2)]
        return meta

    def graph(self, data: memoryview, meta: Meta) -> None:
        for number, value in fields(data):
            if number == 1 and isinstance(value, memoryview):
                node = self._node(value)
                twin = f"{node.name}#{len(meta.nodes)}"  # two nodes of one name are no valid graph: both are judged
                meta.nodes[twin if node.name in meta.nodes else node.name] = node
            elif number == 2 and isinstance(value, memoryview):  # noqa: PLR2004 - library
                for function in parts(value, 1):
                    name = "".join([text(signature, 1) for signature in parts(function, 1)][-1:])
                    meta.library.setdefault(name, []).extend(self._node(node) for node in parts(function, 3))

    def _asset(self, data: memoryview, meta: Meta) -> None:
        name = text(data, 2)
        meta.assets.update(node_of(text(info, 1)) for info in parts(data, 1))
        if name.startswith("/") or ".." in name.split("/") or {"\\", "\0", ":"}.intersection(name):
            self.hazards.append(
                hazard(
                    f"the asset {names_en([name])} is a file outside the model's folder",
                    f"资源 {names_zh([name])} 是模型目录之外的文件",
                )
            )

    def _node(self, data: memoryview) -> Node:
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
        return Node(name, op, tuple(inputs), tuple(functions))

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
            inner, meta = _Reader(self._depth + 1), Meta()
            inner.graph(data, meta)
            self.hazards += [*inner.hazards, *judged(meta)]


def _begins_like_a_graph(data: memoryview) -> bool:
    try:
        node = next(parts(data, 1))
        return bool(text(node, 1) and re.fullmatch(r"[A-Z]\w+", text(node, 2)))
    except (WireError, StopIteration):
        return False


def _outputs(signature: memoryview) -> Iterator[str]:
    """The nodes that a signature returns or names: a map entry, in it outputs and inputs, in them tensors by name."""
    for body in parts(signature, 2):
        for number in (1, 2):
            for entry in parts(body, number):
                yield from (node_of(text(info, 1)) for info in parts(entry, 2))


def _collected(entry: memoryview) -> Iterator[str]:
    if text(entry, 1) not in ("saved_model_main_op", "legacy_init_op", "main_op", "init_op", "table_initializer"):
        return
    for collection in parts(entry, 2):
        for names in parts(collection, 1):
            yield from (node_of(bytes(name[:4096]).decode("utf-8", "replace")) for name in parts(names, 1))
