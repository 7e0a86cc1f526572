"""The members of an archive as streams, read in place where they are stored and else unpacked within bounds."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from io import RawIOBase
from typing import IO, Any

# Keras stores without compression; re-packed weights shrink by little, deflate ends at 1032.
MAX_RATIO = 100
FREE = 1024 * 1024
MAX_UNPACKED = 512 * 1024 * 1024
_LOCAL = b"PK\x03\x04"


def member_stream(raw: IO[bytes], name: str) -> Any:  # noqa: ANN401 - a binary stream
    """The bytes of one member of an open archive as a seekable stream, in place where it is stored.

    Returns:
        None where the member is packed in a way that the gate refuses, or damaged.
    """
    with zipfile.ZipFile(raw) as archive:
        found = [info for info in archive.infolist() if info.filename == name]
        return content_of(raw, archive, found[0]) if len(found) == 1 else None


def content_of(raw: IO[bytes], archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:  # noqa: ANN401 - a binary stream
    """The bytes of a member as a seekable stream: a window into the file, or unpacked to a bounded temporary file."""
    head = local_header(raw, member)
    if head is None or member.flag_bits & 0x2041 or member.file_size > MAX_RATIO * max(member.compress_size, FREE):
        return None
    if member.compress_type == zipfile.ZIP_STORED:
        return Window(raw, member.header_offset + head, member.compress_size)
    if member.compress_type != zipfile.ZIP_DEFLATED or member.file_size > MAX_UNPACKED:
        return None
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with archive.open(member) as packed:
            left = member.file_size
            while left > 0 and (part := packed.read(min(left, 1 << 20))):
                unpacked.write(part)
                left -= len(part)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError):
        unpacked.close()
        return None
    unpacked.seek(0)
    return unpacked


def local_header(raw: IO[bytes], member: zipfile.ZipInfo) -> int | None:
    """How long the header before a member's data is; None where it contradicts the directory."""
    raw.seek(member.header_offset)
    head = raw.read(30)
    if len(head) < 30 or not head.startswith(_LOCAL):  # noqa: PLR2004 - the fixed part of the header
        return None
    name_length, extra_length = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    name = raw.read(name_length)
    method, flags = int.from_bytes(head[8:10], "little"), int.from_bytes(head[6:8], "little")
    written = member.orig_filename.encode("utf-8" if flags & 0x800 else "cp437", "replace")
    if name != written or method != member.compress_type or (flags ^ member.flag_bits) & 0x2041:
        return None
    return 30 + name_length + extra_length


class Window(RawIOBase):
    """A part of an open file, read in place. `zipfile` would read all that stands before a position again."""

    def __init__(self, raw: Any, start: int, size: int) -> None:  # noqa: ANN401 - a file that can be read into a buffer
        super().__init__()
        self._raw, self._start, self._size, self._at = raw, start, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position in the part."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position in the part."""
        self._at = offset if whence == 0 else max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Read at the position."""
        left = max(0, self._size - self._at)
        view = buffer if len(buffer) <= left else memoryview(buffer)[:left]
        self._raw.seek(self._start + self._at)
        read = self._raw.readinto(view) if len(view) else 0
        self._at += read
        return read
