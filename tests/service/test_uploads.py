"""Uploads: parts in order, senders that go away, processes that are killed, contents kept once, limits, sweeping."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from kerasdoctor.errors import ConflictError, InputError, NotFoundError, TooLargeError
from kerasdoctor.service.database import Database
from kerasdoctor.service.files import FileStore
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.tables import Owner, Upload
from kerasdoctor.service.uploads import PART, Uploads
from sqlalchemy import func, select, update

NOW = timedelta(0)


def opened(database: Database, tmp_path: Path, **settings: float) -> Uploads:
    options = Settings(data=tmp_path, **settings)  # type: ignore[arg-type]
    return Uploads(database, FileStore(str(tmp_path / "files")), options)


@pytest.fixture
def uploads(database: Database, tmp_path: Path) -> Uploads:
    with database.session() as session:
        session.add_all([Owner(id="ann", kind="local"), Owner(id="bob", kind="local")])
    return opened(database, tmp_path)


def send(uploads: Uploads, content: bytes, name: str = "m.keras", owner: str = "ann") -> Upload:
    upload = uploads.begin(owner, name, len(content))
    return go_on(uploads, upload, 0, content, owner)


def go_on(uploads: Uploads, upload: Upload, offset: int, content: bytes, owner: str = "ann") -> Upload:
    with uploads.part(owner, upload.id, offset) as part:
        part.write(content)
    return part.upload


def stored(tmp_path: Path) -> list[str]:
    files = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    return sorted(str(path.relative_to(tmp_path / "files")) for path in files)


def test_parts_in_order_make_a_file(uploads: Uploads, tmp_path: Path) -> None:
    """It has the right bytes and the right hash, and nothing is left of the parts."""
    upload = uploads.begin("ann", "../../m.keras", 10)
    assert (upload.name, upload.received, upload.whole) == ("m.keras", 0, False)
    upload = go_on(uploads, upload, 0, b"abc")
    upload = go_on(uploads, upload, 3, b"defg")
    assert (upload.received, upload.whole) == (7, False)
    with pytest.raises(ConflictError, match="not whole"):
        list(uploads.chunks(upload))
    upload = go_on(uploads, upload, 7, b"hij")
    assert upload.whole
    assert upload.sha256 == hashlib.sha256(b"abcdefghij").hexdigest()
    assert b"".join(uploads.chunks(upload)) == b"abcdefghij"
    assert stored(tmp_path) == [f"blobs/ann.{upload.sha256}"]
    with uploads.checked_out("ann", (upload.id, "gone", upload.id)) as files:
        assert {each: file.read_bytes() for each, file in files.items()} == {upload.id: b"abcdefghij"}


def test_a_wrong_offset_is_told_the_right_one(uploads: Uploads) -> None:
    """Before or behind where it stopped, and at all where it is whole."""
    upload = go_on(uploads, uploads.begin("ann", "m.h5", 4), 0, b"ab")
    for offset in (0, 3, -1):
        with pytest.raises(ConflictError, match="2 of 4 bytes"):
            uploads.part("ann", upload.id, offset)
    go_on(uploads, upload, 2, b"cd")
    with pytest.raises(ConflictError, match="4 of 4 bytes"):
        uploads.part("ann", upload.id, 4)


@pytest.mark.parametrize("size", [6, 4])
def test_of_two_requests_at_once_one_wins(uploads: Uploads, tmp_path: Path, size: int) -> None:
    """The other is told so, also where both bring the last part; what is kept is one request's bytes."""
    upload = go_on(uploads, uploads.begin("ann", "m.h5", size), 0, b"ab")
    slow = uploads.part("ann", upload.id, 2)
    with pytest.raises(ConflictError, match="another request"), slow:  # noqa: PT012 - it is its end that raises
        slow.write(b"xx")
        upload = go_on(uploads, upload, 2, b"cd")
    assert uploads.get("ann", upload.id).received == 4
    if size == 6:
        upload = go_on(uploads, upload, 4, b"ef")
    assert b"".join(uploads.chunks(upload)) == b"abcdef"[:size]
    assert len(stored(tmp_path)) == 1


