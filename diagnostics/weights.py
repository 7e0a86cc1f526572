"""The values that a model file stores, layer by layer: what the weight probes look at.

Variables are listed at once and read on demand, in blocks, so that the memory that is needed does not grow with the file.
Each is read once for its statistics, which all probes share. Nothing is unpickled, no link is followed out of the file.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ..errors import SubjectError
from .archive_members import member_stream
from .flow import Flow, flow_of
from .graph import Graph, graph_of
from .model_file import ModelFile, read_model
from .safety_archive import WEIGHTS, WEIGHTS_NPZ
from .safety_hdf5 import FREE_TOTAL, MAX_RATIO_TOTAL
from .weights_statistics import Statistics, statistics_of

MAX_AT_ONCE = 64_000_000  # elements that `values` gives in one array
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Variable:
    """One array that the file stores.

    `layer` is the path of its layer ("inner/dense"), as in `flow.flow_of`, where `mapped`; otherwise the name that the file
    has for it. `part` is what of the layer it belongs to ("forward_layer/cell"), "" where it is the layer's own. `name` is
    Keras' name ("kernel", "moving_variance"), or the position in the file where the class is unknown. `stored` is where
    it lies in the file, `dtype` NumPy's name of its type ("bfloat16" included).
    """

    layer: str
    class_name: str
    part: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    stored: str
    mapped: bool
    blocks: Callable[[], Iterator[Any]] = field(repr=False, compare=False)

    @property
    def path(self) -> str:
        """How a reader knows it: "inner/dense/kernel"."""
        return "/".join(piece for piece in (self.layer, self.part, self.name) if piece)

    @property
    def size(self) -> int:
        """How many elements it has."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def is_float(self) -> bool:
        """Whether it holds numbers that training changes: quantized weights, counters and seeds are integers."""
        return self.dtype in ("float16", "bfloat16", "float32", "float64")

    def values(self) -> Any:  # noqa: ANN401 - an array
        """All elements as one NumPy array of its shape.

        Raises:
            SubjectError: there are more than `MAX_AT_ONCE`, or they cannot be read.
        """
        import numpy as np  # noqa: PLC0415 - comes with h5py, an optional extra

        if self.size > MAX_AT_ONCE:
            raise SubjectError(
                f"{self.path} has {self.size:,} elements; at most {MAX_AT_ONCE:,} are read at once",
                f"{self.path} 有 {self.size:,} 个元素；一次最多读取 {MAX_AT_ONCE:,} 个",
            )
        blocks = list(self.blocks())
        return np.concatenate(blocks).reshape(self.shape) if blocks else np.zeros(self.shape)

    @cached_property
    def statistics(self) -> Statistics:
        """What one pass over its elements tells, kept for all probes."""
        return statistics_of(self.blocks(), self.shape)


@dataclass(frozen=True)
class Weights:
    """What a file stores, open for reading: use it in a `with` block.

    `model` and `graph` are None for a file of weights only; `graph` also for a subclassed model. `variables` are those of
    layers, in the graph's order; `optimizer` those of the optimizer, in the file's order. `skipped` are the paths of what is
    there and was not read: links out of the file, datasets larger than what is stored of them, types that are no numbers.
    `backend` is what the file says that it was written with ("tensorflow", "theano"), None where it says nothing.
    """

    path: Path
    model: ModelFile | None
    graph: Graph | None
    variables: tuple[Variable, ...]
    optimizer: tuple[Variable, ...]
    skipped: tuple[str, ...]
    backend: str | None
    opened: ExitStack = field(repr=False, compare=False)

    def __enter__(self) -> Self:
        """The weights themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.opened.close()

    @cached_property
    def flow(self) -> Flow | None:
        """Who feeds whom; None without a graph."""
        return flow_of(self.graph) if self.graph is not None else None

    @cached_property
    def layers(self) -> dict[str, dict[str, Variable]]:
        """The variables that are layers' own (not of a cell or a wrapped layer in them), by layer and name."""
        found: dict[str, dict[str, Variable]] = {}
        for variable in self.variables:
            own = found.setdefault(variable.layer, {})
            if not variable.part:
                own.setdefault(variable.name, variable)
        return found

    @cached_property
    def parts(self) -> dict[str, list[Variable]]:
        """All variables of each layer, those of its cells and wrapped layers included."""
        found: dict[str, list[Variable]] = {}
        for variable in self.variables:
            found.setdefault(variable.layer, []).append(variable)
        return found

    @cached_property
    def iterations(self) -> int | None:
        """How many steps the optimizer took, None where the file doesn't say."""
        counters = [v for v in self.optimizer if v.size == 1]
        named = [v for v in counters if v.name.startswith("iter") or "inner_optimizer/vars/0" in v.stored]
        # Keras 3 gives positions instead of names, and the first is the counter; Keras 2.0 counted in float32.
        chosen = named or [v for v in counters if v.name == "0" and "int" in v.dtype]
        count = chosen[0].statistics.high if chosen else math.inf
        return int(count) if math.isfinite(count) else None


