"""The sandbox, attacked from inside: each attack succeeds in a fork that is not locked, and is refused in one that is."""

from __future__ import annotations

import ctypes
import encodings.ascii  # a user who cannot read the Python of root must find both loaded
import encodings.idna  # noqa: F401
import fcntl
import json
import mmap
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics import landlock, privileges, sandbox, system_calls, watching  # noqa: F401 - loaded before the forks
from kerasdoctor.diagnostics.sandbox import Limits, run_locked
from kerasdoctor.errors import SandboxError, SubjectError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the locks are those of Linux")

LIMITS = Limits(memory=256 << 20, cpu=10, wall=10, file_size=1 << 20, threads=16)
READING = Limits(memory=256 << 20, cpu=10, wall=10, file_size=1 << 20, threads=16, executes=False)
ORDINARY = 54321
LIBC = ctypes.CDLL(None, use_errno=True)
Job = Callable[[Path], Any]


def libc(name: str, *arguments: int) -> None:
    if getattr(LIBC, name)(*map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), name)


def forked(job: Callable[[], Any], uid: int | None = None) -> Any:
    """What a job returns in a plain fork, as another user if asked; its exit code where it does not return."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
                libc("prctl", 4, 1, 0, 0, 0)  # traceable again, as any process of a user
            told = json.dumps({"value": job()})
        except SubjectError as error:
            told = json.dumps({"error": type(error).__name__, "en": str(error)})
        except BaseException as error:  # noqa: BLE001 - told to the parent
            told = json.dumps({"value": f"{type(error).__name__}: {error}"})
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not told:
        return status
    answer = json.loads(told)
    if "error" in answer:
        raise (SandboxError if answer["error"] == "SandboxError" else SubjectError)(answer["en"])
    return answer["value"]


@pytest.fixture(params=["starting user", "ordinary user"], scope="module")
def uid(request: pytest.FixtureRequest) -> int | None:
    """The user under which the sandbox is started: whoever runs the tests, and as root an ordinary user too."""
    run_locked(lambda _: None, limits=LIMITS)  # what it loads is loaded as the one who can read it
    if request.param == "starting user":
        return None
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    return ORDINARY


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that every user may read and write, as another upload's or a home's may be."""
    folder = Path(tempfile.mkdtemp(prefix="test-sandbox-"))
    folder.chmod(0o777)
    (folder / "other.h5").write_text("another upload")
    (folder / "other.h5").chmod(0o666)
    yield folder
    shutil.rmtree(folder)


def tried(attack: Callable[[Path], object], scratch: Path) -> str:
    try:
        attack(scratch)
    except (OSError, MemoryError, RuntimeError) as error:
        return f"refused: {error}"
    return "succeeded"


def locked(attack: Callable[[Path], object], uid: int | None, limits: Limits = LIMITS) -> str:
    return forked(lambda: run_locked(partial(tried, attack), limits=limits).value, uid)


def unlocked(attack: Callable[[Path], object], uid: int | None) -> str:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        return forked(lambda: forked(partial(tried, attack, folder)), uid)  # its parent is of the same user
    finally:
        shutil.rmtree(folder)


