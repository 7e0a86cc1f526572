"""The database: its migrations give what `tables.py` says, and what cannot be used is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from kerasdoctor.errors import StorageError
from kerasdoctor.service.database import Database
from kerasdoctor.service.tables import Base


def test_the_migrations_give_the_tables(database: Database) -> None:
    """Nothing is left to migrate: whoever changes a table writes its migration."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    assert database.at_head()


def test_copies_that_start_at_once_take_turns(empty_url: str) -> None:
    """Several processes migrate the same empty database, and all of them find it done."""
    failed: list[BaseException] = []

    def start() -> None:
        database = Database(empty_url)
        try:
            database.migrate()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "expected a URL"),
        ("mysql://a/b", "expected sqlite or postgresql"),
        ("sqlite://", "would be lost"),
        ("postgresql://doctor:hunter2@127.0.0.1:1/nowhere", "refused"),
        ("sqlite:////proc/nothing/here.db", "cannot be written"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(url: str, told: str) -> None:
    """In one line, without the password."""
    with pytest.raises(StorageError, match=told) as raised:
        Database(url)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_file_is_the_owner_s_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads what was pasted."""
    Database(f"sqlite:///{tmp_path / 'deep' / 'test.db'}").close()
    assert (tmp_path / "deep" / "test.db").stat().st_mode & 0o077 == 0
