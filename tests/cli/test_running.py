"""`kerasdoctor run`: what the command does is not changed by being watched."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kerasdoctor.knowledge.recorded import traces_of

KERASDOCTOR = str(Path(sys.executable).with_name("kerasdoctor"))
TRACE = traces_of("tensor-op-outside-layer")["keras-3"][0]


def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KERASDOCTOR, "run", *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
    )


def failing(tmp_path: Path) -> str:
    """A program that prints a recorded failure of Keras and ends with 7."""
    (tmp_path / "trace.txt").write_text(TRACE, encoding="utf-8")
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, pathlib\nprint('epoch 1')\n"
        f"sys.stderr.write(pathlib.Path({str(tmp_path / 'trace.txt')!r}).read_text())\nsys.exit(7)\n"
    )
    return str(script)


def test_success_is_silent() -> None:
    """Output, errors and exit code of a command that works are its own, and nothing is added."""
    ended = run("--", sys.executable, "-c", "import sys; print(sys.stdin.read()); sys.stderr.write('warn')", text="hi")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "hi\n", "warn")


def test_failure_is_diagnosed(tmp_path: Path) -> None:
    """The exit code is kept, standard output untouched, and the diagnosis follows the traceback on standard error."""
    ended = run("--", sys.executable, failing(tmp_path))
    assert ended.returncode == 7
    assert ended.stdout == "epoch 1\n"
    assert ended.stderr.startswith(TRACE)
    assert "tensor-op-outside-layer" in ended.stderr[len(TRACE) :]


def test_options_of_the_command_are_its_own() -> None:
    """Options behind the command's name are not taken by kerasdoctor, with or without `--`."""
    script = "import sys; print(sys.argv[1:])"
    for separator in (["--"], []):
        ended = run(*separator, sys.executable, "-c", script, "--json", "--model", "x", "-h")
        assert ended.stdout == "['--json', '--model', 'x', '-h']\n"


def test_a_signal_is_an_exit_code() -> None:
    """A command that was killed ends with 128 + the signal's number, and being killed is what is diagnosed."""
    ended = run("--", sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.returncode == 137
    assert "host-out-of-memory" in ended.stderr


def test_interrupts_reach_the_command() -> None:
    """Ctrl-C is the command's to handle; kerasdoctor waits for it and keeps its exit code."""
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *a: sys.exit(5))\nprint('ready', flush=True)\ntime.sleep(30)\n"
    )
    process = subprocess.Popen(
        [KERASDOCTOR, "run", "--", sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 5
    process.stdout.close()


def test_a_request_to_end_is_handed_on() -> None:
    """SIGTERM to kerasdoctor ends the command too."""
    script = "import time\nprint('ready', flush=True)\ntime.sleep(30)\n"
    process = subprocess.Popen(
        [KERASDOCTOR, "run", "--", sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    assert process.wait(30) == 143
    process.stdout.close()


EARLY = """
import os, signal, subprocess
from kerasdoctor.cli.running import run_command

class Interrupted(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGTERM)  # it runs, and nobody holds it yet

subprocess.Popen = Interrupted
print(run_command(("sleep", "30")).code, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_request_to_end_is_handed_on_however_early() -> None:
    """Also one that comes as soon as the command runs, before it is waited for."""
    command = [sys.executable, "-c", EARLY]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
    assert ended.stdout == b"143\n"


def test_what_is_left_behind_does_not_hold_it_up() -> None:
    """A process that the command leaves running with its standard error does not keep kerasdoctor waiting."""
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'])"
    started = time.monotonic()
    process = subprocess.Popen([KERASDOCTOR, "run", "--", sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    assert process.wait(15) == 0
    assert time.monotonic() - started < 15


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_on_a_terminal_the_command_sees_a_terminal() -> None:
    """Progress bars and colours depend on it; newlines arrive as they were written."""
    ours, theirs = pty.openpty()
    script = "import sys; sys.stderr.write(f'{sys.stderr.isatty()} {sys.stdout.isatty()}\\n')"
    process = subprocess.Popen(
        [KERASDOCTOR, "run", "--", sys.executable, "-c", script], stdin=theirs, stdout=theirs, stderr=theirs
    )
    assert process.wait(30) == 0
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], 1)[0]:
        try:
            chunk = os.read(ours, 4096)
        except OSError:
            break
        seen += chunk
    os.close(ours)
    assert seen == b"True True\r\n"