def guarded(blocks: Callable[[], Iterator[Any]], path: str) -> Callable[[], Iterator[Any]]:
    """The same blocks, where what a library raises on damaged data is told as such."""

    def read() -> Iterator[Any]:
        try:
            yield from blocks()
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            reason = f"{type(error).__name__}: {error}"[:200]
            raise SubjectError(f"{path} cannot be read: {reason}", f"无法读取 {path}：{reason}") from error

    return read


def read_weights(path: Path) -> Weights:
    """Open the weights of a file: a .keras archive, HDF5 with or without the model, or .npz.

    Raises:
        SubjectError: it is no such file, is damaged, declares more than it stores, or h5py is missing.
    """
    try:
        import h5py  # noqa: F401, PLC0415
    except ImportError:
        raise SubjectError(f"{path.name}: reading weights needs h5py: pip install 'kerasdoctor[models]'") from None
    with ExitStack() as opened:
        try:
            return _open(path, opened)
        except SubjectError:
            raise
        except (
            OSError,
            RuntimeError,
            KeyError,
            ValueError,
            TypeError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            reason = f"{type(error).__name__}: {error}"[:200]
            raise SubjectError(
                f"{path.name}: its weights cannot be read ({reason})", f"无法读取 {path.name} 的权重（{reason}）"
            ) from error


def _open(path: Path, opened: ExitStack) -> Weights:
    from .weights_hdf5 import hdf5_variables  # noqa: PLC0415 - together with h5py
    from .weights_npz import npz_variables  # noqa: PLC0415

    start = _first_bytes(path)
    names = _members(path) if start.startswith(_ZIP) else frozenset()
    alone = (start == _HDF5 and not _has_model(path)) or (names and "config.json" not in names)
    model = None if alone else read_model(path)
    graph = graph_of(model) if model else None
    line = model.line if model else None
    if start == _HDF5:
        found = hdf5_variables(opened, path, path.name, graph, line)
    elif "config.json" not in names:
        found = npz_variables(path.open("rb"), opened, path.name, graph)
    elif WEIGHTS in names:
        found = hdf5_variables(opened, _stream(path, WEIGHTS, opened), path.name, graph, line)
    elif WEIGHTS_NPZ in names:
        found = npz_variables(_stream(path, WEIGHTS_NPZ, opened), opened, path.name, graph)
    else:
        raise SubjectError(f"{path.name} holds no weights ({WEIGHTS})", f"{path.name} 中没有权重（{WEIGHTS}）")
    _check_total([*found.variables, *found.optimizer], path)
    weights = Weights(
        path, model, graph, found.variables, found.optimizer, found.skipped, found.backend, opened.pop_all()
    )
    return weights  # noqa: RET504 - what was opened changes hands with this line


def _first_bytes(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(8)


def _members(path: Path) -> frozenset[str]:
    with zipfile.ZipFile(path) as archive:
        return frozenset(archive.namelist())


def _has_model(path: Path) -> bool:
    import h5py  # noqa: PLC0415

    with h5py.File(path, "r") as file:
        return "model_config" in file.attrs


def _stream(path: Path, name: str, opened: ExitStack) -> IO[bytes] | Any:  # noqa: ANN401 - a binary stream
    raw = opened.enter_context(path.open("rb"))
    stream = member_stream(raw, name)
    if stream is None:
        raise SubjectError(f"{path.name}: {name} cannot be unpacked", f"{path.name}：无法解压 {name}")
    return opened.enter_context(stream)


def _check_total(variables: list[Variable], path: Path) -> None:
    """Each dataset was checked on its own; many that overlap could still ask for more than the file has."""
    total, size = sum(variable.size * 4 for variable in variables), path.stat().st_size
    if total > FREE_TOTAL and total > MAX_RATIO_TOTAL * size:
        raise SubjectError(
            f"{path.name} declares {total:,} bytes of weights in {size:,} bytes",
            f"{path.name} 只有 {size:,} 字节，却声明了 {total:,} 字节的权重",
        )
