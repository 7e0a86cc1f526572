"""The pool of workers: files are read in it, jobs tell their steps, and what is cancelled ends at once and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from kerasdoctor.diagnostics.depth import Depth
from kerasdoctor.diagnostics.examination import examine_file, examine_files, examine_python, hazards_of
from kerasdoctor.diagnostics.lockdown import Limits
from kerasdoctor.diagnostics.progress import LINE, MAX_STEPS, Step, Watch
from kerasdoctor.diagnostics.repairing import repair_file
from kerasdoctor.diagnostics.sandbox import run_locked
from kerasdoctor.diagnostics.workers import Workers
from kerasdoctor.errors import Cancelled, SandboxError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the locks are those of Linux")
DIGITS = Path(__file__).parents[2] / "examples" / "digits.keras"
LIMITS = Limits(memory=256 << 20, cpu=10, wall=10, file_size=1 << 20, threads=16)
DEEP = Depth(weights=True, picture=True)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose reading takes all the seconds that there are: a million dicts in 30 kB."""
    path = tmp_path_factory.mktemp("slow") / "slow.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b'{"config": [' + b'{"a":{}},' * 1_500_000 + b"[]]}")
        archive.writestr("metadata.json", b"{}")
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """One of each kind."""
    np.savez(tmp_path / "data.npz", x=np.ones((40, 28, 28, 1)), y=np.arange(40) % 10)
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.0\n1,nan\n")
    (tmp_path / "page.keras").write_text("<!DOCTYPE html><html>")
    report = next(Path(__file__).with_name("environments").glob("no-gpu.json"))
    return [DIGITS, *sorted(tmp_path.iterdir()), report, tmp_path / "none.h5"]


