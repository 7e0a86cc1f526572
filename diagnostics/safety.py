"""The static gate: may a model file be handed to Keras at all? Nothing of it is executed or believed to find out.

What a Keras model needs is allowed, everything else is refused and named, at any depth; what the file says of itself (its
ending, `keras_version`) clears nothing. Only structure is read, so the time does not grow with the weights.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.text import Text
from .formats import identify
from .hazard import CORRUPT, Hazard, hazard
from .model_file import MAX_CONFIG, MAX_MEMBERS
from .safety_archive import examine_archive
from .safety_arrays import examine_npy, examine_npz
from .safety_config import Seen, examine_config
from .safety_graph import examine_graph, examine_saved_model
from .safety_hdf5 import examine_hdf5
from .safety_packed import examine_packed, examine_tar
from .saved_model import GRAPH, keras_objects, read_graph
from .wording import names_en, names_zh
from .yaml_architecture import yaml_architecture

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_CONFIGURATIONS = ("model_config", "training_config")  # attributes of an HDF5 model


@dataclass(frozen=True)
class Examined:
    """What stands in a file: hazards, and the custom code that is needed to load it, which is none."""

    hazards: tuple[Hazard, ...]
    custom: tuple[str, ...]


def unsafe(path: Path) -> tuple[Hazard, ...]:
    """Every reason why a model file must not be loaded outside a sandbox; none where it may.

    Args:
        path: a .keras archive, HDF5 (whole models and weights), a SavedModel folder or its `.pb`, a frozen graph, a SavedModel
            in a zip or tar, an architecture in JSON or YAML, npz or npy, whatever it is called. Anything else is refused.

    Raises:
        SubjectError: h5py, which HDF5 needs, is not installed, or the file cannot be read: nothing is known of it.
    """
    return examined(path).hazards


def examined(path: Path) -> Examined:
    """The same, and the names of the custom code that is needed to load the file."""
    hazards: list[Hazard] = []
    custom: dict[str, None] = {}
    try:
        for found in _seen(path):
            if isinstance(found, Hazard):
                hazards.append(found)
            else:
                hazards += found.hazards
                custom |= found.custom
    except SubjectError as error:
        hazards.append(Hazard(Text(str(error), error.zh), (CORRUPT,)))
    except Exception as error:  # noqa: BLE001 - what cannot be examined is refused, whatever was raised
        hazards.append(_broken(error))
    return Examined(tuple(dict.fromkeys(hazards)), tuple(custom))


def _seen(path: Path) -> Iterator[Hazard | Seen]:
    """Hazards of a file's structure, and what stands in its configurations."""
    if path.is_dir():
        yield from _folder(path)
        return
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_ZIP):
        _need_h5py(path)
        yield from _zip(path)
    elif start == _HDF5:
        _need_h5py(path)
        yield from _hdf5(path)
    else:
        yield from _other(path)


def _zip(path: Path) -> Iterator[Hazard | Seen]:
    with zipfile.ZipFile(path) as archive:
        names = {member.filename for member in archive.infolist()[: MAX_MEMBERS + 1]}
    if "config.json" in names:
        yield from examine_archive(path)
        yield from (examine_config(_parsed(text)) for text in _texts_of_archive(path))
    elif names and all(name.endswith(".npy") for name in names):
        yield from examine_npz(path)
    else:
        yield from examine_packed(path)


def _other(path: Path) -> Iterator[Hazard | Seen]:
    form = identify(path)
    if form.id == "architecture-json":
        yield examine_config(_unwrapped(_parsed(path.read_bytes())))
    elif form.id == "architecture-yaml":
        yield examine_config(yaml_architecture(path))
    elif form.id == "saved-model-pb":
        yield from examine_saved_model(read_graph(path))
    elif form.id == "frozen-graph":
        yield from examine_graph(read_graph(path))
    elif form.id in ("saved-model-tar", "saved-model-tar-gz"):
        yield from examine_tar(path)
    elif form.id == "data-npy":
        yield from examine_npy(path)
    elif form.id in ("tar", "tar-gz", "tar-of-model", "tar-gz-of-model"):
        yield from examine_tar(path)
        yield _no_model(path)
    else:
        yield _no_model(path)


def _unwrapped(read: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """An architecture that was packed into JSON twice."""
    return _parsed(read.encode()) if isinstance(read, str) else read


def _folder(path: Path) -> Iterator[Hazard | Seen]:
    """A SavedModel folder: its graph, the layers that Keras 2 wrote down, and no links out of it."""
    if not (path / GRAPH).is_file():
        yield _no_model(path)
        return
    yield from _links(path)
    yield from examine_saved_model(read_graph(path))
    yield from (examine_config(found) for found in keras_objects(path))


def _links(path: Path) -> Iterator[Hazard]:
    names = [str(entry.relative_to(path)) for entry in islice(path.rglob("*"), MAX_MEMBERS) if entry.is_symlink()]
    if names:
        yield hazard(f"the folder holds symbolic links: {names_en(names)}", f"目录中有符号链接：{names_zh(names)}")


def _need_h5py(path: Path) -> None:
    try:
        import h5py  # noqa: F401, PLC0415 - an optional extra, and a tenth of a second
    except ImportError:
        raise SubjectError(f"{path.name}: examining it needs h5py: pip install 'kerasdoctor[models]'") from None


def _no_model(path: Path) -> Hazard:
    return hazard(
        f"{path.name} is neither a .keras archive nor HDF5 nor another model that can be examined",
        f"{path.name} 既不是 .keras 压缩包，也不是 HDF5 或其他可检查的模型",
        CORRUPT,
    )


def _broken(error: Exception) -> Hazard:
    kind = f"{type(error).__name__}: {error}"[:200]
    return hazard(
        f"the file is damaged or not what it claims to be ({kind})", f"文件已损坏或名不副实（{kind}）", CORRUPT
    )


def _parsed(text: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the configuration is nested deeper than any model's") from None


def _texts_of_archive(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename == "config.json" and member.file_size <= MAX_CONFIG:
                yield archive.read(member)


def _hdf5(path: Path) -> Iterator[Hazard | Seen]:
    import h5py  # noqa: PLC0415

    if _is_archive(path):
        yield hazard(
            "the HDF5 file is a zip archive as well: which one is loaded depends on the program",
            "这个 HDF5 文件同时是 zip 压缩包：不同程序读到的不是同一个",
        )
    with h5py.File(path, "r") as file:
        yield from examine_hdf5(file, path.stat().st_size)
        yield from (examine_config(_parsed(text)) for text in _texts_of_hdf5(h5py, file))


def _texts_of_hdf5(h5py: Any, file: Any) -> Iterator[bytes]:  # noqa: ANN401 - h5py has no types
    for name in _CONFIGURATIONS:
        if name not in file.attrs:
            continue
        if h5py.h5a.open(file.id, name.encode()).get_storage_size() > MAX_CONFIG:
            raise ValueError(f"{name} is declared larger than {MAX_CONFIG:,} bytes")
        value = file.attrs[name]
        text = value.encode() if isinstance(value, str) else value
        if not isinstance(text, bytes) or len(text) > MAX_CONFIG:
            raise ValueError(f"{name} is no text of at most {MAX_CONFIG:,} bytes")
        yield text


def _is_archive(path: Path) -> bool:
    """`zipfile.is_zipfile` asks for four bytes near the end only, which weights may hold by chance."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path):
            return True
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return False
