"""The static gate for .keras archives: their members as the central directory, the local headers and the bytes have them.

A loader believes the directory; another may believe the headers. Honest archives say the same in both, hold known members
only, and nothing between them.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .archive_members import FREE, MAX_RATIO, content_of, local_header
from .hazard import CORRUPT, Hazard, hazard
from .model_file import MAX_CONFIG, MAX_MEMBERS
from .safety_arrays import examine_npz_stream
from .safety_hdf5 import examine_hdf5_stream
from .wording import names_en, names_zh

# What Keras writes (saving/saving_lib.py): three members and the assets of lookup layers.
_JSON = ("config.json", "metadata.json")
WEIGHTS = "model.weights.h5"
WEIGHTS_NPZ = "model.weights.npz"
_KNOWN = frozenset({*_JSON, WEIGHTS, WEIGHTS_NPZ})
MAX_GAP = 24  # a data descriptor
_HDF5 = b"\x89HDF\r\n\x1a\n"
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # the protocols that begin with a mark of their own
_END = b"PK\x05\x06"


def examine_archive(path: Path) -> Iterator[Hazard]:
    """Every hazard of an archive but those of its configuration."""
    with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            yield hazard(f"{len(members):,} members; a .keras file has a handful", f"有 {len(members):,} 个成员，过多")
            return
        size = path.stat().st_size
        yield from _names(members)
        yield from packing(members, size)
        yield from _pickles(archive, members)
        yield from _places(raw, archive, members, size)
        yield from _weights(raw, archive)


def _names(members: list[zipfile.ZipInfo]) -> Iterator[Hazard]:
    names = [member.filename for member in members]
    if double := sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
        yield hazard(
            f"the archive holds {names_en(double)} more than once: which one is loaded depends on the program",
            f"压缩包中 {names_zh(double)} 出现不止一次：不同程序读到的不是同一个",
        )
    if foreign := [m.orig_filename for m in members if not _is_known(m)]:
        yield hazard(
            f"the archive holds what no .keras file does: {names_en(foreign)}",
            f"压缩包中有 .keras 文件不该有的成员：{names_zh(foreign)}",
        )
    if links := [m.filename for m in members if stat.S_ISLNK(m.external_attr >> 16)]:
        yield hazard(f"the archive holds symbolic links: {names_en(links)}", f"压缩包中有符号链接：{names_zh(links)}")


def _is_known(member: zipfile.ZipInfo) -> bool:
    """A member by its name; `orig_filename` is as it stands in the file, before zipfile cut it at a NUL."""
    name = member.orig_filename
    if name != member.filename or "\\" in name or "\0" in name:
        return False
    if name in _KNOWN:
        return True
    return name.startswith("assets/") and not {"..", "."} & set(name.split("/")) and "//" not in name


def _pickles(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[Hazard]:
    """Assets that are Python pickles: the vocabularies that Keras puts there are text."""
    found = []
    for member in members:
        if member.filename.startswith("assets/") and not member.flag_bits & 0x2041:
            with archive.open(member) as content:
                start = content.read(2)
            if start in _PICKLES:
                found.append(member.filename)
    if found:
        yield hazard(
            f"the archive holds Python pickles, which run when they are read: {names_en(found)}",
            f"压缩包中有 Python pickle，读取时会执行：{names_zh(found)}",
        )


def packing(members: list[zipfile.ZipInfo], size: int) -> Iterator[Hazard]:
    """How members are packed: encrypted, by an odd method, or into far more than the archive of `size` bytes holds."""
    for member in members:
        en, zh = names_en([member.filename]), names_zh([member.filename])
        if member.flag_bits & 0x2041:
            yield hazard(f"{en} is encrypted", f"{zh} 已加密")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            kind = member.compress_type
            yield hazard(
                f"{en} is packed by method {kind}, which Keras never uses", f"{zh} 使用了 Keras 不用的压缩方法 {kind}"
            )
        bomb = member.file_size > FREE and member.file_size > MAX_RATIO * member.compress_size
        differs = member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size
        if bomb or differs:
            unpacked, packed = member.file_size, member.compress_size
            yield hazard(
                f"{en} would unpack from {packed:,} to {unpacked:,} bytes",
                f"{zh} 会从 {packed:,} 字节解压成 {unpacked:,} 字节",
            )
        if member.filename in _JSON and member.file_size > MAX_CONFIG:
            yield hazard(f"{en} has {member.file_size:,} bytes", f"{zh} 有 {member.file_size:,} 字节")
    total = sum(member.file_size for member in members)
    if total > FREE * 16 and total > MAX_RATIO * size:
        yield hazard(
            f"the archive of {size:,} bytes would unpack to {total:,}", f"{size:,} 字节的压缩包会解压成 {total:,} 字节"
        )


def _places(raw: IO[bytes], archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], size: int) -> Iterator[Hazard]:
    """Where each member lies: one behind the other from the first byte on, then the directory, then nothing."""
    end, data = 0, set()
    for member in sorted(members, key=lambda m: m.header_offset):
        start = member.header_offset
        head = local_header(raw, member)
        if head is None:
            yield hazard(
                f"the header of {names_en([member.filename])} does not say what the directory says of it",
                f"{names_zh([member.filename])} 的文件头与目录中的记录不一致",
                CORRUPT,
            )
            return
        if start < end:
            yield hazard(
                f"{names_en([member.filename])} overlaps the member before it",
                f"{names_zh([member.filename])} 与前一个成员重叠",
            )
        elif start - end > (MAX_GAP if end else 0):
            yield _gap(start - end, end)
        data.add(start + head)
        end = start + head + member.compress_size
    directory = archive.start_dir
    if end > directory:
        yield hazard("the last member overlaps the archive's directory", "最后一个成员与压缩包目录重叠")
    elif directory - end > MAX_GAP:
        yield _gap(directory - end, end)
    yield from _around(raw, archive, size, data)


def _gap(length: int, at: int) -> Hazard:
    return hazard(
        f"{length:,} bytes at {at:,} belong to no member of the archive: the file is something else as well",
        f"从 {at:,} 处起有 {length:,} 字节不属于任何成员：这个文件同时也是别的东西",
    )


def _around(raw: IO[bytes], archive: zipfile.ZipFile, size: int, data: set[int]) -> Iterator[Hazard]:
    """Whether the file is another archive or HDF5 as well; HDF5 may begin at 0, 512, 1024, 2048 and so on."""
    raw.seek(archive.start_dir)
    tail = raw.read(min(size - archive.start_dir, 1 << 24))
    if tail.count(_END) > 1 or _END in archive.comment:
        yield hazard("the archive has more than one directory", "压缩包有不止一个目录")
    at = tail.rfind(_END)
    behind = len(tail) - at - 22 - len(archive.comment)
    if at >= 0 and size - archive.start_dir < 1 << 24 and behind > 0:
        yield _gap(behind, size - behind)
    offset = 512
    while offset < size:
        raw.seek(offset)
        if raw.read(8) == _HDF5 and offset not in data:
            yield hazard(
                f"the archive is HDF5 as well, from byte {offset:,} on: which one is loaded depends on the program",
                f"从第 {offset:,} 字节起它同时是 HDF5 文件：不同程序读到的不是同一个",
            )
        offset *= 2


def _weights(raw: IO[bytes], archive: zipfile.ZipFile) -> Iterator[Hazard]:
    for member in archive.infolist():
        if member.filename not in (WEIGHTS, WEIGHTS_NPZ):
            continue
        stream = content_of(raw, archive, member)
        if stream is None:
            yield hazard(
                f"{member.filename} cannot be unpacked for examination ({member.file_size:,} bytes)",
                f"{member.filename} 无法解压检查（{member.file_size:,} 字节）",
                CORRUPT,
            )
        elif member.filename == WEIGHTS:
            with stream:
                if stream.read(8) != _HDF5:
                    yield hazard(f"{WEIGHTS} is not HDF5", f"{WEIGHTS} 不是 HDF5", CORRUPT)
                else:
                    stream.seek(0)
                    yield from examine_hdf5_stream(stream, member.file_size, WEIGHTS)
        else:
            with stream:
                yield from examine_npz_stream(stream, WEIGHTS_NPZ)