def pids(workers: Workers) -> list[int]:
    return [worker.pid for all_of_kind in workers._all.values() for worker in all_of_kind]  # noqa: SLF001


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(there: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not there() and time.monotonic() < deadline:
        time.sleep(0.01)
    return there()


def reading(started: Event) -> Callable[[Step], None]:
    return lambda step: started.set() if step.probe == "read" else None


def test_a_worker_sees_what_a_fork_sees(workers: Workers, files: list[Path]) -> None:
    """Models, data, logs, reports, what is none of these and what is not there: the same examination either way."""
    for path in files:
        told = examine_file(path, depth=DEEP, workers=workers)
        assert told == examine_file(path, depth=DEEP)
    assert hazards_of(files[2], workers) == hazards_of(files[2])


NO_FORK = """
import sys
from pathlib import Path
from kerasdoctor.diagnostics.depth import Depth
from kerasdoctor.diagnostics.examination import examine_files
from kerasdoctor.diagnostics.repairing import repair_file
from kerasdoctor.diagnostics.workers import Workers

def refuse(event, arguments):
    if event in ("os.fork", "os.forkpty"):
        raise SystemExit(f"it came to {event}")

sys.addaudithook(refuse)
with Workers() as workers:
    workers.warm("reader")
    examined = examine_files(tuple(map(Path, sys.argv[1:])), depth=Depth(weights=True, live=True), workers=workers)
    print([each.kind for each in examined], bool(examined[0].applied))
    print(repair_file(Path(sys.argv[1]), None, "keras3", workers=workers).file)
assert not {"tensorflow", "keras", "h5py", "numpy"} & set(sys.modules), "it read files itself"
"""


def test_a_process_with_workers_is_never_forked(files: list[Path]) -> None:
    """Whatever is examined, run or repaired; nor does it load what reads files."""
    ended = subprocess.run([sys.executable, "-c", NO_FORK, *files], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.splitlines() == [
        "['model', 'data', 'log', None, 'environment', None] True", "None",
    ]  # fmt: skip


def test_the_reader_is_light(workers: Workers) -> None:
    """It starts in well under a second, has one thread, and no TensorFlow fits into its memory."""
    with Workers() as cold:
        start = time.monotonic()
        cold.run("reader", "locks", {}, (), LIMITS)
        assert time.monotonic() - start < 10  # 0.4 on an idle machine
        status = Path(f"/proc/{pids(cold)[0]}/status").read_text()
    told = dict(line.split(":", 1) for line in status.splitlines())
    assert int(told["Threads"]) == 1
    assert int(told["VmHWM"].split()[0]) < 100 << 10
    with pytest.raises(SandboxError, match="there is no job 'live'"):
        workers.run("reader", "live", {}, ())


def test_steps_are_told_while_the_job_runs(workers: Workers, slow: Path) -> None:
    """The first one comes long before the end; probes tell how they ended, whoever reads the file."""
    for where in (workers, None):
        seen: list[Step] = []
        examine_file(DIGITS, only=frozenset({"dtype-casts", "shapes"}), workers=where, watch=Watch(seen.append))
        told = [(step.probe, step.state, step.outcome) for step in seen]
        assert told == [
            ("read", "started", None), ("read", "ended", None),
            ("dtype-casts", "started", None), ("dtype-casts", "ended", "finding"),
            ("shapes", "started", None), ("shapes", "ended", "nothing"),
        ]  # fmt: skip
        assert {step.subject for step in seen} == {"digits.keras"}
    started = Event()
    watch = Watch(reading(started))
    with ThreadPoolExecutor() as threads:
        job = threads.submit(examine_file, slow, workers=workers, watch=watch)
        assert started.wait(10)
        assert not job.done()
        watch.cancel()
        assert isinstance(job.exception(), Cancelled)


@pytest.mark.usefixtures("place")
def test_environments_tell_their_steps_too(empty_python: Path, tmp_path: Path) -> None:
    """The probes of an interpreter run in this process; between two of them it can be cancelled."""
    seen: list[Step] = []
    examine_python(empty_python, only=frozenset({"python-version"}), watch=Watch(seen.append))
    assert [(step.probe, step.state) for step in seen] == [
        ("read", "started"), ("read", "ended"), ("python-version", "started"), ("python-version", "ended"),
    ]  # fmt: skip
    watch = Watch()
    watch.cancel()
    with pytest.raises(Cancelled):
        examine_python(tmp_path / "none", watch=watch)


def test_what_is_cancelled_ends_at_once_and_leaves_nothing(workers: Workers, slow: Path, tmp_path: Path) -> None:
    """No process, no scratch folder, no copy; and the same worker serves the next job."""
    examine_file(DIGITS, workers=workers)
    (pid,) = [worker.pid for worker in workers._all["reader"]]  # noqa: SLF001
    home = Path(workers._all["reader"][0]._home.name)  # noqa: SLF001
    started = Event()
    watch = Watch(reading(started))
    with ThreadPoolExecutor() as threads:
        job = threads.submit(examine_file, slow, workers=workers, watch=watch)
        assert started.wait(10)
        assert children(pid)
        assert list(home.iterdir())
        at = time.monotonic()
        watch.cancel()
        assert isinstance(job.exception(), Cancelled)
        assert time.monotonic() - at < 5  # 0.03 on an idle machine
    assert not children(pid)
    assert not list(home.iterdir())
    assert watch.cancelled
    with pytest.raises(Cancelled) as caught:
        repair_file(DIGITS, tmp_path / "new.keras", "keras3", workers=workers, watch=watch)
    assert "已取消" in caught.value.zh
    assert not list(tmp_path.iterdir())
    assert examine_file(DIGITS, workers=workers).kind == "model"
    assert [worker.pid for worker in workers._all["reader"]] == [pid]  # noqa: SLF001


def test_a_fork_is_cancelled_as_well(slow: Path) -> None:
    """Without workers, too: at once, and no child is left."""
    started = Event()
    watch = Watch(reading(started))
    with ThreadPoolExecutor() as threads:
        job = threads.submit(examine_file, slow, watch=watch)
        assert started.wait(10)
        watch.cancel()
        assert isinstance(job.exception(2), Cancelled)
    assert not any(runs(int(child)) for child in children(os.getpid()) if b"worker" not in cmdline(child))


def cmdline(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_nothing_begins_after_a_cancellation(workers: Workers, files: list[Path]) -> None:
    """Of several files the later ones are not looked at."""
    seen: list[str] = []
    watch = Watch(lambda step: (seen.append(step.subject), watch.cancel() if step.subject == "data.npz" else None))
    with pytest.raises(Cancelled):
        examine_files(tuple(files), workers=workers, watch=watch)
    assert set(seen) == {"digits.keras", "data.npz"}


def test_a_listener_that_fails_ends_its_job_only(workers: Workers, slow: Path) -> None:
    """What it raised comes through; the worker is in step with the next job."""

    def fail(_: Step) -> None:
        raise ConnectionResetError

    before = pids(workers)
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            examine_file(slow, workers=workers, watch=Watch(fail))
        assert examine_file(DIGITS, workers=workers).kind == "model"
    assert pids(workers) == before


def test_so_many_jobs_at_once_and_no_more(slow: Path) -> None:
    """Two of three jobs run in a pool of two; the third waits, and may be cancelled while it does."""
    begun = [Event(), Event(), Event()]
    watches = [Watch(reading(each)) for each in begun]
    with Workers(2) as workers, ThreadPoolExecutor() as threads:
        jobs = [threads.submit(examine_file, slow, workers=workers, watch=watch) for watch in watches]
        assert until(lambda: sum(each.is_set() for each in begun) == 2)
        assert not until(lambda: all(each.is_set() for each in begun), 0.3)
        (waiting,) = [n for n in range(3) if not begun[n].is_set()]
        watches[waiting].cancel()
        assert isinstance(jobs[waiting].exception(1), Cancelled)
        assert len(pids(workers)) == 2
        for watch in watches:
            watch.cancel()
        assert all(isinstance(job.exception(), Cancelled) for job in jobs)
        assert examine_file(DIGITS, workers=workers).kind == "model"
        assert len(pids(workers)) == 2


def test_whoever_waits_comes_next(workers: Workers) -> None:
    """Many threads share one worker, and each gets its own answer."""
    with ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(examine_file, DIGITS.with_name(f"no-{n}.keras"), workers=workers) for n in range(24)]
        assert [job.result().name for job in jobs] == [f"no-{n}.keras" for n in range(24)]


def test_closing_ends_what_runs(slow: Path) -> None:
    """The job in flight gets a SandboxError, as does the next; no process is left."""
    started = Event()
    workers = Workers()
    with ThreadPoolExecutor() as threads:
        job = threads.submit(
            workers.run, "reader", "look", arguments(slow), (slow,), LIMITS, watch=Watch(reading(started))
        )
        assert started.wait(10)
        (pid,) = pids(workers)
        workers.close()
        error = job.exception(5)
    assert isinstance(error, SandboxError)
    assert "closed" in str(error)
    assert "关闭" in error.zh
    assert not runs(pid)
    with pytest.raises(SandboxError, match="closed"):
        workers.run("reader", "locks", {}, ())
    with pytest.raises(SandboxError, match="closed"):
        workers.warm("reader")


def arguments(path: Path) -> dict[str, object]:
    return {"path": str(path), "suspected": [], "only": [], "depth": {}, "beside": None}


def test_a_worker_is_ready_ahead_of_need_and_replaced_when_it_died() -> None:
    """`warm` does not wait; one that died while nothing ran is no one's error."""
    with Workers() as workers:
        start = time.monotonic()
        workers.warm("reader")
        workers.warm("reader")
        warmed = time.monotonic() - start
        (pid,) = pids(workers)
        assert examine_file(DIGITS, workers=workers).kind == "model"
        assert warmed < (time.monotonic() - start) / 2
        assert pids(workers) == [pid]
        os.kill(pid, signal.SIGKILL)
        assert until(lambda: not runs(pid))
        assert examine_file(DIGITS, workers=workers).kind == "model"
        assert len(pids(workers)) == 1
        assert pids(workers) != [pid]


def test_who_waits_for_a_start_can_be_cancelled() -> None:
    """At once; the worker goes on importing, for the next job."""
    with Workers() as workers:
        workers.warm("keras-3")
        watch = Watch()
        with ThreadPoolExecutor() as threads:
            job = threads.submit(workers.run, "keras-3", "locks", {}, (), watch=watch)
            time.sleep(0.1)
            before = pids(workers)
            cancelled = time.monotonic()
            watch.cancel()
            assert isinstance(job.exception(60), Cancelled)
            told = time.monotonic() - cancelled
        workers.run("keras-3", "locks", {}, ())
        assert told < (time.monotonic() - cancelled) / 2, "it waited for the start"
        assert pids(workers) == before
        assert all(runs(pid) for pid in before)


ABANDONED = """
import sys
from pathlib import Path
from kerasdoctor.diagnostics.examination import examine_file
from kerasdoctor.diagnostics.progress import Watch
from kerasdoctor.diagnostics.workers import Workers

workers = Workers()
workers.warm("reader")
pid = workers._all["reader"][0].pid
examine_file(Path(sys.argv[1]), workers=workers, watch=Watch(lambda step: print(pid, flush=True)))
"""


def test_a_worker_whose_caller_is_gone_ends_with_its_job(slow: Path) -> None:
    """Killed with -9 in the middle of a job: neither the worker nor what it runs outlives the caller."""
    with subprocess.Popen([sys.executable, "-c", ABANDONED, slow], stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        pid = int(caller.stdout.readline())
        left = [pid, *map(int, children(pid))]
        caller.kill()
    assert len(left) == 2
    assert until(lambda: not any(map(runs, left)))


# What a hostile child tells as its steps


def heard(*lines: bytes) -> list[Step]:
    """What comes of lines on the pipe of the answer."""
    seen: list[Step] = []

    def job(_: Path) -> int:
        for line in lines:
            os.write(3, line + b"\n")
        return 1

    assert run_locked(job, (DIGITS,), LIMITS, watch=Watch(seen.append)).value == 1
    return seen


@pytest.mark.parametrize(
    "told",
    [
        b'["nan-loss", "started", null]',
        b'["<script>", "started", null]',
        b'["shapes", "begun", null]',
        b'["shapes", "ended", "fine"]',
        b'["shapes", "ended"]',
        b'["shapes", "ended", null, 1]',
        b'[["shapes"], "ended", null]',
        b'{"probe": 1, "state": 2, "outcome": 3}',
        b"null",
        b"[" * 100_000,
        b'["shapes", "started", null' + b" " * 400 + b"]",
    ],
)
def test_only_known_steps_are_passed_on(told: bytes) -> None:
    """A probe or a step that there is, a state, an outcome; in a short line."""
    assert heard(LINE + told + b"}") == []
    sound = b'["shapes", "ended", "finding"]}'
    assert heard(LINE + told + b"}", LINE + sound) == [Step("digits.keras", "shapes", "ended", "finding")]


def test_steps_without_end_are_not_passed_on_without_end() -> None:
    """The first thousand are; a flood ends in a limit, not in the memory of whoever reads it."""
    line = LINE + b'["shapes", "started", null]}'
    assert len(heard(b"\n".join([line] * (MAX_STEPS + 500)))) == MAX_STEPS

    def flood(_: Path) -> None:
        while True:
            os.write(3, (line + b"\n") * 1000)

    with pytest.raises(SandboxError, match="answered too much"):
        run_locked(flood, limits=LIMITS, watch=Watch())


def test_steps_do_not_forge_locks_or_answers() -> None:
    """The locks are told first and by our own code; a second answer is not read."""
    forged = LINE + b'["shapes", "started", null], "applied": ["all"], "value": 7}'
    answer = run_locked(lambda _: os.write(3, forged + b"\n") and 1, (DIGITS,), LIMITS)
    assert answer.value == 1
    assert "all" not in answer.locks.applied
