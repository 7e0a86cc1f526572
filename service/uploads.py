"""Uploads: received in parts, hashed, kept once for each owner, removed after a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ..errors import ConflictError, InputError, NotFoundError, TooLargeError
from ..knowledge.text import Text
from .database import Database
from .files import FileStore, safe_name
from .holdings import check_number, lock_owner
from .settings import MIB, Settings
from .tables import Upload, new_id, now

PART = 64 * MIB  # what a sender may lose when a process is killed: so much is written before it is recorded
PIECE = MIB // 4  # what is in memory for each who reads, or does not
OTHER = "another request went on with this upload at the same time; ask where it stands"
NO_ROOM = Text(
    "there is no room for this file here at the moment; try again later", "这里暂时没有空间存放这个文件，请稍后再试"
)
LEFT = timedelta(hours=1)  # after so long, what no row knows of was left by a process that was killed


class Uploads:
    """The uploads of all owners. What belongs to another owner is "not found"."""

    def __init__(self, database: Database, files: FileStore, settings: Settings) -> None:
        self._database, self._files, self._settings = database, files, settings

    def begin(self, owner: str, name: str, size: int, made_from: str | None = None) -> Upload:
        """Make room for a file of `size` bytes.

        Raises:
            TooLargeError: the file, or all files of this owner together, would be too large, or the disk is full.
            ConflictError: the owner has too many files.
            InputError: the size is negative.
        """
        upload = Upload(
            owner_id=owner,
            name=safe_name(name),
            size=size,
            parts=[],
            made_from=made_from,
            ends_at=now() + timedelta(hours=self._settings.keep_uploads_hours),
        )
        with self._database.session() as session:
            lock_owner(session, owner)
            self._room(session, owner, size)
            session.add(upload)
        return upload

    def most(self, owner: str) -> int:
        """The bytes that a file of this owner may have now; less than one where there is no room."""
        with self._database.reading() as session:
            left = self._settings.max_stored_mib * MIB - _stored(session, owner)
        return min(self._settings.max_upload_mib * MIB, left, self._files.room())

    def room(self, owner: str, size: int) -> None:
        """See that there is room for `size` bytes more, before they are read.

        Raises:
            TooLargeError, ConflictError: as for `begin`.
        """
        with self._database.reading() as session:
            self._room(session, owner, size)

    def _room(self, session: Session, owner: str, size: int) -> None:
        if size < 0:
            raise InputError(f"the file has {size} bytes; expected 0 or more", "文件大小不对")
        if size > self._settings.max_upload_mib * MIB:
            raise TooLargeError(
                f"the file has {size} bytes; at most {self._settings.max_upload_mib} MiB are taken",
                f"文件有 {size} 字节，最多接受 {self._settings.max_upload_mib} MiB",
            )
        if not self._files.has_room(size):
            raise TooLargeError(NO_ROOM.en, NO_ROOM.zh)
        hours = f"{self._settings.keep_uploads_hours:g}"
        told = Text(
            f"remove some first; each goes by itself after {hours} hours",
            f"请先移除一些，每个文件 {hours} 小时后也会自行删除",
        )
        check_number(session, Upload, _of_owner(owner), self._settings.max_uploads, told)
        if _stored(session, owner) + size > self._settings.max_stored_mib * MIB:
            raise TooLargeError(
                f"your files together would be over {self._settings.max_stored_mib} MiB; remove some first",
                f"你的文件合计将超过 {self._settings.max_stored_mib} MiB，请先移除一些",
            )

    def part(self, owner: str, upload_id: str, offset: int) -> PartWriter:
        """Go on writing at `offset`, which must be where it stopped.

        Raises:
            NotFoundError: there is no such upload.
            ConflictError: it is whole already, or it stopped elsewhere; the message tells where.
        """
        upload = self.get(owner, upload_id)
        if upload.whole or upload.received != offset:
            raise ConflictError(f"{upload.received} of {upload.size} bytes were received; go on there, not at {offset}")
        return PartWriter(self, self._files, upload)

    def keep(self, upload: Upload, part: str, length: int, digest: str) -> Upload:
        """Take a part that was written, if nobody else went on in the meantime. The last part makes the file whole.

        Raises:
            ConflictError: somebody else did.
        """
        if not length and upload.size:
            self._discard(part)
        elif upload.received + length < upload.size:
            with self._database.session() as session:
                self._take(session, upload, part, parts=[*upload.parts, part], received=upload.received + length)
        else:
            self._finish(upload, part, digest)
        return self.get(upload.owner_id, upload.id)

    def get(self, owner: str, upload_id: str) -> Upload:
        """An upload of this owner.

        Raises:
            NotFoundError: there is none, or its time is over.
        """
        with self._database.reading() as session:
            upload = session.get(Upload, upload_id)
        if upload is None or upload.owner_id != owner or upload.ends_at < now():
            raise NotFoundError(
                f"there is no upload {upload_id[:40]}: it was removed, or its time was over",
                "没有这个文件，可能已被移除或过期",
            )
        return upload

    def check(self, owner: str, ids: tuple[str, ...]) -> None:
        """See that uploads can be worked on.

        Raises:
            NotFoundError: one is not there.
            ConflictError: one is not whole yet.
        """
        for each in ids:
            upload = self.get(owner, each)
            if not upload.whole:
                raise ConflictError(
                    f"{upload.received} of {upload.size} bytes of upload {each} were received; send the rest",
                    f"文件只收到 {upload.received} / {upload.size} 字节，请传完其余部分",
                )

    def of(self, owner: str) -> list[Upload]:
        """All uploads of an owner, the newest first."""
        with self._database.reading() as session:
            return list(session.scalars(select(Upload).where(_of_owner(owner)).order_by(Upload.made_at.desc())))

    @contextmanager
    def checked_out(self, owner: str, ids: tuple[str, ...]) -> Iterator[dict[str, Path]]:
        """Those of the uploads that are still there, as files, by id."""
        with ExitStack() as stack:
            files: dict[str, Path] = {}
            for each in dict.fromkeys(ids):
                with suppress(NotFoundError, FileNotFoundError):  # removed a moment ago
                    upload = self.get(owner, each)
                    if upload.blob is not None:
                        files[each] = stack.enter_context(self._files.checkout(upload.blob, upload.name))
            yield files

    def stored(self, owner: str, name: str, file: Path, made_from: str) -> Upload:
        """Keep a file that was made here, as an upload."""
        upload = self.begin(owner, name, file.stat().st_size, made_from)
        with file.open("rb") as made, self.part(owner, upload.id, 0) as part:
            while piece := made.read(MIB):
                part.write(piece)
        return part.upload

    def chunks(self, upload: Upload, part: range | None = None) -> Iterator[bytes]:
        """The bytes of a whole upload, or some of them."""
        if upload.blob is None:
            raise ConflictError("the upload is not whole yet", "文件还没有传完")
        left = range(upload.size) if part is None else part
        with self._files.reading(upload.blob) as blob:
            blob.seek(left.start)
            while left and (piece := blob.read(min(PIECE, len(left)))):
                left = left[len(piece) :]
                yield piece

    def remove(self, owner: str, upload_id: str) -> None:
        """Remove an upload, and its content where no other upload of this owner has it."""
        self._remove(self.get(owner, upload_id))

    def sweep(self, left: timedelta = LEFT) -> int:
        """Remove what is over its time, and what killed processes left; the number of uploads."""
        with self._database.reading() as session:
            over = list(session.scalars(select(Upload).where(Upload.ends_at < now()).limit(1000)))
        for upload in over:
            self._remove(upload)
        self._files.sweep(left)
        for part in self._files.left("parts", left):
            self._sweep_part(part)
        for blob in self._files.left("blobs", left):
            self._sweep_blob(blob)
        return len(over)

    def _remove(self, upload: Upload) -> None:
        with self._database.session() as session:
            lock_owner(session, upload.owner_id)
            found = session.get(Upload, upload.id)
            if found is None:
                return
            session.delete(found)
            session.flush()
            if found.blob and not _has(session, found.blob):
                self._files.remove(found.blob)
        self._discard(*found.parts)

    def _take(self, session: Session, upload: Upload, part: str, **values: object) -> None:
        """Change an upload, unless somebody else did since it was read; the part is removed then."""
        same = (Upload.id == upload.id) & (Upload.received == upload.received) & Upload.blob.is_(None)
        taken = session.execute(update(Upload).where(same).values(values))
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            self._discard(part)
            raise ConflictError(OTHER)

    def _finish(self, upload: Upload, part: str, digest: str) -> None:
        """Give the content its place, or find that this owner has it already.

        An upload is never all received and not whole: a process that is killed in here leaves it without its last part.
        """
        whole = part
        if upload.parts:
            whole, digest = self._joined([*upload.parts, part])
        blob = f"blobs/{upload.owner_id}.{digest}"
        with self._database.session() as session:
            lock_owner(session, upload.owner_id)
            had = _has(session, blob)
            try:
                told = {"name": upload.name, "size": upload.size, "received": upload.size}
                self._take(session, upload, part, parts=[], sha256=digest, blob=blob, **told)
            except ConflictError:
                self._discard(whole)
                raise
            if not had:
                self._files.rename(whole, blob)
        self._discard(*upload.parts, part, whole)

    def _joined(self, parts: list[str]) -> tuple[str, str]:
        """The name of all parts in one, and its hash."""
        whole = f"{parts[-1]}.whole"
        try:
            return whole, self._files.join(parts, whole)
        except FileNotFoundError:  # another request made it whole, or removed it
            self._discard(parts[-1], whole)
            raise ConflictError(OTHER) from None

    def _discard(self, *names: str) -> None:
        for name in names:
            self._files.remove(name)

    def _sweep_part(self, part: str) -> None:
        with self._database.reading() as session:
            upload = session.get(Upload, _of(part))
        if upload is None or part not in upload.parts:
            self._files.remove(part)

    def _sweep_blob(self, blob: str) -> None:
        with self._database.session() as session:
            lock_owner(session, _of(blob))
            if not _has(session, blob):
                self._files.remove(blob)


class PartWriter:
    """Writes at the end of an upload. After its `with` block what was written is kept, also where the sender went away."""

    def __init__(self, uploads: Uploads, files: FileStore, upload: Upload) -> None:
        self.upload = upload
        self._uploads, self._files = uploads, files
        self._length = 0

    def write(self, piece: bytes) -> None:
        """Write a piece.

        Raises:
            TooLargeError: there is more than was said at the beginning, or the disk is full; the piece is not written.
            ConflictError: another request went on with this upload.
        """
        if self.upload.received + self._length + len(piece) > self.upload.size:
            raise TooLargeError(f"more than the {self.upload.size} bytes that were announced")
        if not self._files.has_room(len(piece)):
            raise TooLargeError(NO_ROOM.en, NO_ROOM.zh)
        if self._length >= PART:
            self._keep()
            self._open()
        try:
            self._blob.write(piece)
        except OSError:
            self._length = 0  # how much of the piece is there is not known
            raise
        self._digest.update(piece)
        self._length += len(piece)

    def end_here(self, name: str) -> None:
        """The file ends with what was written, though it is less than was announced; only now its name is known."""
        self.upload.size, self.upload.name = self.upload.received + self._length, safe_name(name)

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._keep()

    def _open(self) -> None:
        self._name = f"parts/{self.upload.id}.{new_id()}"
        self._digest, self._length = hashlib.sha256(), 0
        self._stack = ExitStack()
        self._blob: IO[bytes] = self._stack.enter_context(self._files.writing(self._name))

    def _keep(self) -> None:
        """Record what was written; once, also where that fails."""
        length, self._length = self._length, 0
        self._stack.close()
        self.upload = self._uploads.keep(self.upload, self._name, length, self._digest.hexdigest())


def _of(name: str) -> str:
    """Whose a blob is: an upload's in parts/, an owner's in blobs/."""
    return name.partition("/")[2].partition(".")[0]


def _of_owner(owner: str) -> ColumnElement[bool]:
    """Those that are there; what is over its time is not, though it is not swept away yet."""
    return (Upload.owner_id == owner) & (Upload.ends_at >= now())


def _stored(session: Session, owner: str) -> int:
    """The bytes of all files of an owner."""
    return session.scalar(select(func.sum(Upload.size)).where(_of_owner(owner))) or 0


def _has(session: Session, blob: str) -> bool:
    return session.scalar(select(Upload.id).where(Upload.blob == blob).limit(1)) is not None
