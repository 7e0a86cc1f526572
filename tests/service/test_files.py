"""The file store, on a local folder and on another file system of fsspec."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kerasdoctor.errors import StorageError
from kerasdoctor.service.files import FileStore, safe_name

NOW = timedelta(0)


@pytest.fixture(params=["local", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "files") if request.param == "local" else f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def store(url: str) -> Iterator[FileStore]:
    opened = FileStore(url)
    yield opened
    opened.remove("")


def put(store: FileStore, name: str, content: bytes) -> None:
    with store.writing(name) as blob:
        blob.write(content)


def read(store: FileStore, name: str) -> bytes:
    with store.reading(name) as blob:
        return blob.read()


def test_blobs_are_written_read_renamed_and_removed(store: FileStore, url: str) -> None:
    """Through one handle and another on the same place; a second writing replaces the first."""
    other = FileStore(url)
    put(store, "a/b", b"first")
    put(other, "a/b", b"second")
    assert read(store, "a/b") == b"second"
    put(store, "a/c", b"third")
    store.rename("a/b", "d/e/f")
    store.rename("a/c", "d/e/f")
    assert not other.has("a/b")
    assert read(other, "d/e/f") == b"third"
    other.remove("d")
    assert not store.has("d/e/f")
    store.remove("d")
    with pytest.raises(FileNotFoundError):
        store.reading("d/e/f")


def test_parts_are_joined_and_hashed(store: FileStore) -> None:
    """The whole is the parts in the order given; the hash is SHA-256's."""
    put(store, "p/1", b"ab" * 1_000_000)
    put(store, "p/2", b"")
    put(store, "p/3", b"c")
    # printf 'ab%.0s' $(seq 1000000) and one c | sha256sum
    import hashlib  # noqa: PLC0415 - the other implementation of the same

    assert store.join(["p/3", "p/2", "p/1"], "p/whole") == hashlib.sha256(b"c" + b"ab" * 1_000_000).hexdigest()
    assert read(store, "p/whole") == b"c" + b"ab" * 1_000_000


def test_a_checked_out_file_is_real_and_goes_away(store: FileStore) -> None:
    """It has the name that people know with its ending; the blob stays, also when the checked out file is removed meanwhile."""
    put(store, "blobs/o/1", b"model")
    with store.checkout("blobs/o/1", "../../My model (1).keras") as file:
        assert file.name == "My model (1).keras"
        assert file.read_bytes() == b"model"
        store.remove("blobs/o/1")
        assert file.read_bytes() == b"model"
    assert not file.parent.exists()
    with pytest.raises(FileNotFoundError), store.checkout("blobs/o/1", "x"):
        pass


def test_a_local_blob_is_linked_not_copied(tmp_path: Path) -> None:
    """Two gigabytes are checked out at no cost, whatever file system /tmp is on."""
    store = FileStore(str(tmp_path / "files"))
    put(store, "blobs/o/1", b"model")
    with store.checkout("blobs/o/1", "m.h5") as file:
        assert file.stat().st_ino == (tmp_path / "files" / "blobs" / "o" / "1").stat().st_ino
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("model.keras", "model.keras"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("../..", "file"),
        ("", "file"),
        ("....", "file"),
        (".keras", "file.keras"),
        (".bashrc.h5", "bashrc.h5"),
        ("model.keras.", "model.keras"),
        ("a\0b\nc\rd\x1b[31m.h5", "a_b_c_d_[31m.h5"),
        ("模型 最终版.keras", "模型 最终版.keras"),
        ("mode\u0301le.h5", "mod\u00e9le.h5"),
        ("\u202egpj.exe\u202c.h5", "_gpj.exe_.h5"),
        ("\ud800x.h5", "_x.h5"),
        ("weights.weights.h5", "weights.weights.h5"),
        ('<img src=x onerror="alert(1)">.png', "_img src_x onerror_alert(1)_.png"),
        ("-rf", "-rf"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    """No folder, no control character; the ending stays."""
    assert safe_name(name) == safe


@pytest.mark.parametrize("letter", ["x", "模", "\U0001f600a", "."])
def test_a_name_of_10000_letters_fits_a_file_system(letter: str, tmp_path: Path) -> None:
    """At most 255 bytes, with the ending; an ending of any length too."""
    for name in (letter * 10_000 + ".keras", "model." + letter * 10_000, letter * 10_000):
        (tmp_path / safe_name(name)).write_bytes(b"x")
    assert safe_name(letter * 10_000 + ".keras").endswith(".keras")


def test_what_is_old_is_listed(store: FileStore) -> None:
    """Only below the name, only what was not written to for so long."""
    put(store, "parts/u/1", b"x")
    put(store, "parts/v/2", b"x")
    put(store, "blobs/o/1", b"x")
    time.sleep(0.02)
    assert sorted(store.left("parts", NOW)) == ["parts/u/1", "parts/v/2"]
    assert store.left("parts", timedelta(hours=1)) == []
    assert store.left("nothing", NOW) == []


def test_what_a_killed_process_had_checked_out_is_swept(tmp_path: Path) -> None:
    """By the age of the check-out, not of the file: an old file may be in use."""
    store = FileStore(str(tmp_path))
    put(store, "blobs/o/1", b"model")
    os.utime(tmp_path / "blobs" / "o" / "1", (0, 0))
    with store.checkout("blobs/o/1", "m.h5") as file:
        store.sweep(timedelta(hours=1))
        assert file.exists()
        os.utime(file.parent, (0, 0))
        store.sweep(timedelta(hours=1))
        assert not file.parent.exists()
        file.parent.mkdir()  # which the end of the check-out expects
    assert read(store, "blobs/o/1") == b"model"


def test_a_store_tells_whether_it_can_be_written(url: str, tmp_path: Path) -> None:
    """A folder that is no folder any more cannot, and leaves no exception behind."""
    store = FileStore(url)
    assert store.writable()
    if (tmp_path / "files").exists():
        (tmp_path / "files" / "probes").rmdir()
        (tmp_path / "files").rmdir()
        (tmp_path / "files").write_text("in the way")
        assert not store.writable()


@pytest.mark.parametrize("url", ["nosuch://bucket", "/proc/nowhere"])
def test_a_place_that_cannot_be_used_is_named(url: str) -> None:
    """With what was expected."""
    with pytest.raises(StorageError, match="expected a folder or a URL"):
        FileStore(url)
