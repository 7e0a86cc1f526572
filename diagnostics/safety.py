"""The static gate: may a model file be handed to Keras at all? Nothing of it is executed or believed to find out.

What a Keras model needs is allowed, everything else is refused and named, at any depth; what the file says of itself (its
ending, `keras_version`) clears nothing. Only structure is read, so the time does not grow with the weights.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from .hazard import CORRUPT, Hazard, hazard
from .model_file import MAX_CONFIG
from .safety_archive import examine_archive
from .safety_config import examine_config
from .safety_hdf5 import examine_hdf5

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
        path: a .keras archive or an HDF5 file, whatever it is called. Anything else is refused.

    Raises:
        SubjectError: h5py, which HDF5 needs, is not installed, or the file cannot be read: nothing is known of it.
    """
    return examined(path).hazards


def examined(path: Path) -> Examined:
    """The same, and the names of the custom code that is needed to load the file."""
    _need_h5py(path)
    hazards: list[Hazard] = []
    custom: dict[str, None] = {}
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if start.startswith(_ZIP):
            hazards += examine_archive(path)
            texts = _texts_of_archive(path)
        elif start == _HDF5:
            hazards += _examine_hdf5_file(path)
            texts = _texts_of_hdf5(path)
        else:
            return Examined((_no_model(path),), ())
        for text in texts:
            seen = examine_config(_parsed(text))
            hazards += seen.hazards
            custom |= seen.custom
    except Exception as error:  # noqa: BLE001 - what cannot be examined is refused, whatever was raised
        hazards.append(_broken(error))
    return Examined(tuple(dict.fromkeys(hazards)), tuple(custom))


def _need_h5py(path: Path) -> None:
    try:
        import h5py  # noqa: F401, PLC0415 - an optional extra, and a tenth of a second
    except ImportError:
        raise SubjectError(f"{path.name}: examining it needs h5py: pip install 'kerasdoctor[models]'") from None


def _no_model(path: Path) -> Hazard:
    return hazard(
        f"{path.name} is neither a .keras archive nor HDF5", f"{path.name} 既不是 .keras 压缩包也不是 HDF5", CORRUPT
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


def _texts_of_hdf5(path: Path) -> Iterator[bytes]:
    import h5py  # noqa: PLC0415

    with h5py.File(path, "r") as file:
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


def _examine_hdf5_file(path: Path) -> Iterator[Hazard]:
    import h5py  # noqa: PLC0415

    if _is_archive(path):
        yield hazard(
            "the HDF5 file is a zip archive as well: which one is loaded depends on the program",
            "这个 HDF5 文件同时是 zip 压缩包：不同程序读到的不是同一个",
        )
    with h5py.File(path, "r") as file:
        yield from examine_hdf5(file, path.stat().st_size)


def _is_archive(path: Path) -> bool:
    """`zipfile.is_zipfile` asks for four bytes near the end only, which weights may hold by chance."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path):
            return True
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return False
