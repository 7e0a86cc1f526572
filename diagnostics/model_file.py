"""Reads model files without executing or trusting them, and without TensorFlow.

The format is told by the bytes, not by the name. Only the configuration is read, never the weights, so the time does
not depend on their size. Sizes are bounded before anything is read.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import SubjectError
from ..knowledge.lines import Line, line_of

Container = Literal["keras zip", "HDF5"]
MAX_CONFIG = 32 * 1024 * 1024
MAX_MEMBERS = 10_000
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
Json = dict[str, Any]

_OTHER_FORMATS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda b: not b, "is empty: the download or the save was cut off; fetch or save it again"),
    (
        lambda b: b.startswith(b"version https://git-lfs"),
        "is a Git LFS pointer, not the model: run `git lfs pull` in its repository",
    ),
    (
        lambda b: b.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")),
        "is an HTML page, not a model: the download was answered by a web page; use the file's raw or download link",
    ),
    (lambda b: b[4:8] == b"TFL3", "is a TensorFlow Lite model; give the Keras model that it was converted from"),
    (
        lambda b: b.startswith(b"\x80") and b[1:2] in b"\x02\x03\x04\x05",
        "is a Python pickle, which is never opened here",
    ),
    (lambda b: b.startswith(b"\x1f\x8b"), "is gzip-compressed; unpack it and give the model file inside"),
    (
        lambda b: b.startswith(b"\x08\x01\x12"),
        "is the graph of a SavedModel (saved_model.pb), which holds no Keras layers",
    ),
)


@dataclass(frozen=True)
class ModelFile:
    """What a model file says of itself.

    `config` is the architecture as Keras wrote it (`class_name`, `config`), `compiled` what it was compiled with, both None
    where the file has none. `keras_version` is what the file claims.
    """

    path: Path
    name: str
    container: Container
    size: int
    keras_version: str | None
    config: Json | None
    compiled: Json | None

    @property
    def line(self) -> Line | None:
        """The Keras line that wrote the file. `2.2.4-tf` and its like are TensorFlow 2's own Keras."""
        if self.keras_version and self.keras_version.endswith("-tf"):
            return "keras-2"
        return line_of(self.keras_version, None)


def read_model(path: Path) -> ModelFile:
    """Read the configuration of a model file.

    Raises:
        SubjectError: it is missing, not a model file that holds Keras layers, or damaged; the message says which.
    """
    start = _first_bytes(path)
    if start.startswith(_ZIP):
        return _read_zip(path)
    if start.startswith(_HDF5):
        return _read_hdf5(path)
    for test, statement in _OTHER_FORMATS:
        if test(start):
            raise SubjectError(f"{path.name} {statement}")
    raise SubjectError(f"{path.name} is neither a .keras archive nor HDF5 (it begins with {start[:8]!r})")


def _first_bytes(path: Path) -> bytes:
    if path.is_dir():
        inside = "a SavedModel, which holds no Keras layers" if (path / "saved_model.pb").exists() else "no model file"
        raise SubjectError(f"{path.name} is a folder ({inside}); expected a .keras or .h5 file")
    if not path.is_file():
        raise SubjectError(f"{path}: there is no such file; expected a .keras or .h5 file")
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise SubjectError(f"{path.name} cannot be read: {error.strerror}") from error


def _read_zip(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise SubjectError(f"{path.name} has over {MAX_MEMBERS} members; a .keras file has a handful")
            config = _member(archive, path, "config.json")
            if config is None:
                raise SubjectError(f"{path.name} is a zip without config.json, so not a .keras model file")
            metadata = _member(archive, path, "metadata.json") or {}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise SubjectError(f"{path.name} begins like a .keras archive but is damaged: {error}") from error
    version = metadata.get("keras_version")
    compiled = config.get("compile_config")
    return ModelFile(
        path=path,
        name=path.name,
        container="keras zip",
        size=os.stat(path).st_size,  # noqa: PTH116 - one call for both containers
        keras_version=version if isinstance(version, str) else None,
        config=config,
        compiled=compiled if isinstance(compiled, dict) else None,
    )


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> Json | None:
    found = [info for info in archive.infolist() if info.filename == name]
    if not found:
        return None
    if len(found) > 1:
        raise SubjectError(f"{path.name} holds {len(found)} members named {name}; a .keras file has one")
    if found[0].file_size > MAX_CONFIG:
        raise SubjectError(f"{path.name}: {name} would unpack to {found[0].file_size:,} bytes; at most {MAX_CONFIG:,}")
    with archive.open(found[0]) as member:
        return _parse(path, name, member.read(MAX_CONFIG + 1))


def _read_hdf5(path: Path) -> ModelFile:
    try:
        import h5py  # noqa: PLC0415 - an optional extra, and a tenth of a second
    except ImportError:
        raise SubjectError(f"{path.name} is HDF5; reading it needs h5py: pip install 'kerasdoctor[models]'") from None
    try:
        with h5py.File(path, "r") as file:
            texts = {name: _attribute(h5py, file, path, name) for name in ("model_config", "training_config")}
            version = _attribute(h5py, file, path, "keras_version")
            weights_only = "layer_names" in file.attrs or "layers" in file
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise SubjectError(f"{path.name} begins like HDF5 but is damaged: {error}") from error
    if texts["model_config"] is None:
        what = "weights only" if weights_only else "no Keras model"
        raise SubjectError(
            f"{path.name} is HDF5 with {what}: it holds no architecture to examine; give the whole model"
        )
    return ModelFile(
        path=path,
        name=path.name,
        container="HDF5",
        size=os.stat(path).st_size,  # noqa: PTH116
        keras_version=version.decode("utf-8", "replace") if version else None,
        config=_parse(path, "model_config", texts["model_config"]),
        compiled=_parse(path, "training_config", texts["training_config"]) if texts["training_config"] else None,
    )


def _attribute(h5py: Any, file: Any, path: Path, name: str) -> bytes | None:  # noqa: ANN401 - h5py has no types
    """The bytes of a text attribute; its declared size is checked before it is read."""
    if name not in file.attrs:
        return None
    stored: int = h5py.h5a.open(file.id, name.encode()).get_storage_size()
    if stored > MAX_CONFIG:
        raise SubjectError(f"{path.name}: {name} is declared with {stored:,} bytes; at most {MAX_CONFIG:,}")
    value = file.attrs[name]
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes) or len(value) > MAX_CONFIG:
        raise SubjectError(f"{path.name}: {name} is not a text of at most {MAX_CONFIG:,} bytes")
    return value


def _parse(path: Path, name: str, data: bytes) -> Json:
    try:
        read = json.loads(data[: MAX_CONFIG + 1])
    except (ValueError, RecursionError) as error:
        raise SubjectError(f"{path.name}: {name} is not JSON that can be read ({type(error).__name__})") from error
    if not isinstance(read, dict):
        raise SubjectError(f"{path.name}: {name} is not a JSON object")
    return read
