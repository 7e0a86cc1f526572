"""Reads model files without executing or trusting them, and without TensorFlow.

The format is told by the bytes, not by the name. Only the configuration is read, never the weights, so the time does
not depend on their size. Sizes are bounded before anything is read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import SubjectError
from ..knowledge.lines import Line, line_of
from .file_format import Format
from .formats import identify
from .saved_model import graph_path, keras_root
from .yaml_architecture import yaml_architecture

Container = Literal["keras zip", "HDF5", "JSON", "YAML", "SavedModel"]
MAX_CONFIG = 16 * 1024 * 1024  # the largest of keras.applications has 1 MiB; a vocabulary may stand in it too
MAX_MEMBERS = 10_000
Json = dict[str, Any]


@dataclass(frozen=True, eq=False)  # told apart by identity, so that what is laid out of it is laid out once
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

    An architecture in JSON or YAML is a model without weights; a SavedModel is one without a configuration where no Keras 2
    wrote its layers down beside it.

    Raises:
        SubjectError: it is missing, not a model file that holds Keras layers, or damaged; the message says which.
    """
    form = identify(path)
    reader = _READERS.get(form.id)
    if reader is None:
        raise _declined(path, form)
    return reader(path)


def _declined(path: Path, form: Format) -> SubjectError:
    name = _shown(path)
    advice_en, advice_zh = form.load.en, form.load.zh
    en, zh = f"{name} {form.statement.en}", f"{name} {form.statement.zh}"
    if form.id == "missing":
        en, zh = (
            f"{name}: {form.statement.en}; expected a .keras or .h5 file",
            f"{name}：{form.statement.zh}；应为 .keras 或 .h5 文件",
        )
    elif form.id == "hdf5":
        en, zh = f"{name} is HDF5; reading it needs h5py", f"{name} 是 HDF5 文件，读取它需要 h5py"
    elif form.subject == "weights":
        en += ": weights only; give the whole model, or load them into the model that the same code builds"
        zh += "：只有权重；请给出完整模型，或加载到由同样代码搭建的模型里"
    elif form.subject == "data" and form.id == "data-hdf5":
        en += ": it holds no architecture to examine; give the whole model"
        zh += "：其中没有可检查的模型结构；请给出完整模型"
    elif form.subject in ("log", "data"):
        en, zh = en + ": no model", zh + "：不是模型"
    return SubjectError(f"{en} ({advice_en})", f"{zh}（{advice_zh}）")


def _shown(path: Path) -> str:
    return "".join(c if c.isprintable() else "?" for c in path.name[:120])