@pytest.mark.usefixtures("uploads")
def test_files_of_an_owner_are_counted(database: Database, tmp_path: Path) -> None:
    """Empty ones too, also where many begin at once; what to do is told, and it helps. Others have their own."""
    few = opened(database, tmp_path, max_uploads=5)

    def begun(_: int) -> str:
        try:
            return few.begin("ann", "empty.h5", 0).id
        except ConflictError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(begun, range(12)))
    made = [upload.id for upload in few.of("ann")]
    assert len(made) == 5
    (refused,) = told - set(made)
    assert "you have 5 uploads here, which is the most; remove some first" in refused
    assert "after 24 hours" in refused
    assert few.begin("bob", "m.h5", 0)
    few.remove("ann", made[0])
    assert begun(0) != refused
    assert begun(0) == refused
    with database.session() as session:
        session.execute(update(Upload).values(ends_at=Upload.made_at))
    assert begun(0) != refused
    assert few.sweep() == 6
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Upload)) == 1


def test_many_requests_at_once_keep_one_part(uploads: Uploads) -> None:
    """Eight threads send the same offset with different bytes; one is heard each time, and nothing is mixed."""
    upload = uploads.begin("ann", "m.h5", 30)

    def attempt(letter: bytes) -> bool:
        try:
            go_on(uploads, upload, 0, letter * 30)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, [bytes([65 + i]) for i in range(8)]))
    assert won.count(True) == 1
    assert b"".join(uploads.chunks(uploads.get("ann", upload.id))) == bytes([65 + won.index(True)]) * 30


def test_what_arrived_before_the_sender_went_away_is_kept(uploads: Uploads) -> None:
    """An exception in the middle of a part ends the part, not the upload."""
    upload = uploads.begin("ann", "m.h5", 6)
    with pytest.raises(ConnectionResetError), uploads.part("ann", upload.id, 0) as part:  # noqa: PT012 - as senders do
        part.write(b"abc")
        raise ConnectionResetError
    with pytest.raises(ConnectionResetError), uploads.part("ann", upload.id, 3) as part:
        raise ConnectionResetError
    upload = go_on(uploads, uploads.get("ann", upload.id), 3, b"def")
    assert b"".join(uploads.chunks(upload)) == b"abcdef"


def test_more_than_announced_is_not_taken(uploads: Uploads) -> None:
    """The piece that is too much is refused; what came before stays."""
    upload = uploads.begin("ann", "m.h5", 4)
    with uploads.part("ann", upload.id, 0) as part:
        part.write(b"abc")
        with pytest.raises(TooLargeError, match="4 bytes that were announced"):
            part.write(b"de")
    assert uploads.get("ann", upload.id).received == 3


