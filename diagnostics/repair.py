"""Repairs: each changes one kind of thing in a copy of a model, one file each in `repairs/`. The folder is the registry.

A repair's module defines `REPAIR = Repair(...)`. Its `mend` is given a `Draft`, the model taken apart, changes it in place and
yields a `Change` for each thing it changed; where it yields nothing it did not apply. Repairs run in the worker, where NumPy is
at hand; none of them imports Keras. What they made is built, saved, loaded again and compared by `mending`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal

from ..knowledge.lines import Line
from ..knowledge.text import Text
from .model_file import Json

Target = Literal["keras3", "keras2"]
SHOWN = 600


@dataclass
class Draft:
    """A model taken apart. `config` and `compiled` are as Keras wrote them and may be changed in place.

    `weights` holds the arrays of each layer by its path ("inner/dense"), in the order of Keras' `get_weights()`: as a Keras that
    loads the file has them, else as the file stores them.
    `target` is the Keras that the copy is for, `line` the one that wrote the file, `suffix` the ending it came with and
    `copy_suffix` the one that the copy gets; `backend` is what the file says that it was written with.
    """

    config: Json
    compiled: Json | None
    target: Target
    line: Line | None
    suffix: str
    container: str
    copy_suffix: str = ".keras"
    backend: str | None = None
    weights: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One change: in words, where (a layer's path, "compile", "file"), and the piece before and after."""

    text: Text
    where: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Repair:
    """A repair: its id, its promise in a line, the topics it is a fix for, and whether outputs stay as they were.

    `stage` orders them: what reads an old format comes before what looks for faults in the new one, and `format` writes come
    last. `targets` are the Kerases that it is for. `tolerance` is how far outputs may move relative to the largest, where the
    precision itself is what changes.
    """

    id: str
    promise: Text
    topics: tuple[str, ...]
    mend: Callable[[Draft], Iterator[Change]]
    keeps_outputs: bool = True
    stage: Literal["read", "fault", "write"] = "fault"
    targets: tuple[Target, ...] = ("keras3", "keras2")
    tolerance: float = 0.0


def shown(piece: object) -> str:
    """A piece of configuration as it is shown in a change: JSON, cut where it is long."""
    text = piece if isinstance(piece, str) else json.dumps(piece, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"


def layers_of(config: object, prefix: str = "") -> Iterator[tuple[str, Json]]:
    """Every layer of a configuration as it is written (a dict with `class_name` and `config`), outermost first, by path.

    A wrapper's inner layer comes under the path of the wrapper with `/layer`; the model itself comes first, under "".
    """
    if not isinstance(config, dict):
        return
    if not prefix:
        yield "", config
    inner = config.get("config")
    listed = inner.get("layers") if isinstance(inner, dict) else inner  # a list before Keras 2.2.3
    for layer in listed if isinstance(listed, list) else ():
        yield from _layer(layer, prefix)


def _layer(layer: object, prefix: str) -> Iterator[tuple[str, Json]]:
    if not isinstance(layer, dict) or not isinstance(layer.get("class_name"), str):
        return
    inner = layer.get("config")
    name = layer.get("name") or (inner.get("name") if isinstance(inner, dict) else None) or layer["class_name"]
    path = f"{prefix}{name}"
    yield path, layer
    for key in ("layer", "backward_layer"):
        if isinstance(inner, dict) and isinstance(inner.get(key), dict):
            yield from _layer(inner[key], f"{path}/")
    yield from layers_of(layer, f"{path}/")


def shift_calls_of_models(config: object, by: int) -> bool:
    """Renumber the calls of nested models; whether anything was renumbered.

    Keras 2 counts the call with which such a model was built (`_should_skip_first_node` in tf_keras/src/engine/functional.py).
    Keras 3 does not, but for a Functional that is itself an output (`get_tensor` in keras/src/models/functional.py).
    """
    shifted = False
    for _, model in layers_of(config):
        inner = model.get("config")
        layers = inner.get("layers") if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or not isinstance(layers, list) or model.get("class_name") == "Sequential":
            continue
        sound = [each for each in layers if isinstance(each, dict)]
        chains = {str(each.get("name")) for each in sound if each.get("class_name") == "Sequential"}
        graphs = {str(each.get("name")) for each in sound if each.get("class_name") in ("Functional", "Model")}
        for part in (each.get("inbound_nodes") for each in sound):
            shifted |= _shift(part, chains | graphs, by)
        for key in ("input_layers", "output_layers"):
            shifted |= _shift(inner.get(key), chains, by)
    return shifted


def _shift(value: Any, names: set[Any], by: int) -> bool:  # noqa: ANN401 - JSON of any shape
    """Renumber every reference [layer, call, tensor, ...] to one of the layers."""
    if isinstance(value, dict):
        return sum(_shift(part, names, by) for part in value.values()) > 0  # all of them, not up to the first
    if not isinstance(value, list):
        return False
    if len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int and type(value[2]) is int:  # noqa: PLR2004
        if value[0] in names and value[1] + by >= 0:
            value[1] += by
            return True
        return False
    return sum(_shift(part, names, by) for part in value) > 0


@cache
def all_repairs() -> tuple[Repair, ...]:
    """Every repair in `repairs/`, in the order in which they run."""
    package = import_module(f"{__package__}.repairs")
    modules = [import_module(f"{package.__name__}.{m.name}") for m in iter_modules(package.__path__)]
    stages = ("read", "fault", "write")
    return tuple(sorted((module.REPAIR for module in modules), key=lambda r: (stages.index(r.stage), r.id)))