def fork(_: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def clone_by_number(_: Path) -> None:
    """Around glibc: the system call itself (x86-64 56, elsewhere 220), with SIGCHLD and no CLONE_THREAD."""
    child = LIBC.syscall(56 if os.uname().machine == "x86_64" else 220, signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.waitpid(child, 0)


def threads(_: Path) -> None:
    stop = threading.Event()
    started = []
    try:
        for _number in range(40):
            started.append(threading.Thread(target=stop.wait))
            started[-1].start()
    finally:
        stop.set()
        for thread in started:
            with suppress(RuntimeError):
                thread.join()


def shared_memory(_: Path) -> None:
    """Not counted as data of the process."""
    mmap.mmap(-1, 512 << 20).close()


def file_in_memory(_: Path) -> None:
    os.close(os.memfd_create("hidden"))


def fill(scratch: Path) -> None:
    with (scratch / "large").open("wb") as file:
        file.write(bytes(2 << 20))


def fill_with_many(scratch: Path) -> None:
    for number in range(8):
        (scratch / f"part{number}").write_bytes(bytes(1 << 19))


def sigio(_: Path) -> None:
    """The kernel sends whichever signal to whomever a file says is its owner."""
    reading, _writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETOWN, os.getppid())


def exec_in_place(_: Path) -> None:
    os.execv("/bin/sh", ["sh", "-c", "exit 42"])  # noqa: S606


ATTACKS: dict[str, Callable[[Path], object]] = {
    "socket": lambda _: socket.socket().close(),
    "udp": lambda _: socket.socket(type=socket.SOCK_DGRAM).close(),
    "unix socket": lambda _: socket.socket(socket.AF_UNIX).close(),
    "netlink": lambda _: socket.socket(16, socket.SOCK_RAW).close(),
    "read passwd": lambda _: Path("/etc/passwd").read_bytes(),
    "passwd by the root in proc": lambda _: Path("/proc/self/root/etc/passwd").read_bytes(),
    "list temporary files": lambda _: list(Path("/tmp").iterdir()),  # noqa: S108
    "environment of the parent": lambda _: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "memory of the parent": lambda _: open(f"/proc/{os.getppid()}/mem", "rb").close(),  # noqa: PTH123
    "fork": fork,
    "fork by number": clone_by_number,
    "program": lambda _: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
    "threads without end": threads,
    "memory without end": lambda _: bytearray(512 << 20),
    "shared memory without end": shared_memory,
    "file in memory": file_in_memory,
    "trace the parent": lambda _: libc("ptrace", 0x4206, os.getppid(), 0, 0),
    "signal to the parent": lambda _: os.kill(os.getppid(), signal.SIGURG),
    "signal by a file's owner": sigio,
    "limits of the parent": lambda _: __import__("resource").prlimit(os.getppid(), 1),
    "fill the disk": fill,
    "namespace of users": lambda _: libc("unshare", 0x10000000),
    "key ring": lambda _: libc("syscall", 250 if os.uname().machine == "x86_64" else 219, 0, -3, 1),
    "io_uring": lambda _: libc("syscall", 425, 0, 0),
}
# Refused without the sandbox too, for lack of arguments that make sense: what matters is that it is not reached.
NOT_SHOWN = {"io_uring"}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_succeeds_only_without_the_lock(name: str, uid: int | None) -> None:
    """From a socket to the key ring: done in a fork that is not locked, an error in one that is."""
    if name not in NOT_SHOWN:
        assert unlocked(ATTACKS[name], uid) == "succeeded"
    assert locked(ATTACKS[name], uid).startswith("refused: ")


@pytest.mark.parametrize(
    "name", ["socket", "read passwd", "fork", "trace the parent", "memory without end", "threads without end"]
)
def test_a_job_that_only_reads_is_locked_as_well(name: str, uid: int | None) -> None:
    """It goes without namespaces, for speed, and without nothing else."""
    assert locked(ATTACKS[name], uid, READING).startswith("refused: ")


def test_a_server_on_this_machine_is_not_reached(uid: int | None) -> None:
    """The loopback has a door too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert unlocked(lambda _: socket.create_connection(address, 2).close(), uid) == "succeeded"
        assert locked(lambda _: socket.create_connection(address, 2).close(), uid).startswith("refused: ")


@pytest.mark.parametrize(
    "attack",
    [
        lambda common, _: (common / "other.h5").read_text(),
        lambda common, _: list(common.iterdir()),
        lambda common, _: (common / "new").write_text("owned"),
        lambda common, _: (common / "other.h5").write_text("owned"),
        lambda common, _: os.truncate(common / "other.h5", 0),
        lambda common, _: (common / "other.h5").rename(common / "moved"),
        lambda common, _: (common / "other.h5").unlink(),
        lambda common, _: (common / "folder").mkdir(),
        lambda common, scratch: ((scratch / "link").symlink_to(common / "other.h5"), (scratch / "link").read_text()),
        lambda common, scratch: ((scratch / "way").symlink_to(common), (scratch / "way" / "new").write_text("owned")),
        lambda common, scratch: ((scratch / "mine").write_text("x"), (scratch / "mine").rename(common / "mine")),
        lambda common, _: os.mkfifo(common / "pipe"),
    ],
)  # fmt: skip
def test_files_outside_are_out_of_reach(attack: Callable[[Path, Path], object], common: Path, uid: int | None) -> None:
    """Another upload is neither read nor listed nor changed, not through a link in the scratch folder either."""
    held = sorted(path.name for path in common.iterdir())
    assert locked(partial(attack, common), uid).startswith("refused: ")
    assert (common / "other.h5").read_text() == "another upload"
    assert sorted(path.name for path in common.iterdir()) == held
    assert unlocked(partial(attack, common), uid) == "succeeded"


def test_what_may_be_read_is_read_and_not_changed(common: Path, uid: int | None) -> None:
    """The file of the job; emptying it while opening it for reading is refused too."""
    path = common / "other.h5"

    def job(_: Path) -> list[str]:
        emptied = tried(lambda _: os.open(path, os.O_RDONLY | os.O_TRUNC), path)
        return [path.read_text(), emptied, tried(lambda _: path.write_text("owned"), path)]

    text, *others = forked(lambda: run_locked(job, (path,), LIMITS).value, uid)
    assert text == "another upload"
    assert all(other.startswith("refused: ") for other in others)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has such a file")
def test_a_file_that_only_root_may_read_is_handed_over(tmp_path: Path) -> None:
    """The job runs as a user that no one is, reads this file, and its neighbour not."""
    for name in ("mine", "neighbour"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o600)

    def job(_: Path) -> list[object]:
        return [
            os.getuid() > ORDINARY,
            (tmp_path / "mine").read_text(),
            tried(lambda _: (tmp_path / "neighbour").read_text(), tmp_path),
        ]

    nobody, mine, neighbour = run_locked(job, (tmp_path / "mine",), LIMITS).value
    assert nobody
    assert mine == "mine"
    assert neighbour.startswith("refused: ")


def test_a_program_does_not_replace_the_job(uid: int | None) -> None:
    """Without the lock the process is the program, and ends with its exit code."""
    assert unlocked(exec_in_place, uid) == 42
    assert locked(exec_in_place, uid).startswith("refused: ")


def test_many_files_are_bounded_as_one_is(uid: int | None) -> None:
    """A scratch folder of 1 MiB holds no eight files of half a MiB."""
    assert unlocked(fill_with_many, uid) == "succeeded"
    assert "No space left" in locked(fill_with_many, uid)


def test_a_scratch_folder_without_a_size_of_its_own_is_watched() -> None:
    """A job that only reads has none: it is ended soon after."""

    def fill_and_wait(scratch: Path) -> None:
        fill_with_many(scratch)
        time.sleep(30)

    with pytest.raises(SandboxError, match="wrote too much"):
        run_locked(fill_and_wait, limits=READING)


def test_the_scratch_folder_is_home_and_is_gone_afterwards(uid: int | None) -> None:
    """It may be written to, is the home and the place of temporary files, and leaves nothing behind."""

    def job(scratch: Path) -> list[str]:
        (scratch / "folder").mkdir()
        (scratch / "folder" / "file").write_text("x")
        with tempfile.NamedTemporaryFile() as file:
            return [str(scratch), str(Path.home()), str(Path(file.name).parent), str(Path.cwd())]

    for limits in (LIMITS, READING):
        told = forked(lambda limits=limits: run_locked(job, limits=limits).value, uid)
        assert len(set(told)) == 1
        assert not Path(told[0]).exists()


def test_a_folder_that_resists_is_removed_all_the_same() -> None:
    """Nested deeper than Python recurses, and closed."""
    top = Path(tempfile.mkdtemp())
    here = os.open(top, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.fchmod(here, 0)
    os.close(here)
    watching.remove(top)
    assert not top.exists()


def test_secrets_do_not_come_along(monkeypatch: pytest.MonkeyPatch, common: Path) -> None:
    """Neither variables nor open files of the parent; nothing to read on the standard input, the output (4) goes nowhere."""
    monkeypatch.setenv("KERASDOCTOR_TEST_TOKEN", "secret")
    LIBC.getenv.restype = ctypes.c_char_p

    def job(_: Path) -> list[object]:
        def is_open(number: int) -> bool:
            with suppress(OSError):
                return bool(os.fstat(number))
            return False

        known = [os.environ.get("KERASDOCTOR_TEST_TOKEN"), LIBC.getenv(b"KERASDOCTOR_TEST_TOKEN"), sys.stdin.read()]
        return [*known, [number for number in range(5, 256) if is_open(number)]]  # 4: the output

    with (common / "other.h5").open():
        assert run_locked(job, limits=LIMITS).value == [None, None, "", []]


def endless_output(_: Path) -> None:
    while True:
        os.write(1, b"x" * 60_000)


def garbage(_: Path) -> None:
    os.write(3, b"\xff\x00 no JSON\n" * 10)


def pipe_closed(_: Path) -> None:
    os.close(3)
    time.sleep(60)


def spin(_: Path) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def grow(_: Path) -> None:
    held = []
    while True:
        held.append(bytearray(8 << 20))


SHORT = Limits(memory=256 << 20, cpu=1, wall=3, file_size=1 << 20, threads=16)
ENDS: dict[str, tuple[Job, Limits, str, str]] = {
    "wall": (lambda _: time.sleep(60), Limits(256 << 20, 10, 0.3, 1 << 20, 16), "timed out", "超时"),
    "output": (endless_output, Limits(256 << 20, 10, 0.5, 1 << 20, 16), "timed out", "超时"),
    "cpu": (spin, Limits(256 << 20, 1, 8, 1 << 20, 16), "CPU time used up", "CPU 时间用完"),
    "memory": (grow, SHORT, "out of memory", "内存不足"),
    "segmentation fault": (lambda _: ctypes.string_at(0), SHORT, r"crashed \(SIGSEGV\)", "崩溃"),
    "abort": (lambda _: os.abort(), SHORT, r"crashed \(SIGABRT\)", "崩溃"),
    "garbage": (garbage, SHORT, "ended without an answer", "没有给出结果"),
    "pipe closed": (pipe_closed, SHORT, "ended without an answer", "没有给出结果"),
    "exit": (lambda _: os._exit(0), SHORT, "ended without an answer", "没有给出结果"),
    "large answer": (lambda _: "x" * (17 << 20), SHORT, "answered too much", "返回内容过多"),
    "deep answer": (lambda _: os.write(3, b"[" * 200_000 + b"\n"), SHORT, "ended without an answer", "没有给出结果"),
    "no JSON": (lambda _: object(), SHORT, "failed: TypeError", "出错"),
    "an error": (lambda _: 1 // 0, SHORT, "failed: ZeroDivisionError", "出错"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_a_name_in_both_languages(name: str) -> None:
    """Whatever the child does, the parent says how it ended."""
    job, limits, en, zh = ENDS[name]
    start = time.monotonic()
    with pytest.raises(SandboxError, match=en) as caught:
        run_locked(job, limits=limits)
    assert zh in caught.value.zh
    assert time.monotonic() - start < limits.wall + 20  # the jobs that hang would take a minute


def test_what_a_dying_child_printed_last_is_told() -> None:
    """The last of it only."""

    def job(_: Path) -> None:
        sys.stdout.write("x" * 100_000 + "the reason\n")
        os.abort()

    with pytest.raises(SandboxError, match="the reason") as caught:
        run_locked(job, limits=SHORT)
    assert len(str(caught.value)) < 5000


def test_an_error_of_the_subject_is_carried_over() -> None:
    """In both languages."""

    def job(_: Path) -> None:
        raise SubjectError("it is empty", "文件为空")

    with pytest.raises(SubjectError, match="it is empty") as caught:
        run_locked(job, limits=SHORT)
    assert caught.value.zh == "文件为空"
    assert not isinstance(caught.value, SandboxError)


def test_the_locks_are_told_before_the_job_can_lie() -> None:
    """A job that writes an answer of its own does not choose which locks are said to hold."""
    forged = b'{"value": 1, "applied": ["all"], "missing": []}\n'
    answer = run_locked(lambda _: os.write(3, forged) and time.sleep(5), limits=LIMITS)
    assert "all" not in answer.locks.applied
    assert {"files", "system-calls", "memory", "cpu"} <= set(answer.locks.applied)


def test_a_door_that_cannot_be_locked_stays_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the system-call filter what is in a file is not run, unless someone says so; a job that reads is run."""

    def refuse() -> None:
        raise OSError(1, "no seccomp here")

    monkeypatch.setattr(system_calls, "refuse", refuse)
    with pytest.raises(SandboxError, match="door could not be locked: system-calls: no seccomp here") as caught:
        run_locked(lambda _: 1, limits=LIMITS)
    assert "锁不上" in caught.value.zh
    assert run_locked(lambda _: 1, limits=LIMITS, insist=False).locks.open_doors == ("system-calls: no seccomp here",)
    assert run_locked(lambda _: 1, limits=READING).value == 1


def test_an_interrupted_parent_leaves_no_child() -> None:
    """Ctrl-C in the parent ends the child too."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_locked(lambda _: time.sleep(60), limits=LIMITS)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert not children.exists() or not children.read_text()
