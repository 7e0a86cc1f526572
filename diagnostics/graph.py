"""The layer graph of a model, read from its configuration alone: Keras 1 to 3, Sequential and functional, nested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ..errors import SubjectError
from ..knowledge.text import Text
from .model_file import Json, ModelFile
from .probe import CouldNotLook

MAX_DEPTH = 20
MAX_LAYERS = 50_000
_MODELS = frozenset({"Functional", "Model", "Sequential"})


@dataclass(frozen=True)
class Tensor:
    """One output of one call of a layer, as configurations refer to it."""

    layer: str
    node: int
    index: int


@dataclass(frozen=True)
class Call:
    """One call of a layer (Keras: an inbound node): the tensors that went in, each once.

    `written` is the node as the file has it, with the arguments that are no tensors; None for a call that is implied.
    """

    inputs: tuple[Tensor, ...]
    written: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Layer:
    """A layer: its name, class, configuration, calls, and the graph inside where it is itself a model.

    `built` is the `build_config` that Keras 2.12 and newer write: what the layer was built on. `registered` is the name that
    an own class was registered under, "" or the class's name where it wasn't.
    """

    name: str
    class_name: str
    module: str
    config: Json
    calls: tuple[Call, ...]
    inner: Graph | None = None
    built: Json = field(default_factory=dict, compare=False, repr=False)
    registered: str = ""


@dataclass(frozen=True, eq=False)  # told apart by identity, see ModelFile
class Graph:
    """A model as a graph of layers. `sequential` graphs are chains whose calls are implied by the order."""

    name: str
    sequential: bool
    layers: tuple[Layer, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Graph]]:
        """This graph and all nested ones, each with the path of layer names that leads to it ("" or "a/b/")."""
        yield prefix, self
        for layer in self.layers:
            if layer.inner is not None:
                yield from layer.inner.walk(f"{prefix}{layer.name}/")


@lru_cache(maxsize=4)
def graph_of(model: ModelFile) -> Graph | None:
    """The layer graph of a model file; None for a subclassed model, whose graph is Python code and not in the file.

    Raises:
        SubjectError: the configuration is not one that Keras writes.
    """
    if model.config is None:
        return None
    return _graph(model.config, model.name, depth=0)


def graph_in(written: Json) -> Graph | None:
    """The graph of a model that a wrapper holds (TimeDistributed); None where it isn't one that is in the file.

    Raises:
        SubjectError: the configuration is not one that Keras writes.
    """
    return _graph(written, str(written.get("class_name")), depth=1) if written.get("class_name") in _MODELS else None


def needed_graph(model: ModelFile) -> Graph:
    """The layer graph of a model file, for probes that have nothing to look at without it.

    Raises:
        CouldNotLook: the model is subclassed.
        SubjectError: see `graph_of`.
    """
    graph = graph_of(model)
    if graph is None:
        raise CouldNotLook(
            Text("the model is subclassed: its layers are not in the file", "这是子类化模型：文件里没有各层的信息")
        )
    return graph


def _graph(written: Json, where: str, depth: int) -> Graph | None:
    if depth > MAX_DEPTH:
        raise SubjectError(f"{where}: models are nested more than {MAX_DEPTH} deep")
    config = written.get("config")
    class_name = written.get("class_name")
    if isinstance(config, list) and class_name == "Sequential":  # before Keras 2.2.3
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return None
    layers = config["layers"]
    if len(layers) > MAX_LAYERS:
        raise SubjectError(f"{where}: {len(layers):,} layers; at most {MAX_LAYERS:,} are examined")
    name = str(config.get("name", class_name))
    if class_name == "Sequential":
        return _sequential(name, [_layer(layer, where, depth) for layer in layers])
    if "input_layers" not in config:
        return None
    read = tuple(_layer(layer, where, depth) for layer in layers)
    return Graph(
        name,
        sequential=False,
        layers=read,
        inputs=_ends(config, "input_layers"),
        outputs=_ends(config, "output_layers"),
    )


def _sequential(name: str, layers: list[Layer]) -> Graph:
    """A chain: each layer is called once, on the output of the one before."""
    chained: list[Layer] = []
    for layer in layers:
        calls = (Call((Tensor(chained[-1].name, 0, 0),)),) if chained else ()
        chained.append(replace(layer, calls=calls))
    ends = (Tensor(chained[0].name, 0, 0),) if chained else ()
    return Graph(
        name,
        sequential=True,
        layers=tuple(chained),
        inputs=ends,
        outputs=(Tensor(chained[-1].name, 0, 0),) if chained else (),
    )


def _layer(written: object, where: str, depth: int) -> Layer:
    if not isinstance(written, dict) or not isinstance(written.get("class_name"), str):
        raise SubjectError(f"{where}: a layer of the configuration has no class_name")
    config = written.get("config")
    config = config if isinstance(config, dict) else {}
    class_name = written["class_name"]
    nodes = written.get("inbound_nodes")
    return Layer(
        name=str(written.get("name") or config.get("name") or class_name),
        class_name=class_name,
        module=str(written.get("module") or ""),
        config=config,
        calls=tuple(_call(node) for node in nodes) if isinstance(nodes, list) else (),
        inner=_graph(written, where, depth + 1) if class_name in _MODELS else None,
        built=built if isinstance(built := written.get("build_config"), dict) else {},
        registered=str(written.get("registered_name") or ""),
    )


def _call(node: object) -> Call:
    """One inbound node: Keras 3 writes a dict of args and kwargs, Keras 1 and 2 lists of [layer, node, index, kwargs]."""
    return Call(tuple(dict.fromkeys(_tensors(node))), node)


def _tensors(value: Any, depth: int = 0) -> Iterator[Tensor]:  # noqa: ANN401 - JSON of any shape
    """All references to tensors in a piece of configuration, in order."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        history = value.get("config", {}).get("keras_history") if isinstance(value.get("config"), dict) else None
        if value.get("class_name") == "__keras_tensor__" and isinstance(history, list) and is_reference(history):
            yield Tensor(history[0], history[1], history[2])
        else:
            for part in value.values():
                yield from _tensors(part, depth + 1)
    elif is_reference(value):
        yield Tensor(value[0], value[1], value[2])
        for part in value[3:]:
            yield from _tensors(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _tensors(part, depth + 1)


def is_reference(value: object) -> bool:
    """Whether a list is `[layer, node, index]` or the same with arguments behind it."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and type(value[1]) is int
        and type(value[2]) is int
        and not value[0].startswith("_CONSTANT_VALUE")
    )


def _ends(config: Json, key: str) -> tuple[Tensor, ...]:
    return tuple(dict.fromkeys(_tensors(config.get(key))))
