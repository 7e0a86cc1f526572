"""Archives: .keras files, npz, packed SavedModels, PyTorch files, and archives that were cut off. Nothing is unpacked."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath

from ..knowledge.text import Text
from .file_format import MAX_MEMBERS, Format, declined, quoted, same, unpack_first
from .wording import names_en, names_zh

ZIP = b"PK\x03\x04"
_MODELS = (".keras", ".h5", ".hdf5", ".tflite", ".onnx", ".pb")
_WEIGHT = re.compile(
    r"(?:^|[/_:.])(?:kernel|bias|gamma|beta|moving_mean|moving_variance|weights?|vars|embeddings)(?:[/_:.]|$)"
)
MAX_GUNZIP = 32 * 1024 * 1024


def identify_zip(path: Path, size: int) -> Format:
    """What a file is that begins like a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [member.filename for member in archive.infolist()[:MAX_MEMBERS]]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError, RuntimeError):
        return _cut_off(path, size)
    for test in (_keras, _arrays, _saved_model_inside, _pytorch):
        if found := test(path, names):
            return found
    return _other("zip", names)


def _keras(path: Path, names: list[str]) -> Format | None:
    if "config.json" not in names:
        return None
    if path.suffix != ".keras":
        text = Text(
            "is a .keras archive (zip) under another name: every Keras chooses the reader by the ending and fails, with .h5 as "
            "'file signature not found'",
            "是 .keras 压缩包（zip），扩展名却不是 .keras：Keras 按扩展名读取，因此失败；叫 .h5 时报 “file signature not found”",
        )
        renamed = quoted(Path(path.stem + ".keras"))
        load = Text(f"rename it: keras.models.load_model({renamed})", f"先改名：keras.models.load_model({renamed})")
        return Format("keras-zip", "model", text, load)
    text = Text("is a .keras archive (zip)", "是 .keras 压缩包（zip）")
    return Format("keras-zip", "model", text, same(f"keras.models.load_model({quoted(path)})"))


def _arrays(path: Path, names: list[str]) -> Format | None:
    if not names or not all(name.endswith(".npy") for name in names):
        return None
    arrays = [name.removesuffix(".npy") for name in names]
    load = same(f"numpy.load({quoted(path)})")
    shown_en, shown_zh = names_en(arrays), names_zh(arrays)
    if any(_WEIGHT.search(name) for name in arrays):
        text = Text(
            f"is NumPy's npz with weights ({shown_en}), no architecture", f"是 npz 权重文件（{shown_zh}），不含模型结构"
        )
        return Format("weights-npz", "weights", text, load)
    text = Text(f"is NumPy's npz with the arrays {shown_en}", f"是 NumPy 的 npz 文件，包含数组 {shown_zh}")
    return Format("data-npz", "data", text, load)


def _saved_model_inside(_path: Path, names: list[str], kind: str = "zip") -> Format | None:
    if not any(PurePosixPath(name).name in ("saved_model.pb", "saved_model.pbtxt") for name in names):
        return None
    text = Text(
        f"is a {kind} archive with a SavedModel folder inside, which no Keras opens packed",
        f"是装有 SavedModel 目录的 {kind} 压缩包，Keras 不能直接打开",
    )
    return declined(f"saved-model-{kind.replace('.', '-')}", text, unpack_first("the folder", "其中的目录"))


def _pytorch(_path: Path, names: list[str]) -> Format | None:
    if not any(name.endswith("/data.pkl") for name in names):
        return None
    return declined(
        "pytorch",
        Text("is a PyTorch file (zip with a pickle)", "是 PyTorch 文件（内含 pickle 的 zip）"),
        Text(
            "torch.load(..., weights_only=True); Keras does not read it",
            "torch.load(..., weights_only=True)；Keras 不能读取",
        ),
    )


def _other(kind: str, names: list[str]) -> Format:
    inside = [name for name in names if name.lower().endswith(_MODELS)]
    if inside:
        text = Text(
            f"is a {kind} archive that holds {names_en(inside)}; it is no model file itself",
            f"是装有 {names_zh(inside)} 的 {kind} 压缩包，本身不是模型文件",
        )
        return declined(f"{kind.replace('.', '-')}-of-model", text, unpack_first("the file inside", "其中的文件"))
    text = Text(
        f"is a {kind} archive without config.json, so not a .keras file; it holds {names_en(names) or 'nothing'}",
        f"是没有 config.json 的 {kind} 压缩包，因此不是 .keras 文件；其中有 {names_zh(names) or '零个成员'}",
    )
    return declined(kind.replace(".", "-"), text, unpack_first("the model inside", "其中的模型"))


def _cut_off(path: Path, size: int) -> Format:
    """A zip's directory stands at its end; without it, what is there is told by the headers before each member."""
    begun = _begun_members(path, size)
    return declined(
        "zip-cut",
        Text(
            f"begins like a .keras archive (zip) but is damaged or cut off after {size:,} bytes: its directory is missing; "
            f"begun are {names_en(begun) or 'no members'}",
            f"开头像 .keras 压缩包（zip），但已损坏或在 {size:,} 字节处被截断：缺少末尾的目录；已有的成员：{names_zh(begun) or '无'}",
        ),
        Text("download, copy or save it again, and compare the sizes", "请重新下载、复制或保存，并核对文件大小"),
    )


def _begun_members(path: Path, size: int) -> list[str]:
    """The names in the local headers, followed from the first on."""
    names: list[str] = []
    at = 0
    with path.open("rb") as file:
        while at < size and len(names) < 20:  # noqa: PLR2004 - as many as anyone reads
            file.seek(at)
            head = file.read(30)
            if len(head) < 30 or not head.startswith(ZIP):  # noqa: PLR2004 - the fixed part of a header
                break
            name_length, extra = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
            names.append(file.read(name_length).decode("utf-8", "replace"))
            at += 30 + name_length + extra + int.from_bytes(head[18:22], "little")
    return names


def is_tar(head: bytes) -> bool:
    """Whether the first block is the header of a tar archive (POSIX and GNU)."""
    return head[257:262] == b"ustar"


def identify_tar(path: Path) -> Format:
    """What a tar archive holds, by the names of its members."""
    names: list[str] = []
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                names.append(member.name)
                if len(names) >= MAX_MEMBERS:
                    break
    except (tarfile.TarError, OSError, ValueError, EOFError):
        pass  # what was read until the damage is what is told
    return _saved_model_inside(path, names, "tar") or _other("tar", names)


def gunzip(path: Path, limit: int) -> bytes:
    """The first bytes that a gzip file unpacks to, as many as it has or the limit allows."""
    unpacker, out = zlib.decompressobj(wbits=31), bytearray()
    try:
        with path.open("rb") as file:
            while len(out) < limit and not unpacker.eof and (part := file.read(1 << 16)):
                out += unpacker.decompress(part, limit - len(out))
    except (OSError, zlib.error):
        pass
    return bytes(out)


def names_in_tar(data: bytes) -> list[str]:
    """The names of the members in the first part of a tar archive."""
    names: list[str] = []
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
            for member in archive:
                names.append(member.name)
                if len(names) >= MAX_MEMBERS:
                    break
    except (tarfile.TarError, OSError, ValueError, EOFError):
        pass
    return names


def identify_tar_gz(path: Path) -> Format:
    """The same for a compressed one, of which a bounded first part is unpacked."""
    names = names_in_tar(gunzip(path, MAX_GUNZIP))
    return _saved_model_inside(path, names, "tar.gz") or _other("tar.gz", names)