def _read_zip(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise SubjectError(
                    f"{path.name} has over {MAX_MEMBERS} members; a .keras file has a handful",
                    f"{path.name} 有超过 {MAX_MEMBERS} 个成员；.keras 文件只有几个",
                )
            config = _member(archive, path, "config.json")
            if config is None:
                raise SubjectError(
                    f"{path.name} is a zip without config.json, so not a .keras model file",
                    f"{path.name} 是没有 config.json 的 zip，不是 .keras 模型文件",
                )
            metadata = _member(archive, path, "metadata.json") or {}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise SubjectError(
            f"{path.name} begins like a .keras archive but is damaged: {error}",
            f"{path.name} 开头像 .keras 压缩包，但已损坏：{error}",
        ) from error
    version = metadata.get("keras_version")
    compiled = config.get("compile_config")
    return ModelFile(
        path=path,
        name=path.name,
        container="keras zip",
        size=path.stat().st_size,
        keras_version=version if isinstance(version, str) else None,
        config=config,
        compiled=compiled if isinstance(compiled, dict) else None,
    )


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> Json | None:
    found = [info for info in archive.infolist() if info.filename == name]
    if not found:
        return None
    if len(found) > 1:
        raise SubjectError(
            f"{path.name} holds {len(found)} members named {name}; a .keras file has one",
            f"{path.name} 中有 {len(found)} 个名为 {name} 的成员；.keras 文件只有一个",
        )
    if found[0].file_size > MAX_CONFIG:
        unpacked = found[0].file_size
        raise SubjectError(
            f"{path.name}: {name} would unpack to {unpacked:,} bytes; at most {MAX_CONFIG:,}",
            f"{path.name}：{name} 会解压成 {unpacked:,} 字节，最多允许 {MAX_CONFIG:,}",
        )
    with archive.open(found[0]) as member:
        return _parse(path, name, member.read(MAX_CONFIG + 1))


def _read_hdf5(path: Path) -> ModelFile:
    import h5py  # noqa: PLC0415 - an optional extra, and a tenth of a second

    try:
        with h5py.File(path, "r") as file:
            texts = {name: _attribute(h5py, file, path, name) for name in ("model_config", "training_config")}
            version = _attribute(h5py, file, path, "keras_version")
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise SubjectError(
            f"{path.name} begins like HDF5 but is damaged: {error}", f"{path.name} 开头像 HDF5，但已损坏：{error}"
        ) from error
    return ModelFile(
        path=path,
        name=path.name,
        container="HDF5",
        size=path.stat().st_size,
        keras_version=version.decode("utf-8", "replace") if version else None,
        config=_parse(path, "model_config", texts["model_config"] or b""),
        compiled=_parse(path, "training_config", texts["training_config"]) if texts["training_config"] else None,
    )


def _attribute(h5py: Any, file: Any, path: Path, name: str) -> bytes | None:  # noqa: ANN401 - h5py has no types
    """The bytes of a text attribute; its declared size is checked before it is read."""
    if name not in file.attrs:
        return None
    stored: int = h5py.h5a.open(file.id, name.encode()).get_storage_size()
    if stored > MAX_CONFIG:
        raise SubjectError(
            f"{path.name}: {name} is declared with {stored:,} bytes; at most {MAX_CONFIG:,}",
            f"{path.name}：{name} 声明了 {stored:,} 字节，最多允许 {MAX_CONFIG:,}",
        )
    value = file.attrs[name]
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes) or len(value) > MAX_CONFIG:
        raise SubjectError(
            f"{path.name}: {name} is not a text of at most {MAX_CONFIG:,} bytes",
            f"{path.name}：{name} 不是长度在 {MAX_CONFIG:,} 字节以内的文本",
        )
    return value


def _parse(path: Path, name: str, data: bytes) -> Json:
    try:
        read = json.loads(data[: MAX_CONFIG + 1])
    except (ValueError, RecursionError) as error:
        kind = type(error).__name__
        raise SubjectError(
            f"{path.name}: {name} is not JSON that can be read ({kind})",
            f"{path.name}：{name} 不是可读的 JSON（{kind}）",
        ) from error
    if not isinstance(read, dict):
        raise SubjectError(f"{path.name}: {name} is not a JSON object", f"{path.name}：{name} 不是 JSON 对象")
    return read


def _read_json(path: Path) -> ModelFile:
    data = path.read_bytes()[: MAX_CONFIG + 1]
    if data.lstrip()[:1] == b'"':  # packed into JSON twice
        data = json.loads(data).encode()
    return _architecture(path, "JSON", _parse(path, "the architecture", data))


def _read_yaml(path: Path) -> ModelFile:
    return _architecture(path, "YAML", yaml_architecture(path))


def _architecture(path: Path, container: Container, config: Json) -> ModelFile:
    version = config.get("keras_version")
    return ModelFile(
        path=path,
        name=path.name,
        container=container,
        size=path.stat().st_size,
        keras_version=version if isinstance(version, str) else None,
        config=config,
        compiled=None,
    )


def _read_saved_model(path: Path) -> ModelFile:
    root = keras_root(path)
    config, compiled, version = (root.get(key) for key in ("model_config", "training_config", "keras_version"))
    return ModelFile(
        path=path,
        name=path.name,
        container="SavedModel",
        size=graph_path(path).stat().st_size,
        keras_version=version if isinstance(version, str) else None,
        config=config if isinstance(config, dict) else None,
        compiled=compiled if isinstance(compiled, dict) else None,
    )


_READERS: dict[str, Callable[[Path], ModelFile]] = {
    "keras-zip": _read_zip,
    "keras-hdf5": _read_hdf5,
    "architecture-json": _read_json,
    "architecture-yaml": _read_yaml,
    "saved-model": _read_saved_model,
    "saved-model-keras": _read_saved_model,
    "saved-model-pb": _read_saved_model,
}
