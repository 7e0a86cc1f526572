"""The static gate for SavedModels in a zip or tar: where the members would go, and the graph inside."""

from __future__ import annotations

import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from .formats_archive import gunzip
from .hazard import CORRUPT, Hazard, hazard
from .safety_archive import packing
from .safety_graph import examine_saved_model
from .saved_model import GRAPH, MAX_GRAPH, METADATA
from .wording import names_en, names_zh

MAX_MEMBERS = 10_000
MAX_TAR = 256 * 1024 * 1024  # of a compressed one, unpacked in memory
_PARTS = frozenset({GRAPH, METADATA, "fingerprint.pb", "saved_model.pbtxt", "checkpoint"})
_INSIDE = frozenset({"variables", "assets", "assets.extra", "debug"})


def examine_packed(path: Path) -> Iterator[Hazard]:
    """Every hazard of a zip that holds a SavedModel; a zip of anything else is told as no model."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            yield hazard(f"{len(members):,} members; a model has a handful", f"有 {len(members):,} 个成员，过多")
            return
        yield from _places([member.orig_filename for member in members])
        yield from packing(members, path.stat().st_size)
        links = [member.filename for member in members if stat.S_ISLNK(member.external_attr >> 16)]
        if links:
            yield hazard(
                f"the archive holds symbolic links: {names_en(links)}", f"压缩包中有符号链接：{names_zh(links)}"
            )
        graphs = [member for member in members if PurePosixPath(member.filename).name == GRAPH]
        if not graphs:
            yield _no_model()
        for member in graphs:
            if member.file_size > MAX_GRAPH or member.flag_bits & 0x2041:
                yield hazard(f"{GRAPH} cannot be examined", f"{GRAPH} 无法检查", CORRUPT)
                continue
            with archive.open(member) as stream:
                yield from _graph(stream)


def _no_model() -> Hazard:
    return hazard("the archive holds no model that Keras opens", "压缩包中没有 Keras 能打开的模型", CORRUPT)


def _graph(stream: IO[bytes]) -> Iterator[Hazard]:
    try:
        data = stream.read(MAX_GRAPH + 1)
    except (OSError, zlib.error, zipfile.BadZipFile, EOFError) as error:
        yield hazard(f"{GRAPH} is damaged: {error}", f"{GRAPH} 已损坏：{error}", CORRUPT)
        return
    yield from examine_saved_model(memoryview(data))


def _places(names: list[str]) -> Iterator[Hazard]:
    outside = [name for name in names if _leaves(name)]
    if outside:
        yield hazard(
            f"the archive would write outside its folder: {names_en(outside)}",
            f"压缩包会把文件写到目录之外：{names_zh(outside)}",
        )
    if len(set(names)) < len(names):
        double = sorted({name for name in names if names.count(name) > 1})
        yield hazard(
            f"the archive holds {names_en(double)} more than once", f"压缩包中 {names_zh(double)} 出现不止一次"
        )
    foreign = [name for name in names if not name.endswith("/") and not _is_part(name)]
    if foreign:
        yield hazard(
            f"the archive holds what no SavedModel does: {names_en(foreign)}",
            f"压缩包中有 SavedModel 不该有的成员：{names_zh(foreign)}",
        )


def _leaves(name: str) -> bool:
    return (
        "\\" in name
        or "\0" in name
        or name.startswith("/")
        or ".." in name.split("/")
        or bool(re.match(r"[A-Za-z]:", name))
    )


def _is_part(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name in _PARTS or bool(_INSIDE.intersection(path.parts[:-1]))


def examine_tar(path: Path) -> Iterator[Hazard]:
    """Every hazard of a tar, compressed or not: members that leave the folder, links, devices, bombs, the graph inside."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        data = gunzip(path, MAX_TAR + 1)
        if len(data) > MAX_TAR:
            yield hazard(f"the archive unpacks to over {MAX_TAR:,} bytes", f"压缩包解压后超过 {MAX_TAR:,} 字节")
            return
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
            yield from _members(archive, len(data))
    else:
        with tarfile.open(path, "r:") as archive:
            yield from _members(archive, path.stat().st_size)


def _members(archive: tarfile.TarFile, size: int) -> Iterator[Hazard]:
    members: list[tarfile.TarInfo] = []
    for member in archive:
        members.append(member)
        if len(members) > MAX_MEMBERS:
            yield hazard(f"over {MAX_MEMBERS:,} members; a model has a handful", f"成员超过 {MAX_MEMBERS:,} 个，过多")
            return
    yield from _places([member.name + ("/" if member.isdir() else "") for member in members])
    if odd := [member.name for member in members if not (member.isreg() or member.isdir())]:
        yield hazard(
            f"the archive holds links or devices: {names_en(odd)}", f"压缩包中有链接或设备文件：{names_zh(odd)}"
        )
    declared = sum(member.size for member in members)
    if declared > size:
        yield hazard(
            f"the members declare {declared:,} bytes in an archive of {size:,}",
            f"压缩包只有 {size:,} 字节，成员却声明了 {declared:,} 字节",
        )
        return
    graphs = [m for m in members if m.isreg() and PurePosixPath(m.name).name == GRAPH and m.size <= MAX_GRAPH]
    for member in graphs:
        stream = archive.extractfile(member)
        if stream is not None:
            yield from _graph(stream)
    if not graphs:
        yield _no_model()