def test_a_full_disk_is_told_before_a_piece_is_written(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    """There was room when it began; what came before stays, and it goes on once there is room again."""
    upload = go_on(uploads, uploads.begin("ann", "m.h5", 6), 0, b"abc")
    with monkeypatch.context() as full:
        full.setattr("kerasdoctor.service.files.SPARED", 1 << 60)
        with pytest.raises(TooLargeError, match="no room"):
            go_on(uploads, upload, 3, b"def")
    upload = go_on(uploads, uploads.get("ann", upload.id), 3, b"def")
    assert b"".join(uploads.chunks(upload)) == b"abcdef"


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """The system writes no file of this process beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_part_whose_writing_failed_does_not_count(uploads: Uploads, tmp_path: Path) -> None:
    """Some bytes of the last piece are on the disk, nobody knows how many: the sender goes on where the part began."""
    content = bytes(range(250)) * 8000
    upload = go_on(uploads, uploads.begin("ann", "m.h5", len(content)), 0, content[:1000])
    with pytest.raises(OSError, match="large"), uploads.part("ann", upload.id, 1000) as part:  # noqa: PT012 - both pieces
        part.write(content[1000:600_000])
        with files_end_at(700_000):
            part.write(content[600_000:])
    upload = uploads.get("ann", upload.id)
    assert upload.received == 1000
    upload = go_on(uploads, upload, 1000, content[1000:])
    assert b"".join(uploads.chunks(upload)) == content
    assert stored(tmp_path) == [upload.blob]


def test_an_empty_file_is_a_file(uploads: Uploads) -> None:
    """Size 0 becomes whole with an empty part; a negative size is refused."""
    upload = uploads.begin("ann", "empty.keras", 0)
    with uploads.part("ann", upload.id, 0) as part:
        pass
    assert part.upload.whole
    assert part.upload.sha256 == hashlib.sha256(b"").hexdigest()
    assert list(uploads.chunks(part.upload)) == []
    with pytest.raises(InputError, match="0 or more"):
        uploads.begin("ann", "m", -1)


def test_the_same_file_is_kept_once_for_each_owner(uploads: Uploads, tmp_path: Path) -> None:
    """Also when it came in parts. Another owner has a file of his own, and neither sees the other's upload."""
    first, second = send(uploads, b"same", "a.h5"), send(uploads, b"same", "b.h5")
    third = go_on(uploads, go_on(uploads, uploads.begin("ann", "c.h5", 4), 0, b"sa"), 2, b"me")
    other = send(uploads, b"same", owner="bob")
    assert first.blob == second.blob == third.blob != other.blob
    assert len(stored(tmp_path)) == 2
    assert [upload.name for upload in uploads.of("ann")] == ["c.h5", "b.h5", "a.h5"]
    for ask in (uploads.get, uploads.remove, lambda who, what: uploads.part(who, what, 0)):
        with pytest.raises(NotFoundError):
            ask("bob", first.id)
    with uploads.checked_out("bob", (first.id, other.id)) as files:
        assert list(files) == [other.id]


def test_removal_keeps_a_content_that_another_upload_has(uploads: Uploads, tmp_path: Path) -> None:
    """It goes with the last upload that has it; the parts of an unfinished one go too."""
    first, second = send(uploads, b"same"), send(uploads, b"same")
    begun = go_on(uploads, uploads.begin("ann", "x", 9), 0, b"abc")
    uploads.remove("ann", first.id)
    assert b"".join(uploads.chunks(second)) == b"same"
    uploads.remove("ann", begun.id)
    uploads.remove("ann", second.id)
    assert stored(tmp_path) == []
    with pytest.raises(NotFoundError):
        uploads.get("ann", first.id)


def test_adding_and_removing_one_content_at_once_loses_nothing(uploads: Uploads) -> None:
    """Whoever still has an upload has its bytes."""
    kept = []

    def work(number: int) -> None:
        for _ in range(5):
            upload = send(uploads, b"same")
            if number % 2:
                uploads.remove("ann", upload.id)
            else:
                kept.append(upload)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert all(b"".join(uploads.chunks(upload)) == b"same" for upload in kept)


def test_limits_hold_for_requests_at_once(uploads: Uploads, database: Database, tmp_path: Path) -> None:
    """One file, and all files of an owner together; ten requests of 1 MiB into 3 MiB are three."""
    uploads = opened(database, tmp_path, max_upload_mib=2, max_stored_mib=3)
    with pytest.raises(TooLargeError, match="at most 2 MiB"):
        uploads.begin("ann", "m", (2 << 20) + 1)

    together = threading.Barrier(10)

    def attempt(_: int) -> bool:
        together.wait()
        try:
            uploads.begin("ann", "m", 1 << 20)
        except TooLargeError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(10))) == 3
    uploads.begin("bob", "m", 1 << 20)
    uploads.remove("ann", uploads.of("ann")[0].id)
    uploads.begin("ann", "m", 1 << 20)


def test_an_upload_ends_after_its_time(uploads: Uploads, database: Database, tmp_path: Path) -> None:
    """It is not found from then on, counts no more, and the next sweep removes its bytes."""
    upload, later = send(uploads, b"old"), send(uploads, b"new")
    with database.session() as session:
        ended = upload.ends_at - timedelta(hours=25)
        session.execute(update(Upload).where(Upload.id == upload.id).values(ends_at=ended))
    with pytest.raises(NotFoundError, match="its time was over"):
        uploads.get("ann", upload.id)
    with uploads.checked_out("ann", (upload.id, later.id)) as files:
        assert list(files) == [later.id]
    assert uploads.sweep() == 1
    assert uploads.sweep() == 0
    assert stored(tmp_path) == [later.blob]


