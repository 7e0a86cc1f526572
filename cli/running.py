"""Runs a command with everything passed through, and keeps a copy of what it writes to standard error."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import InputError

KEPT = 1024 * 1024
GRACE = 1.0
_CHUNK = 65_536


@dataclass(frozen=True)
class Ended:
    """How the command ended: its exit code (128 + N for signal N), and the last megabyte of its standard error."""

    code: int
    text: str


def run_command(command: tuple[str, ...]) -> Ended:
    """Run a command to its end.

    Standard input and output stay those of this process. Standard error goes through a pseudo-terminal where this
    process has one, so that the command sees a terminal too, else through a pipe; each byte is passed on at once.

    Raises:
        InputError: the command cannot be started.
    """
    ours, theirs = _channel()
    kept = bytearray()
    with _signals_handed_on() as hand_to:
        try:
            process = subprocess.Popen(command, stderr=theirs)  # noqa: S603 - what the user asked to run
        except OSError as error:
            os.close(ours)
            raise InputError(
                f"{command[0]}: cannot be run: {error.strerror}; give a command, e.g. python train.py"
            ) from error
        finally:
            os.close(theirs)
        hand_to(process)
        reader = threading.Thread(target=_pass_on, args=(ours, kept), daemon=True)
        reader.start()
        code = process.wait()
    reader.join(GRACE)  # a process that the command left behind may hold standard error open for ever
    text = bytes(kept[-KEPT:]).decode("utf-8", "replace")
    if code < 0:
        name = signal.Signals(-code).name
        return Ended(128 - code, f"{text}\n{'Killed' if -code == signal.SIGKILL else f'terminated by {name}'}\n")
    return Ended(code, text)


def _channel() -> tuple[int, int]:
    """Two connected file descriptors: ours to read from, theirs to write to."""
    if sys.platform != "win32" and sys.stderr.isatty():
        import pty  # noqa: PLC0415 - not on Windows
        import tty  # noqa: PLC0415

        ours, theirs = pty.openpty()
        tty.setraw(theirs)  # or the terminal would turn every newline into two characters
        return ours, theirs
    return os.pipe()


def _pass_on(ours: int, kept: bytearray) -> None:
    while chunk := _read(ours):
        os.write(sys.stderr.fileno(), chunk)
        kept += chunk
        if len(kept) > 2 * KEPT:
            del kept[:-KEPT]
    os.close(ours)


def _read(ours: int) -> bytes:
    try:
        return os.read(ours, _CHUNK)
    except OSError:  # a pseudo-terminal ends so on Linux
        return b""


@contextlib.contextmanager
def _signals_handed_on() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Ctrl-C reaches the command by itself and it decides what that means; a request to end is handed on to it.

    Gives the function that tells the command once it runs: a request that came before is handed on then. Handlers are not
    inherited by the command, as ignoring a signal would be.
    """
    running: list[subprocess.Popen[bytes]] = []
    asked: list[int] = []

    def hand_on(number: int, _: object) -> None:
        asked.append(number)
        for process in running:
            process.send_signal(number)

    def hand_to(process: subprocess.Popen[bytes]) -> None:
        running.append(process)
        for number in asked:
            process.send_signal(number)

    before_interrupt = signal.signal(signal.SIGINT, lambda *_: None)
    before_end = signal.signal(signal.SIGTERM, hand_on)
    try:
        yield hand_to
    finally:
        signal.signal(signal.SIGINT, before_interrupt)
        signal.signal(signal.SIGTERM, before_end)
