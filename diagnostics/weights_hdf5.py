"""Lists the variables in HDF5 weights: those of Keras 1 and 2 by layer names, those of Keras 3 by their groups.

Only datasets that the gate calls sound are taken; names that the file has for them are looked up among those, so that no
path is resolved by the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ..errors import SubjectError
from ..knowledge.lines import Line
from .flow import Place, flow_of
from .graph import Graph
from .safety_hdf5 import MAX_OBJECTS, sound_datasets
from .weights import Variable, guarded
from .weights_names import DIRECT, Addresses, Owner, plain_name, variable_name

BLOCK = 1 << 22  # elements that are read at once
MAX_CHUNK = 1 << 26  # bytes of a chunk, which the library unpacks as a whole
MAX_NAMES = 16 << 20  # bytes of an attribute
MAX_TEXT = 4096
_MODEL, _OPTIMIZER = "model_weights", "optimizer_weights"


@dataclass(frozen=True)
class Found:
    """What a file stores: the variables of layers, those of the optimizer, what was not read, and the backend it names."""

    variables: tuple[Variable, ...]
    optimizer: tuple[Variable, ...]
    skipped: tuple[str, ...]
    backend: str | None = None


def hdf5_variables(opened: ExitStack, source: Any, name: str, graph: Graph | None, line: Line | None) -> Found:  # noqa: ANN401
    """List the variables of an HDF5 file.

    Args:
        opened: closes the file later.
        source: a path or a binary stream.
        name: how the reader knows the file.
        graph: the model's, None where there is none.
        line: the Keras line that wrote it.
    """
    import h5py  # noqa: PLC0415

    file = opened.enter_context(h5py.File(source, "r"))
    datasets: dict[str, Any] = {}
    skipped = []
    for path, dataset in sound_datasets(file):
        if dataset is None or not _readable(dataset):
            skipped.append(path.strip("/"))
        else:
            datasets[path.strip("/")] = dataset
    root = _MODEL if _hard(file, _MODEL) else ""
    if "layer_names" in file[root or "/"].attrs or "layer_names0" in file[root or "/"].attrs:
        variables = tuple(_by_names(file, root, datasets, graph))
        optimizer = tuple(_optimizer_by_names(file, datasets))
    else:
        variables, optimizer = _by_groups(file, datasets, graph, line)
    if not datasets and skipped:
        raise SubjectError(f"{name}: none of its datasets can be read safely", f"{name}：没有可以安全读取的数据集")
    return Found(variables, optimizer, tuple(skipped), _told(file[root] if root else file, "backend"))


def _readable(dataset: Any) -> bool:  # noqa: ANN401
    """Numbers, in chunks that are not out of proportion."""
    kind, chunks = dataset.dtype, dataset.chunks
    size = kind.itemsize
    for length in chunks or ():
        size *= length
    return (kind.kind in "fiub" or kind.str[1:] == "V2") and kind.subdtype is None and size <= MAX_CHUNK


def _hard(group: Any, name: str) -> bool:  # noqa: ANN401
    """Whether a group is there, under a link of its own."""
    import h5py  # noqa: PLC0415

    return (
        name in group
        and isinstance(group.get(name, getlink=True), h5py.HardLink)
        and isinstance(group[name], h5py.Group)
    )


def _names(group: Any, name: str) -> list[str]:  # noqa: ANN401
    """A list of names in an attribute, or in several that Keras cut it into (`layer_names0`, ...)."""
    parts = [name] if name in group.attrs else []
    while not parts or (parts[0] != name and f"{name}{len(parts)}" in group.attrs):
        parts.append(f"{name}{len(parts)}")
        if parts[0] not in group.attrs:
            return []
    return [text for part in parts for text in _texts(group, part)]


def _texts(group: Any, name: str) -> Iterator[str]:  # noqa: ANN401
    import h5py  # noqa: PLC0415

    attribute = h5py.h5a.open(group.id, name.encode())
    count = attribute.get_space().get_simple_extent_npoints()
    if not count:  # HDF5 has no size of an empty attribute
        return
    if attribute.get_storage_size() > MAX_NAMES or count > MAX_OBJECTS:
        raise SubjectError(f"{name} is declared with more names than any model has", f"{name} 声明的名字过多")
    value = group.attrs[name]
    for text in value if getattr(value, "shape", None) else ():
        if isinstance(text, bytes):
            yield text.decode("utf-8", "replace")
        elif isinstance(text, str):
            yield text


def _by_names(file: Any, root: str, datasets: dict[str, Any], graph: Graph | None) -> Iterator[Variable]:  # noqa: ANN401
    """Keras 1 and 2, and Keras 3's legacy HDF5: a group per top-level layer with the names of its weights."""
    places = flow_of(graph).places if graph else {}
    top = file[root] if root else file
    for layer in _names(top, "layer_names"):
        if not _hard(top, layer):
            continue
        inside = {path: place for path, place in places.items() if path.startswith(f"{layer}/")}
        for weight in _names(top[layer], "weight_names"):
            path = "/".join(part for part in (root, layer, weight) if part)
            if path in datasets:
                owner = _owner(layer, weight, places.get(layer), inside)
                yield _variable(owner, plain_name(weight, owner.layer), path, datasets[path])


