"""Parts of a SavedModel folder that are read: the graph, and the layers that Keras 2 wrote down in keras_metadata.pb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from .file_format import MAX_MEMBERS
from .wire import WireError, fields, parts, text

GRAPH = "saved_model.pb"
METADATA = "keras_metadata.pb"
MAX_GRAPH = 256 * 1024 * 1024
MAX_METADATA = 32 * 1024 * 1024


def graph_path(path: Path) -> Path:
    """The file with the graph, of a folder or of a `.pb` file itself."""
    return path / GRAPH if path.is_dir() else path


def read_graph(path: Path) -> memoryview:
    """The bytes of the graph.

    Raises:
        SubjectError: they are more than a model has, or no message.
    """
    file = graph_path(path)
    data = _bytes(file, MAX_GRAPH)
    try:
        for _ in fields(data):
            pass
    except WireError as error:
        raise SubjectError(
            f"{path.name} is a SavedModel whose {file.name} is damaged: {error}",
            f"{path.name} 是 SavedModel，但其中的 {file.name} 已损坏：{error}",
        ) from error
    return data


def _bytes(file: Path, limit: int) -> memoryview:
    size = file.stat().st_size
    if size > limit:
        raise SubjectError(
            f"{file.name} has {size:,} bytes; at most {limit:,} are read",
            f"{file.name} 有 {size:,} 字节，最多读取 {limit:,}",
        )
    return memoryview(file.read_bytes())


def keras_objects(path: Path) -> Iterator[dict[str, Any]]:
    """What Keras 2 wrote of each layer and of the model, the model first; none where the folder has no such file.

    Source: `SavedMetadata` in protobuf/saved_metadata.proto of Keras 2: nodes = 1, and in each metadata = 5.

    Raises:
        SubjectError: the file is damaged or not what Keras writes.
    """
    file = path / METADATA
    if not path.is_dir() or not file.is_file():
        return
    try:
        for node in islice(parts(_bytes(file, MAX_METADATA), 1), MAX_MEMBERS):
            metadata = next(parts(node, 5), memoryview(b"{}"))
            read = json.loads(bytes(metadata))
            if isinstance(read, dict):
                yield {"node_path": text(node, 3), **read}
    except (WireError, ValueError, RecursionError) as error:
        raise SubjectError(
            f"{path.name} is a SavedModel whose {METADATA} is damaged: {type(error).__name__}",
            f"{path.name} 是 SavedModel，但其中的 {METADATA} 已损坏：{type(error).__name__}",
        ) from error


def keras_root(path: Path) -> dict[str, Any]:
    """What Keras 2 wrote of the model itself; {} where it wrote nothing.

    Raises:
        SubjectError: the graph or what Keras wrote is damaged.
    """
    read_graph(path)
    return next((found for found in keras_objects(path) if found["node_path"] == "root"), {})
