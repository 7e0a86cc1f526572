"""Lists the variables in a .npz: numbers only, read as a stream. What would have to be unpickled is never read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from ..errors import SubjectError
from .graph import Graph
from .safety_arrays import is_array
from .weights import Variable, guarded
from .weights_hdf5 import BLOCK, Found, numbers
from .weights_names import Addresses, variable_name

MAX_HEADER = 4096


def npz_variables(stream: Any, opened: ExitStack, name: str, graph: Graph | None) -> Found:  # noqa: ANN401
    """List the variables of a .npz that lies in a stream.

    Raises:
        SubjectError: its arrays are pickled (as those that Keras 3.0 itself writes without h5py are).
    """
    archive = opened.enter_context(zipfile.ZipFile(opened.enter_context(stream)))
    members = [member for member in archive.infolist() if is_array(archive, member)]
    skipped = tuple(member.filename for member in archive.infolist() if member not in members)
    if not members:
        raise SubjectError(
            f"{name}: its .npz weights are pickled, which is never opened here; save the model again as HDF5",
            f"{name}：其 .npz 权重是 pickle 格式，这里绝不打开；请重新保存为 HDF5",
        )
    addresses = Addresses(graph, "keras-3")
    return Found(tuple(_variable(archive, member, addresses) for member in members), (), skipped)


def _variable(archive: zipfile.ZipFile, member: zipfile.ZipInfo, addresses: Addresses) -> Variable:
    path = member.filename.removesuffix(".npy")
    group, _, index = path.rpartition("/")
    parts = [part for part in group.split("/") if part and part != "vars"] or [path]
    owner = addresses.owner(parts, {}, None)
    with archive.open(member) as file:
        shape, kind, _ = _header(file)
    dtype = "bfloat16" if kind.str[1:] == "V2" else kind.name
    name = variable_name(owner, index, 0)
    return Variable(
        owner.layer,
        owner.class_name,
        owner.part,
        name,
        shape,
        dtype,
        path,
        owner.mapped,
        guarded(_reader(archive, member), path),
    )


def _header(file: Any) -> tuple[tuple[int, ...], Any, bool]:  # noqa: ANN401
    from numpy.lib import format as npy  # noqa: PLC0415

    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, kind = read(file, max_header_size=MAX_HEADER)
    return tuple(int(length) for length in shape), kind, bool(fortran)


def _reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], Iterator[Any]]:
    def blocks() -> Iterator[Any]:
        import numpy as np  # noqa: PLC0415

        with archive.open(member) as file:
            shape, kind, fortran = _header(file)
            row = int(np.prod(shape[1:], dtype=np.float64)) if len(shape) > 1 else 1
            if fortran or row > BLOCK * 16:
                raise SubjectError(
                    f"{member.filename}: stored in an order that is not read", f"{member.filename}：存储顺序无法读取"
                )
            rows = max(1, BLOCK // max(1, row))
            left = shape[0] if shape else 1
            while left > 0:
                taken = min(rows, left)
                part = file.read(taken * row * kind.itemsize)
                if len(part) != taken * row * kind.itemsize:
                    raise SubjectError(f"{member.filename} is cut off", f"{member.filename} 不完整")
                yield numbers(np.frombuffer(part, kind)).reshape((taken, *shape[1:]))
                left -= taken

    return blocks
