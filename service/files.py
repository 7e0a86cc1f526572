"""The file store: blobs by name in a folder or behind any URL of fsspec. A file that must be read is checked out as a real one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from ..errors import StorageError

CHUNK = 1 << 20
SPARED = 256 << 20  # bytes of a disk that uploads leave to the database and everyone else
MAX_STEM, MAX_ENDING = 160, 40  # bytes in UTF-8; file systems take 255 for both
_ODD = re.compile(r"[^\w.\- ()\[\]]+")


class FileStore:
    """Blobs in one place. Names are ours ("blobs/…", "parts/…"), never a user's."""

    def __init__(self, url: str) -> None:
        """Open it; a folder is made, for its owner alone.

        Raises:
            StorageError: no such protocol, or the place cannot be reached.
        """
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
            self._local = isinstance(self._files, LocalFileSystem)
            if self._local:
                Path(self._root).mkdir(parents=True, exist_ok=True, mode=0o700)
        except (ValueError, ImportError, OSError) as error:
            raise StorageError(
                f"files: {error}; expected a folder or a URL that fsspec knows, such as s3://BUCKET/PATH"
            ) from None

    def writable(self) -> bool:
        """Whether a blob can be written and removed."""
        name = f"probes/{os.urandom(8).hex()}"
        try:
            with self.writing(name) as blob:
                blob.write(b"x")
            self.remove(name)
        except OSError:
            return False
        return True

    def room(self) -> int:
        """How many bytes more leave the disk usable; a store that is no folder has its own limits."""
        return shutil.disk_usage(self._root).free - SPARED if self._local else sys.maxsize

    def has_room(self, size: int) -> bool:
        """Whether so many bytes more leave the disk usable."""
        return size <= self.room()

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """A blob to be written from its beginning; one that is there already is replaced."""
        place = self._place(name)
        self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        with self._files.open(place, "wb") as blob:
            yield blob

    def reading(self, name: str) -> IO[bytes]:
        """A blob to be read.

        Raises:
            FileNotFoundError: there is none.
        """
        return self._files.open(self._place(name), "rb")  # type: ignore[no-any-return]

    def has(self, name: str) -> bool:
        """Whether there is such a blob."""
        return bool(self._files.exists(self._place(name)))

    def rename(self, name: str, new: str) -> None:
        """Give a blob another name; one that has it already is replaced."""
        place = self._place(new)
        self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        self._files.mv(self._place(name), place)

    def remove(self, name: str) -> None:
        """Remove a blob, or all that begin with a name and a slash. One that is not there is no error."""
        with suppress(FileNotFoundError):
            self._files.rm(self._place(name), recursive=True)

    def join(self, parts: list[str], name: str) -> str:
        """Write blobs one behind the other into one; the SHA-256 of it, in hexadecimal."""
        digest = hashlib.sha256()
        with self.writing(name) as whole:
            for part in parts:
                with self.reading(part) as blob:
                    while piece := blob.read(CHUNK):
                        digest.update(piece)
                        whole.write(piece)
        return digest.hexdigest()

    def left(self, under: str, age: timedelta) -> list[str]:
        """The names of the blobs below a name that nobody has written to for so long."""
        place, before = self._place(under), datetime.now(UTC) - age
        names = []
        for each in self._files.find(place):
            with suppress(FileNotFoundError):
                if self._files.modified(each).astimezone(UTC) < before:
                    names.append(each.removeprefix(f"{self._root}/"))
        return names

    def sweep(self, age: timedelta) -> None:
        """Remove the checked out files that a killed process left."""
        if self._local:
            for folder in Path(self._beside() or "").iterdir():
                with suppress(FileNotFoundError):
                    if datetime.fromtimestamp(folder.stat().st_mtime, UTC) < datetime.now(UTC) - age:
                        shutil.rmtree(folder)

    @contextmanager
    def checkout(self, name: str, called: str) -> Iterator[Path]:
        """A blob as a file that programs can open, under a name that people know it by; it is gone afterwards.

        A local blob is linked, not copied: the folder is beside it, because links do not reach other file systems. The ending of
        `called` stays, because a file's ending is looked at.

        Raises:
            FileNotFoundError: there is no such blob.
        """
        with tempfile.TemporaryDirectory(prefix="kerasdoctor-file-", dir=self._beside()) as folder:
            file = Path(folder) / safe_name(called)
            if not (self._local and _link(self._place(name), file)):
                with self.reading(name) as blob, file.open("wb") as copy:
                    shutil.copyfileobj(blob, copy, CHUNK)
            yield file

    def _beside(self) -> str | None:
        if not self._local:
            return None
        self._files.makedirs(self._place("out"), exist_ok=True)
        return self._place("out")

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"


def safe_name(name: str) -> str:
    """A file's name without folders and odd characters, of a bounded length, its ending kept."""
    last = _ODD.sub("_", unicodedata.normalize("NFC", name[-4096:]).replace("\\", "/").rpartition("/")[2]).rstrip(". ")
    stem, dot, ending = last.rpartition(".")
    stem, ending = (stem, ending) if dot else (ending, "")
    return (_cut(stem.strip(". "), MAX_STEM) or "file") + (f".{_cut(ending, MAX_ENDING)}" if ending else "")


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _link(place: str, file: Path) -> bool:
    try:
        os.link(place, file)
    except OSError:  # another file system, or one without links
        return False
    return True
