"""kill -9 in the middle of an upload, of a job and of a chat: what it leaves behind, with real processes on one database.

Run as a program it plays all three on a new SQLite, or on the database whose URL is given, and prints what was left.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.workers import Workers
from kerasdoctor.errors import ConflictError
from kerasdoctor.knowledge.index import INDEX_PATH, Index
from kerasdoctor.knowledge.matcher import Calibration, Matcher
from kerasdoctor.service.answering import Answering
from kerasdoctor.service.case import Asked
from kerasdoctor.service.chats import Chats
from kerasdoctor.service.conversation import Conversation
from kerasdoctor.service.database import Database
from kerasdoctor.service.events import Events
from kerasdoctor.service.files import FileStore
from kerasdoctor.service.jobs import Jobs
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.tables import Job, Message, Owner
from kerasdoctor.service.uploads import Uploads
from sqlalchemy import select

MIB = 1 << 20
LEASE = timedelta(seconds=2)
SOON = 60.0
EXAMPLES = Path(__file__).parents[2] / "examples"


class Copy:
    """One copy of the service, without its web: on a database and a folder that copies share."""

    def __init__(self, url: str, data: Path, index: Path = INDEX_PATH) -> None:
        settings = Settings(data=data)
        self.url, self.data, self.index = url, data, index
        self.database = Database(url)
        self.events = Events(self.database)
        self.uploads = Uploads(self.database, FileStore(str(data / "files")), settings)
        self.jobs = Jobs(self.database, self.events, {}, 1, 60)
        self.chats = Chats(self.database, self.events, self.jobs, settings)

    @contextmanager
    def process(self, does: str, what: str = "") -> Iterator[subprocess.Popen[str]]:
        """Another copy in a process of its own, which is killed at the end of the block."""
        command = [sys.executable, __file__, self.url, str(self.data), str(self.index), does, what]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            try:
                yield process
            finally:
                process.kill()

    def answer(self) -> None:
        """Work on answers until killed."""
        doctor = Doctor(Matcher(Index.load(self.index), Calibration.load()), Workers())
        handler = Answering(self.database, self.events, self.uploads, Conversation(doctor, live=False))
        Jobs(self.database, self.events, {"answer": handler}, 1, 60, LEASE, 0.1).start()
        print("ready", flush=True)  # noqa: T201
        time.sleep(SOON)

    def send(self, upload: str) -> None:
        """Send 66 MiB of an upload in one part, and wait for the rest."""
        with self.uploads.part("ann", upload, 0) as part:
            for number in range(66):
                part.write(bytes([number]) * MIB)
            print("ready", flush=True)  # noqa: T201
            time.sleep(SOON)

    def talk(self, chat: str) -> None:
        """Say one thing after the other, and end what is under way."""
        print("ready", flush=True)  # noqa: T201
        while True:
            try:
                self.chats.say("ann", chat, Asked("a message"))
            except ConflictError:
                self.chats.cancel("ann", chat)


def wait_for(what: Callable[[], object]) -> None:
    ends = time.monotonic() + SOON
    while not what():
        assert time.monotonic() < ends, "it hangs"
        time.sleep(0.01)


def kill_an_upload(copy: Copy) -> str:
    """It stands where it was last recorded, goes on from there, and has the right bytes."""
    upload = copy.uploads.begin("ann", "big.h5", 70 * MIB)
    with copy.process("send", upload.id):
        pass
    received = copy.uploads.get("ann", upload.id).received
    assert received == 64 * MIB
    with copy.uploads.part("ann", upload.id, received) as part:
        for number in range(64, 70):
            part.write(bytes([number]) * MIB)
    assert part.upload.sha256 == hashlib.sha256(b"".join(bytes([number]) * MIB for number in range(70))).hexdigest()
    time.sleep(0.01)
    copy.uploads.sweep(timedelta(0))
    left = [path for path in (copy.data / "files").rglob("*") if path.is_file()]
    assert len(left) == 1
    return f"upload: killed at 66 of 70 MiB, went on at {received // MIB} MiB; hash right, nothing left after a sweep"


def kill_a_job(copy: Copy) -> str:
    """Another process takes it after its lease, the chat is told, and there is one reply."""
    chat = copy.chats.begin("ann").id
    content = (EXAMPLES / "digits.keras").read_bytes()
    upload = copy.uploads.begin("ann", "digits.keras", len(content))
    with copy.uploads.part("ann", upload.id, 0) as part:
        part.write(content)

    def kinds() -> list[str]:
        return [told.kind for told in copy.events.after(chat, 0)]

    with copy.process("answer"):
        copy.chats.say("ann", chat, Asked((EXAMPLES / "error.txt").read_text(), (upload.id,)))
        wait_for(lambda: "recognised" in kinds())
    killed = time.monotonic()
    assert "done" not in kinds()
    with copy.process("answer"):
        wait_for(lambda: "done" in kinds())
    took = time.monotonic() - killed
    told = [kind for kind in kinds() if kind != "probes"]
    again = ["interrupted", "started", "recognised", "reply", "done"]
    assert told == ["message", "started", "recognised", *again]
    assert [message.role for message in copy.chats.get("ann", chat).messages] == ["asks", "answers"]
    return f"job: killed after it recognised the topic; another process answered {took:.1f} s later (lease {LEASE.seconds} s), once"


def kill_a_chat(copy: Copy) -> str:
    """Each message that is there is whole: with its number, its job and its event; the chat goes on."""
    chat = copy.chats.begin("ann").id
    for _ in range(3):
        with copy.process("talk", chat):
            seen = len(copy.chats.get("ann", chat).messages)
            wait_for(lambda seen=seen: len(copy.chats.get("ann", chat).messages) > seen + 5)  # type: ignore[misc]
    copy.chats.cancel("ann", chat)
    with copy.database.reading() as session:
        messages = list(session.scalars(select(Message).where(Message.chat_id == chat).order_by(Message.number)))
        jobs = {job.message_id: job.state for job in session.scalars(select(Job).where(Job.chat_id == chat))}
    told = [event.data["message"] for event in copy.events.after(chat, 0) if event.kind == "message"]
    assert [message.number for message in messages] == list(range(1, len(messages) + 1))
    assert [message.id for message in messages] == told
    assert jobs == {message.id: "cancelled" for message in messages}
    copy.chats.say("ann", chat, Asked("one more"))
    return f"chat: killed three times while it wrote; {len(messages)} messages, each with its job and its event, none by half"


SCENES = (kill_an_upload, kill_a_job, kill_a_chat)


@pytest.mark.parametrize("scene", SCENES)
def test_kill_9_leaves_nothing_lost_and_nothing_hanging(
    scene: Callable[[Copy], str], database: Database, database_url: str, tmp_path: Path, index: Index
) -> None:
    """In the middle of an upload, a job and a chat."""
    index.save(tmp_path / "index.bin")
    with database.session() as session:
        session.add(Owner(id="ann", kind="local"))
    copy = Copy(database_url, tmp_path, tmp_path / "index.bin")
    print(scene(copy))  # noqa: T201 - shown with -s
    copy.database.close()


def main() -> None:
    """Play all scenes and tell what was left."""
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/test.db"
        database = Database(url)
        database.migrate()
        with database.session() as session:
            session.merge(Owner(id="ann", kind="local"))
        copy = Copy(url, Path(folder))
        for scene in SCENES:
            print(scene(copy))  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) > 2:
        here = Copy(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
        {"answer": lambda _: here.answer(), "send": here.send, "talk": here.talk}[sys.argv[4]](sys.argv[5])
    else:
        main()
