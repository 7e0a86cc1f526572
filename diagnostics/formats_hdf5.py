"""HDF5 files: whole models, weights of Keras 1 to 3, data, and what is cut off. Structure only, no values are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..knowledge.text import Text
from .file_format import Format, declined, quoted, same

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Groups at the top of `.weights.h5`: Keras 3 (saving/saving_lib.py), tf_keras and Keras 2.12 alike.
_WEIGHTS_GROUPS = frozenset({"_layer_checkpoint_dependencies", "layers", "vars"})


def identify_hdf5(path: Path, head: bytes, size: int) -> Format:
    """What an HDF5 file holds.

    Args:
        path: the file, which begins with the signature of HDF5.
        head: its first bytes.
        size: its size in bytes.
    """
    end = end_of_file(head)
    if end is not None and end > size:
        return _cut_off(end, size)
    try:
        import h5py  # noqa: PLC0415 - an optional extra, and a tenth of a second
    except ImportError:
        needs = same("pip install 'kerasdoctor[models]'")
        text = Text("is HDF5; telling what is in it needs h5py", "是 HDF5 文件；要知道里面是什么需要 h5py")
        return declined("hdf5", text, needs)
    try:
        with h5py.File(path, "r") as file:
            return _content(file, path)
    except Exception as error:  # noqa: BLE001 - whatever the library raises on damaged bytes
        return _damaged(f"{type(error).__name__}: {error}"[:160])


def end_of_file(head: bytes) -> int | None:
    """The length that the superblock declares; None where it has none that can be read.

    Source: "Disk Format: Level 0A, Format Signature and Superblock" of the HDF5 file format specification.
    """
    if len(head) < 64:  # noqa: PLR2004 - the longest superblock without a driver's
        return None
    version = head[8]
    if version in (0, 1):
        width, start = head[13], 24 if version == 0 else 28
    elif version in (2, 3):
        width, start = head[9], 12
    else:
        return None
    at = start + 2 * width
    declared = int.from_bytes(head[at : at + width], "little")
    return declared if width in (2, 4, 8) and declared != (1 << 8 * width) - 1 else None


def _cut_off(end: int, size: int) -> Format:
    return declined(
        "hdf5-cut",
        Text(
            f"is HDF5 that was cut off: it should be {end:,} bytes long and has {size:,}",
            f"是不完整的 HDF5 文件：应有 {end:,} 字节，实际只有 {size:,} 字节",
        ),
        Text("download, copy or save it again, and compare the sizes", "请重新下载、复制或保存，并核对文件大小"),
    )


def _damaged(reason: str) -> Format:
    return declined(
        "hdf5-damaged",
        Text(f"begins like HDF5 but is damaged: {reason}", f"开头像 HDF5，但文件已损坏：{reason}"),
        Text("download, copy or save it again", "请重新下载、复制或保存"),
    )


def _content(file: Any, path: Path) -> Format:  # noqa: ANN401 - h5py has no types
    name = quoted(path)
    if "model_config" in file.attrs:
        return Format("keras-hdf5", "model", _model_statement(path), _model_load(path))
    if "layer_names" in file.attrs:
        return Format(
            "weights-hdf5",
            "weights",
            Text(
                "is HDF5 with weights only, in the layout of Keras 1 and 2 (no architecture)",
                "是 HDF5 格式的权重文件（Keras 1、2 的布局），不含模型结构",
            ),
            same(f"model.load_weights({name})  # Keras 2, Keras 3: the name must end in .h5"),
        )
    if _WEIGHTS_GROUPS.intersection(file):
        return Format(
            "weights-keras3",
            "weights",
            Text(
                "is HDF5 with weights only, as `save_weights` writes `.weights.h5` (no architecture)",
                "是 HDF5 格式的权重文件，即 `save_weights` 写出的 `.weights.h5`，不含模型结构",
            ),
            same(f"model.load_weights({name})  # the name must end in .weights.h5"),
        )
    return Format(
        "data-hdf5",
        "data",
        Text("is HDF5 with data, no Keras model", "是 HDF5 数据文件，不是 Keras 模型"),
        same(f"h5py.File({name}, 'r')"),
    )


def _model_statement(path: Path) -> Text:
    if path.suffix == ".keras":
        return Text(
            "is a whole model in HDF5, named .keras: Keras 2 opens it by its bytes, Keras 3 takes the name for a zip archive "
            "and reports 'File not found'",
            "是 HDF5 格式的完整模型，却以 .keras 为扩展名：Keras 2 按内容打开它，Keras 3 按名称当作 zip 包，报 “File not found”",
        )
    if path.suffix not in (".h5", ".hdf5"):
        return Text(
            "is a whole model in HDF5 without the ending .h5: Keras 2 opens it by its bytes, Keras 3 reports 'File format not "
            "supported'",
            "是 HDF5 格式的完整模型，但扩展名不是 .h5：Keras 2 按内容打开它，Keras 3 报 “File format not supported”",
        )
    return Text("is a whole model in HDF5", "是 HDF5 格式的完整模型")


def _model_load(path: Path) -> Text:
    name = quoted(path)
    if path.suffix in (".h5", ".hdf5"):
        return same(f"keras.models.load_model({name}, compile=False)")
    renamed = quoted(Path(path.stem + ".h5"))
    return Text(
        f"rename it for Keras 3: keras.models.load_model({renamed}, compile=False); tf_keras: load_model({name})",
        f"Keras 3 需先改名：keras.models.load_model({renamed}, compile=False)；tf_keras：load_model({name})",
    )