def _owner(layer: str, weight: str, place: Place | None, inside: dict[str, Place]) -> Owner:
    """The layer that a weight belongs to: in a nested model, the one whose name stands in the weight's."""
    groups = weight.split("/")[:-1]
    if place is not None:
        class_name = place.layer.class_name
        part = "" if class_name in DIRECT else "/".join(groups[1:])
        return Owner(layer, class_name, place.layer.config, part, mapped=True)
    called = [path for path in inside if path.rpartition("/")[2] in groups]
    if len(called) > 1:  # the models in between tell it apart
        called = [path for path in called if set(path.split("/")[1:]) <= set(groups)]
    if len(called) == 1:
        found = inside[called[0]].layer
        part = "" if found.class_name in DIRECT else "/".join(groups[groups.index(found.name) + 1 :])
        return Owner(called[0], found.class_name, found.config, part, mapped=True)
    return Owner(layer, "", {}, "/".join(groups), mapped=False)


def _optimizer_by_names(file: Any, datasets: dict[str, Any]) -> Iterator[Variable]:  # noqa: ANN401
    if not _hard(file, _OPTIMIZER):
        return
    for weight in _names(file[_OPTIMIZER], "weight_names"):
        path = f"{_OPTIMIZER}/{weight}"
        if path in datasets:
            owner = Owner("", "", {}, "/".join(weight.split("/")[:-1]), mapped=False)
            yield _variable(owner, plain_name(weight, ""), path, datasets[path])


def _by_groups(
    file: Any,  # noqa: ANN401
    datasets: dict[str, Any],
    graph: Graph | None,
    line: Line | None,
) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Keras 3: "layers/dense_1/vars/0"."""
    groups: dict[str, list[str]] = {}
    for path in datasets:
        group, _, index = path.rpartition("/")
        groups.setdefault(group, []).append(index)
    siblings, addresses = _siblings(groups), Addresses(graph, line)
    variables: list[Variable] = []
    optimizer: list[Variable] = []
    for group, indices in groups.items():
        parts = group.split("/")
        if parts[-1] == "vars":
            parts = parts[:-1]
        is_optimizer = parts[:1] == ["optimizer"]
        named = None if is_optimizer else _told(file[group or "/"], "name")
        owner = (
            Owner("", "", {}, "/".join(parts), mapped=False)
            if is_optimizer
            else addresses.owner(parts, siblings, named)
        )
        for index in sorted(indices, key=lambda text: (len(text), text)):
            path = f"{group}/{index}" if group else index
            found = _variable(owner, variable_name(owner, index, len(indices)), path, datasets[path])
            (optimizer if is_optimizer else variables).append(found)
    order = {path: number for number, path in enumerate(flow_of(graph).places)} if graph else {}
    variables = [v for v in variables if not v.stored.startswith("metrics/")]
    variables.sort(key=lambda variable: order.get(variable.layer, len(order)))
    return tuple(variables), tuple(optimizer)


def _siblings(groups: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """The names in each group, by the group's path."""
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        parts = group.split("/")
        for at in range(1, min(len(parts), 64)):
            found.setdefault("/".join(parts[:at]), {})[parts[at]] = None
    return {path: tuple(names) for path, names in found.items()}


def _told(group: Any, name: str) -> str | None:  # noqa: ANN401
    """A short text in an attribute."""
    import h5py  # noqa: PLC0415

    if name not in group.attrs or h5py.h5a.open(group.id, name.encode()).get_storage_size() > MAX_TEXT:
        return None
    value = group.attrs[name]
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return value[:MAX_TEXT] if isinstance(value, str) else None


def _variable(owner: Owner, name: str, path: str, dataset: Any) -> Variable:  # noqa: ANN401
    if owner.class_name.startswith("DepthwiseConv") and name == "kernel":  # Keras 3's name of it
        name = "depthwise_kernel"
    kind = "bfloat16" if dataset.dtype.str[1:] == "V2" else dataset.dtype.name
    return Variable(
        layer=owner.layer,
        class_name=owner.class_name,
        part=owner.part,
        name=name,
        shape=tuple(dataset.shape or ()),
        dtype=kind,
        stored=path,
        mapped=owner.mapped,
        blocks=guarded(_reader(dataset), path),
    )


def _reader(dataset: Any) -> Callable[[], Iterator[Any]]:  # noqa: ANN401
    def blocks() -> Iterator[Any]:
        if not dataset.shape or dataset.size <= BLOCK:
            if dataset.size:
                yield numbers(dataset[()])
            return
        rows = max(1, BLOCK * dataset.shape[0] // dataset.size)
        if dataset.size // dataset.shape[0] > BLOCK * 16:
            raise SubjectError(
                f"{dataset.name}: rows of over {BLOCK * 16:,} elements", f"{dataset.name}：一行的元素过多"
            )
        for start in range(0, dataset.shape[0], rows):
            yield numbers(dataset[start : start + rows])

    return blocks


def numbers(block: Any) -> Any:  # noqa: ANN401
    """An array of a type that NumPy computes with: bfloat16, which it stores as two bytes, becomes float32."""
    import numpy as np  # noqa: PLC0415

    block = np.atleast_1d(block)
    if block.dtype.kind == "V":
        return (block.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return block.astype(np.float32) if block.dtype == np.float16 else block
