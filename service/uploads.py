"""Uploads: received in parts, hashed, kept once for each owner, removed after a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..errors import ConflictError, NotFoundError, TooLargeError
from .database import Database
from .files import FileStore, safe_name
from .settings import MIB, Settings
from .tables import Owner, Upload, new_id, now


class Uploads:
    """The uploads of all owners. What belongs to another owner is "not found"."""

    def __init__(self, database: Database, files: FileStore, settings: Settings) -> None:
        self._database, self._files, self._settings = database, files, settings

    def begin(self, owner: str, name: str, size: int, made_from: str | None = None) -> Upload:
        """Make room for a file of `size` bytes.

        Raises:
            TooLargeError: the file, or all files of this owner together, would be too large.
        """
        if size > self._settings.max_upload_mib * MIB:
            raise TooLargeError(f"the file has {size} bytes; at most {self._settings.max_upload_mib} MiB are taken")
        upload = Upload(
            owner_id=owner,
            name=safe_name(name),
            size=size,
            parts=[],
            made_from=made_from,
            ends_at=now() + timedelta(hours=self._settings.keep_uploads_hours),
        )
        with self._database.session() as session:
            _lock(session, owner)
            stored = session.scalar(select(func.sum(Upload.size)).where(Upload.owner_id == owner)) or 0
            if stored + size > self._settings.max_stored_mib * MIB:
                raise TooLargeError(
                    f"your files together would be over {self._settings.max_stored_mib} MiB; remove some first"
                )
            session.add(upload)
        return upload

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
            self._files.remove(part)
            return upload
        parts, received = [*upload.parts, part], upload.received + length
        with self._database.session() as session:
            taken = session.execute(
                update(Upload)
                .where(Upload.id == upload.id, Upload.received == upload.received, Upload.blob.is_(None))
                .values(parts=parts, received=received)
            )
            if taken.rowcount != 1:  # type: ignore[attr-defined]
                self._files.remove(part)
                raise ConflictError("another request went on with this upload at the same time; ask where it stands")
        if received < upload.size:
            return self.get(upload.owner_id, upload.id)
        return self._whole(upload.owner_id, upload.id, parts, digest if len(parts) == 1 else None)

    def get(self, owner: str, upload_id: str) -> Upload:
        """An upload of this owner.

        Raises:
            NotFoundError: there is none, or its time is over.
        """
        with self._database.reading() as session:
            upload = session.get(Upload, upload_id)
        if upload is None or upload.owner_id != owner or upload.ends_at < now():
            raise NotFoundError(f"there is no upload {upload_id[:40]}: it was removed, or its time was over")
        return upload

    def of(self, owner: str) -> list[Upload]:
        """All uploads of an owner, the newest first."""
        with self._database.reading() as session:
            mine = (
                select(Upload).where(Upload.owner_id == owner, Upload.ends_at >= now()).order_by(Upload.made_at.desc())
            )
            return list(session.scalars(mine))

    @contextmanager
    def checked_out(self, owner: str, ids: tuple[str, ...]) -> Iterator[dict[str, Path]]:
        """Those of the uploads that are still there, as files, by id."""
        with ExitStack() as stack:
            files: dict[str, Path] = {}
            for each in ids:
                try:
                    upload = self.get(owner, each)
                except NotFoundError:
                    continue
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

    def chunks(self, upload: Upload) -> Iterator[bytes]:
        """The bytes of a whole upload."""
        if upload.blob is None:
            raise ConflictError("the upload is not whole yet")
        with self._files.reading(upload.blob) as blob:
            while piece := blob.read(MIB):
                yield piece

    def remove(self, owner: str, upload_id: str) -> None:
        """Remove an upload, and its content where no other upload of this owner has it."""
        self._remove(self.get(owner, upload_id))

    def sweep(self) -> int:
        """Remove what is over its time; the number of uploads."""
        with self._database.reading() as session:
            over = list(session.scalars(select(Upload).where(Upload.ends_at < now()).limit(1000)))
        for upload in over:
            self._remove(upload)
        return len(over)

    def _remove(self, upload: Upload) -> None:
        with self._database.session() as session:
            _lock(session, upload.owner_id)
            found = session.get(Upload, upload.id)
            if found is None:
                return
            session.delete(found)
            session.flush()
            if found.blob and not session.scalar(select(Upload.id).where(Upload.blob == found.blob).limit(1)):
                self._files.remove(found.blob)
        self._files.remove(f"parts/{upload.id}")

    def _whole(self, owner: str, upload_id: str, parts: list[str], digest: str | None) -> Upload:
        """Give the content its place, or find that this owner has it already."""
        joined = parts[0]
        if digest is None:
            joined = f"parts/{upload_id}/whole"
            digest = self._files.join(parts, joined)
        blob = f"blobs/{owner}/{digest}"
        with self._database.session() as session:
            _lock(session, owner)
            same = session.scalar(select(Upload.id).where(Upload.blob == blob).limit(1))
            if same is None:
                self._files.rename(joined, blob)
            session.execute(update(Upload).where(Upload.id == upload_id).values(sha256=digest, blob=blob, parts=[]))
        self._files.remove(f"parts/{upload_id}")
        return self.get(owner, upload_id)


class PartWriter:
    """Writes one part. At the end of its `with` block what was written is kept, also where the sender went away."""

    def __init__(self, uploads: Uploads, files: FileStore, upload: Upload) -> None:
        self.upload = upload
        self._uploads = uploads
        self._name = f"parts/{upload.id}/{new_id()}"
        self._stack = ExitStack()
        self._blob = self._stack.enter_context(files.writing(self._name))
        self._digest, self._length = hashlib.sha256(), 0

    def write(self, piece: bytes) -> None:
        """Write a piece.

        Raises:
            TooLargeError: there is more than was said at the beginning; the piece is not written.
        """
        if self.upload.received + self._length + len(piece) > self.upload.size:
            raise TooLargeError(f"more than the {self.upload.size} bytes that were announced")
        self._blob.write(piece)
        self._digest.update(piece)
        self._length += len(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        self.upload = self._uploads.keep(self.upload, self._name, self._length, self._digest.hexdigest())


def _lock(session: Session, owner: str) -> None:
    """One at a time for each owner: sums and shared contents must not change in between."""
    session.execute(select(Owner.id).where(Owner.id == owner).with_for_update())
