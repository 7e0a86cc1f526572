"""The warm worker: real models, an honest and a hostile one, through a process that has imported TensorFlow once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kerasdoctor.diagnostics.examination import ENGINES
from kerasdoctor.diagnostics.sandbox import Answer, Limits
from kerasdoctor.diagnostics.worker import Worker
from kerasdoctor.diagnostics.worker_process import Kind
from kerasdoctor.errors import SandboxError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the locks are those of Linux")
BUILD = Path(__file__).with_name("build_hostile.py")
ATTACKS = ("connect", "read", "passwd", "write", "program")
LIMITS = Limits(memory=4 << 30, cpu=60, wall=60, file_size=64 << 20, threads=64)


@pytest.fixture(params=["keras-3", "tf-keras"], scope="module")
def keras(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def worker(keras: Kind) -> Iterator[Worker]:
    os.environ["KERASDOCTOR_TEST_TOKEN"] = "secret"  # noqa: S105
    with Worker(keras) as running:
        del os.environ["KERASDOCTOR_TEST_TOKEN"]
        yield running


@pytest.fixture(scope="module")
def saved(keras: Kind, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with an honest and a hostile model, and what the hostile one told of itself where nothing was locked."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "other.h5").write_text("another upload")
    suffix = "h5" if keras == "tf-keras" else "keras"
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = {
            "TARGET": str(folder / "target"),
            "OTHER": str(folder / "other.h5"),
            "PORT": str(server.getsockname()[1]),
        }
        environment = {**os.environ, **told, "TF_USE_LEGACY_KERAS": "1" if keras == "tf-keras" else "0"}
        ended = subprocess.run(
            [sys.executable, str(BUILD), str(folder / f"hostile.{suffix}"), str(folder / f"honest.{suffix}")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return folder / f"hostile.{suffix}", ended.stdout


def live(worker: Worker, path: Path, limits: Limits = LIMITS) -> Answer:
    """Run a model file as `check --live --allow-code` does."""
    arguments = {"path": str(path), "engine": ENGINES[worker.kind], "allow_code": True}
    return worker.run("live", arguments, (path,), limits)


def test_a_hostile_lambda_succeeds_only_without_the_lock(worker: Worker, saved: tuple[Path, str]) -> None:
    """Its bytecode connects, reads, writes and starts a program; in the worker it runs too, and all of it is refused."""
    path, told = saved
    assert all(f"{attack}=succeeded" in told for attack in ATTACKS)
    target = path.with_name("target")
    assert target.read_text() == "owned"
    target.write_text("untouched")
    failures = live(worker, path).value["failures"]
    told = " ".join(failure["message"] for failure in failures.values())
    assert all(f"{attack}=refused" in told for attack in ATTACKS)
    assert "succeeded" not in told
    assert target.read_text() == "untouched"


def test_an_honest_model_is_loaded_called_and_trained(worker: Worker, saved: tuple[Path, str]) -> None:
    """More than once: each job has a fork of its own."""
    path = saved[0].with_stem("honest")
    for _ in range(2):
        start = time.monotonic()
        answer = live(worker, path)
        assert [output["shape"] for output in answer.value["outputs"]] == [[8, 2]] * 3
        assert len(answer.value["steps"]) == 3
        assert not answer.locks.open_doors
        assert time.monotonic() - start < 10  # usually half a second


def test_the_worker_tries_its_own_doors(worker: Worker) -> None:
    """Each is closed, but for the scratch folder."""
    doors = worker.run("locks").value
    assert doors.pop("scratch") == "OPEN"
    assert len(doors) == 6
    assert all(told.startswith("closed: ") for told in doors.values())


def test_the_worker_is_light_and_holds_no_secrets(worker: Worker) -> None:
    """One thread, under a gigabyte, and an environment that was cleaned before it started."""
    process = Path(f"/proc/{worker.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    assert int(status["Threads"]) == 1
    assert int(status["VmHWM"].split()[0]) < 1 << 20
    assert b"KERASDOCTOR_TEST_TOKEN" not in (process / "environ").read_bytes()


def test_only_jobs_of_the_list_are_run(worker: Worker) -> None:
    """A dotted name is no job."""
    with pytest.raises(SandboxError, match="there is no job 'os:system'"):
        worker.run("os:system", {"command": "true"})


def test_a_worker_survives_a_job_that_does_not_end(worker: Worker, saved: tuple[Path, str]) -> None:
    """It is ended at its time; the next job is served."""
    path = saved[0].with_stem("honest")
    with pytest.raises(SandboxError, match="timed out"):
        live(worker, path, Limits(4 << 30, 60, 0.05, 64 << 20, 64))
    assert worker.run("locks").value


def test_a_worker_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first job is told, with what it printed; the second too."""
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libcublas.so.9 is gone')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with Worker("keras-3") as worker:
        for _ in range(2):
            with pytest.raises(SandboxError, match=r"keras-3 ended[\s\S]*libcublas.so.9 is gone"):
                worker.run("locks")


def test_a_dead_worker_is_told(worker: Worker) -> None:
    """Killed between two jobs: a SandboxError that says so, and again at the next try. The last test of this worker."""
    os.kill(worker.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(SandboxError, match=f"the worker for {worker.kind} ended") as caught:
            worker.run("locks")
        assert "已结束" in caught.value.zh
