"""Tries the doors of the sandbox from inside: what `kerasdoctor check --sandbox` shows, and a job of the worker."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .decoding import decode
from .lockdown import Lock
from .sandbox import LIVE, run_locked

SCRATCH = "scratch"  # the one door that must be open


@dataclass(frozen=True)
class SelfTest:
    """The locks that hold and that are missing here, and what became of each door that was tried from inside."""

    lock: Lock
    doors: dict[str, str]

    @property
    def holds(self) -> bool:
        """Whether all essential locks hold, every door is closed, and the scratch folder may be written to."""
        closed = all((told == "OPEN") == (name == SCRATCH) for name, told in self.doors.items())
        return closed and bool(self.doors) and not self.lock.open_doors


def self_test() -> SelfTest:
    """Lock a process as one that runs a model is locked, and try its doors. Needs no TensorFlow.

    Raises:
        SandboxError: the process ended without an answer; the message says how.
    """
    if not hasattr(
        os, "fork"
    ):  # Windows: nothing is locked, and there would be nothing between the attempts and this process
        why = f"there is no such lock on {sys.platform}"
        return SelfTest(Lock((), tuple(f"{name}: {why}" for name in ("files", "system-calls"))), {})
    answer = run_locked(try_the_doors, limits=LIVE, insist=False)
    return SelfTest(answer.locks, decode(dict[str, str], answer.value, "doors"))


def try_the_doors(scratch: Path) -> dict[str, str]:
    """Try what a hostile model would try.

    Args:
        scratch: the one folder that may be written to.

    Returns:
        For each door `closed: REASON` or `OPEN`: network, read, write, program, process, signal; and `scratch`, which must
        be `OPEN`.
    """
    outside = Path(scratch).parent / f"kerasdoctor-self-test-{os.getpid()}"
    return {
        "network": _try(lambda: socket.socket().close()),
        "read": _try(lambda: Path("/etc/passwd" if os.name == "posix" else sys.executable).read_bytes()),
        "write": _try(lambda: _write(outside)),
        "program": _try(lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})),
        "process": _try(_fork),
        "signal": _try(lambda: os.kill(os.getppid(), 0)),
        SCRATCH: _try(lambda: tempfile.TemporaryFile(dir=scratch).close()),
    }


def _try(door: Callable[[], object]) -> str:
    try:
        door()
    except OSError as error:
        return f"closed: {error.strerror}"
    return "OPEN"


def _write(place: Path) -> None:
    place.write_bytes(b"")
    place.unlink()


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