def test_a_file_made_here_is_kept_as_an_upload(uploads: Uploads, tmp_path: Path) -> None:
    """With what it was made from."""
    original = send(uploads, b"original")
    (tmp_path / "copy.keras").write_bytes(b"mended" * 1000)
    made = uploads.stored("ann", "copy.keras", tmp_path / "copy.keras", original.id)
    assert (made.name, made.made_from, made.whole) == ("copy.keras", original.id, True)
    assert b"".join(uploads.chunks(made)) == b"mended" * 1000


def test_what_no_row_knows_of_is_swept(uploads: Uploads, tmp_path: Path) -> None:
    """Parts of removed uploads, parts that were never recorded, contents without an upload; what is in use stays."""
    whole, begun = send(uploads, b"whole"), go_on(uploads, uploads.begin("ann", "x", 9), 0, b"abc")
    for name in (f"parts/{begun.id}.lost", "parts/gone.1", "blobs/ann.lost", "blobs/nobody.lost"):
        file = tmp_path / "files" / name
        file.write_bytes(b"left")
    uploads.sweep()
    assert len(stored(tmp_path)) == 6  # an hour has not passed
    time.sleep(0.02)
    uploads.sweep(NOW)
    assert stored(tmp_path) == sorted([str(whole.blob), *uploads.get("ann", begun.id).parts])
    assert go_on(uploads, begun, 3, b"defghi").whole


CHILD = """
import sys
from pathlib import Path
from kerasdoctor.service.database import Database
from kerasdoctor.service.files import FileStore
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.uploads import Uploads
url, data = sys.argv[1:3]
uploads = Uploads(Database(url), FileStore(data + "/files"), Settings(data=Path(data)))
"""


def child(code: str, database_url: str, tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD + code, database_url, str(tmp_path), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_process_that_is_killed_while_writing_loses_one_part_at_most(
    uploads: Uploads, database_url: str, tmp_path: Path
) -> None:
    """What was recorded is there; going on gives the right bytes, and nothing is left after a sweep."""
    code = """
with uploads.part("ann", sys.argv[3], 0) as part:
    for number in range(66):
        part.write(bytes([number]) * (1 << 20))
    part._blob.flush()
    print("written", flush=True)
    sys.stdin.read()
"""
    size = 70 << 20
    upload = uploads.begin("ann", "big.h5", size)
    command = [sys.executable, "-c", CHILD + code, database_url, str(tmp_path), upload.id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == "written\n"
        writing.kill()
    upload = uploads.get("ann", upload.id)
    assert (upload.received, upload.whole) == (PART, False)
    assert len(stored(tmp_path)) == 2
    with uploads.part("ann", upload.id, upload.received) as part:
        for number in range(64, 70):
            part.write(bytes([number]) * (1 << 20))
    content = (bytes([number]) * (1 << 20) for number in range(70))
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    assert part.upload.sha256 == digest.hexdigest()
    uploads.sweep(NOW)
    assert stored(tmp_path) == [part.upload.blob]
    assert (tmp_path / "files" / str(part.upload.blob)).stat().st_size == size


def test_a_large_file_takes_little_memory(tmp_path: Path, sqlite_url: str) -> None:
    """300 MB, several parts, joined and hashed: the process grows by less than 20 MB."""
    database = Database(sqlite_url)
    with database.session() as session:
        session.add(Owner(id="ann", kind="local"))
    code = """
import resource
upload = uploads.begin("ann", "big.h5", 300 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
piece = bytes(1 << 20)
with uploads.part("ann", upload.id, 0) as part:
    for _ in range(300):
        part.write(piece)
assert part.upload.whole
assert sum(map(len, uploads.chunks(part.upload))) == 300 << 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    with child(code, sqlite_url, tmp_path) as sending:
        said, _ = sending.communicate(timeout=60)
    assert int(said) < 20_000  # KiB
