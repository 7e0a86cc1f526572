"""What is this file? Told by its bytes and structure, never by its name, without executing or believing any of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from ..knowledge.text import Text
from . import formats_archive as archives
from .file_format import HEAD, Format, declined, quoted, same, unpack_first
from .formats_hdf5 import SIGNATURE as HDF5
from .formats_hdf5 import identify_hdf5
from .formats_text import identify_text
from .probe import SubjectKind
from .wire import WireError, parts, text
from .wording import names_en, names_zh

__all__ = ["Format", "identify"]

_TABLE_END = bytes.fromhex("57fb808b247547db")  # the footer of TensorFlow's tables (lib/io/format.h, kTableMagicNumber)
_ONNX_FIRST = frozenset(b"\x12\x1a\x22\x28\x32\x3a\x42")
_CONVERT = Text(
    "not a Keras file; give the Keras model that it was made from", "不是 Keras 文件；请给出转换之前的 Keras 模型"
)
_PICKLE = Text(
    "never unpickle a file that is not your own; ask for a .keras file", "不要反序列化别人的 pickle；请索取 .keras 文件"
)
_PACKED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def identify(path: Path) -> Format:
    """What a path is: a file of a known format, a folder, missing, or unknown. Nothing is raised."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _folder(path)
        if not stat.S_ISREG(status.st_mode):
            return declined("special", Text("is no regular file", "不是普通文件"), _nothing())
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        text = Text("does not exist: there is no such file", "不存在：没有这个文件")
        return declined("missing", text, Text("check the path and the working directory", "请检查路径和当前工作目录"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return declined("unreadable", Text(f"cannot be read: {reason}", f"无法读取：{reason}"), _nothing())
    return _by_bytes(path, head, status.st_size)


def _nothing() -> Text:
    return Text("nothing to load", "没有可加载的内容")


def _by_bytes(path: Path, head: bytes, size: int) -> Format:
    again = Text("fetch or save it again", "请重新下载或保存")
    if not head:
        return declined(
            "empty", Text("is empty: the download or the save was cut off", "是空文件：下载或保存中断了"), again
        )
    if not head.strip(b"\0"):
        text = Text(
            f"begins with {len(head):,} zero bytes: space was set aside, the content never arrived",
            f"开头 {len(head):,} 字节全是零：只预留了空间，内容没有写入",
        )
        return declined("zeros", text, again)
    container = _container(path, head, size)
    return container or _by_signature(path, head, size) or identify_text(path, head) or _unknown(head)


def _container(path: Path, head: bytes, size: int) -> Format | None:
    if head.startswith(archives.ZIP):
        return archives.identify_zip(path, size)
    if head.startswith(HDF5):
        return identify_hdf5(path, head, size)
    if head.startswith(b"\x1f\x8b"):
        return _gzip(path)
    return archives.identify_tar(path) if archives.is_tar(head) else None


def _by_signature(path: Path, head: bytes, size: int) -> Format | None:
    for start, name in _PACKED.items():
        if head.startswith(start):
            text = Text(f"is {name}-compressed", f"是 {name} 压缩文件")
            return declined(name, text, unpack_first("the file inside", "其中的文件"))
    for test, build in _SIGNATURES:
        if test(head):
            return build(path)
    return _tensorflow(path, head, size)


def _unknown(head: bytes) -> Format:
    shown = repr(head[:12])
    text = Text(
        f"is neither a .keras archive nor HDF5 nor anything else that is known here (it begins with {shown})",
        f"既不是 .keras 压缩包，也不是 HDF5 或其他已知格式（开头是 {shown}）",
    )
    return declined("unknown", text, Text("ask its author how it was saved", "请询问作者它是怎样保存的"))


def _array(path: Path) -> Format:
    text = Text("is a NumPy array (npy)", "是 NumPy 数组（npy）")
    return Format("data-npy", "data", text, same(f"numpy.load({quoted(path)})"))


def _of(ident: str, en: str, zh: str, load: Text = _CONVERT) -> Callable[[Path], Format]:
    return lambda _path: declined(ident, Text(en, zh), load)


def _is_safetensors(head: bytes) -> bool:
    return head[8:10] == b'{"' and int.from_bytes(head[:8], "little") in range(2, 100_000_000)


def _is_onnx(head: bytes) -> bool:
    """A message of ONNX begins with ir_version (3 to 20), a SavedModel with schema version 1."""
    return head[0] == 8 and len(head) > 2 and 3 <= head[1] <= 20 and head[2] in _ONNX_FIRST  # noqa: PLR2004


def _is_pickle(head: bytes) -> bool:
    return (head[:2] in (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")) or bool(
        re.match(rb"c\w+\n\w+\n|\((?:d|l)p\d+\n", head)
    )


def _pickled(path: Path) -> Format:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."):
        return declined("pytorch", Text("is a PyTorch file (pickle)", "是 PyTorch 文件（pickle）"), _CONVERT)
    if b"joblib" in head:
        text = Text(
            "is a joblib file, a Python pickle, which is never opened here", "是 joblib 文件（pickle），这里不会打开"
        )
        return declined("joblib", text, _PICKLE)
    text = Text("is a Python pickle, which is never opened here", "是 Python pickle 文件，这里不会打开")
    return declined("pickle", text, _PICKLE)


_SIGNATURES: tuple[tuple[Callable[[bytes], bool], Callable[[Path], Format]], ...] = (
    (lambda b: b.startswith(b"\x93NUMPY"), _array),
    (
        lambda b: b[4:8] == b"TFL3",
        _of(
            "tflite",
            "is a TensorFlow Lite model",
            "是 TensorFlow Lite 模型",
            same("tf.lite.Interpreter(model_path=...)"),
        ),
    ),
    (lambda b: b.startswith(b"GGUF"), _of("gguf", "is a GGUF model (llama.cpp)", "是 GGUF 模型（llama.cpp）")),
    (_is_safetensors, _of("safetensors", "is weights in safetensors", "是 safetensors 权重文件")),
    (_is_pickle, _pickled),
    (_is_onnx, _of("onnx", "is an ONNX model", "是 ONNX 模型", same("onnxruntime.InferenceSession(...)"))),
)


def _tensorflow(path: Path, head: bytes, size: int) -> Format | None:
    """TensorFlow's own formats, which have no signature at their start."""
    if b"brain.Event:" in head[12:64] and head[8:9] != b"":
        text = Text("is a TensorBoard event file", "是 TensorBoard 事件文件")
        return Format("log-tensorboard", "log", text, same("tensorboard --logdir FOLDER"))
    if b"_tf_keras_" in head[:64]:
        text_ = Text(
            "is keras_metadata.pb, a part of a SavedModel folder", "是 keras_metadata.pb，SavedModel 目录的一部分"
        )
        return declined("keras-metadata", text_, Text("give the whole folder", "请给出整个目录"))
    if head.startswith(b"\x08\x01\x12"):
        return _graph_file("saved-model-pb", "a SavedModel", "SavedModel", "model")
    if _is_graph(head):
        return _graph_file("frozen-graph", "a frozen TensorFlow 1 graph", "TensorFlow 1 冻结图")
    index = path.with_name(re.sub(r"\.data-\d{5}-of-\d{5}$", ".index", path.name))
    if _ends_like_a_table(path, size) or (
        index != path and index.is_file() and _ends_like_a_table(index, index.stat().st_size)
    ):
        text = Text(
            "is a part of a TensorFlow checkpoint: weights without an architecture, in an .index and .data files",
            "是 TensorFlow checkpoint 的一部分：只有权重，由 .index 和 .data 文件组成",
        )
        stem = quoted(Path(re.sub(r"\.(?:index|data-\d{5}-of-\d{5})$", "", path.name)))
        return declined("tf-checkpoint", text, same(f"tf_keras: model.load_weights({stem})"))
    return None


def _graph_file(ident: str, en: str, zh: str, subject: SubjectKind | None = None) -> Format:
    text = Text(f"is the graph of {en} (.pb), which holds no Keras layers", f"是 {zh} 的图（.pb），其中没有 Keras 的层")
    if ident == "saved-model-pb":
        load = same("keras.layers.TFSMLayer(FOLDER, call_endpoint='serving_default')  # the folder that it lies in")
    else:
        load = same("tf.compat.v1.import_graph_def(...)")
    return Format(ident, subject, text, load)


def _is_graph(head: bytes) -> bool:
    """Whether the first field is a node with a name and an operation (tensorflow/core/framework/graph.proto)."""
    if not head.startswith(b"\n"):
        return False
    try:
        node = next(parts(memoryview(head), 1))
        return bool(re.fullmatch(r"[\w./-]+", text(node, 1)) and re.fullmatch(r"[A-Z]\w+", text(node, 2)))
    except (WireError, StopIteration):
        return False


def _ends_like_a_table(path: Path, size: int) -> bool:
    if size < 48:  # noqa: PLR2004 - the footer of a table
        return False
    with path.open("rb") as file:
        file.seek(size - 8)
        return file.read(8) == _TABLE_END


def _gzip(path: Path) -> Format:
    """What a gzip file holds is told from the first bytes that it unpacks to."""
    head = archives.gunzip(path, HEAD)
    if archives.is_tar(head):
        return archives.identify_tar_gz(path)
    names = {
        HDF5: ("an HDF5 file", "HDF5 文件"),
        archives.ZIP: ("a zip archive", "zip 压缩包"),
        b"\x08\x01\x12": ("saved_model.pb", "saved_model.pb"),
    }
    en, zh = next((words for start, words in names.items() if head.startswith(start)), ("a file", "文件"))
    text = Text(f"is gzip-compressed; inside is {en}", f"是 gzip 压缩文件，里面是{zh}")
    return declined("gzip", text, Text("gunzip it and give the file inside", "请用 gunzip 解压，再给出其中的文件"))


def _folder(path: Path) -> Format:
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry, _ in zip(entries, range(10_000), strict=False))
    except OSError as error:
        return declined(
            "unreadable", Text(f"cannot be read: {error.strerror}", f"无法读取：{error.strerror}"), _nothing()
        )
    name = quoted(path)
    if "saved_model.pb" in names:
        return _saved_model(name, keras="keras_metadata.pb" in names)
    if {"config.json", "model.weights.h5"} <= set(names):
        text = Text("is a folder: a .keras file that was unpacked", "是目录：解压后的 .keras 文件")
        load = same(f"cd {name} && zip -0 ../model.keras config.json metadata.json model.weights.h5")
        return declined("keras-folder", text, load)
    if any(entry.endswith(".index") for entry in names):
        text = Text("is a folder with TensorFlow checkpoints", "是存放 TensorFlow checkpoint 的目录")
        return declined("tf-checkpoint-folder", text, same(f"tf.train.latest_checkpoint({name})"))
    text = Text(
        f"is a folder (no model file by itself); in it: {names_en(names) or 'nothing'}",
        f"是目录，本身不是模型文件；其中有 {names_zh(names) or '零个文件'}",
    )
    return declined("folder", text, Text("give a file in it", "请给出其中的文件"))


def _saved_model(name: str, *, keras: bool) -> Format:
    load = same(f"keras.layers.TFSMLayer({name}, call_endpoint='serving_default'); tf_keras.models.load_model({name})")
    if keras:
        text = Text(
            "is a SavedModel folder that Keras 2 wrote, with the layers in keras_metadata.pb; Keras 3 opens it for inference only",
            "是 Keras 2 写出的 SavedModel 目录，层信息在 keras_metadata.pb 中；Keras 3 只能用它做推理",
        )
        return Format("saved-model-keras", "model", text, load)
    text = Text(
        "is a folder with a SavedModel, which holds no Keras layers (no keras_metadata.pb); it serves for inference",
        "是 SavedModel 目录，其中没有 Keras 的层信息（没有 keras_metadata.pb），只能用于推理",
    )
    return Format("saved-model", "model", text, load)
