"""A job that tries the doors of the sandbox from inside: `kerasdoctor check --sandbox` can show what it tells."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


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
        "scratch": _try(lambda: tempfile.TemporaryFile(dir=scratch).close()),
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
