"""Where there is no Linux under it: the sandbox is imported, a job that reads is run with what there is, others are refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

WINDOWS = "import os; os.__dict__.pop('fork', None); sys.modules['resource'] = sys.modules['fcntl'] = None; sys.platform = 'win32'"
MACOS = "sys.platform = 'darwin'"
SCRIPT = """
import selectors, subprocess, sys, tempfile
{system}
from kerasdoctor.diagnostics.sandbox import LIVE, STATIC, run_locked
from kerasdoctor.errors import SandboxError

answer = run_locked(lambda scratch: scratch.is_dir(), limits=STATIC)
assert answer.value is True
assert any(line.startswith("files: ") for line in answer.locks.open_doors), answer
try:
    run_locked(lambda _: 1, limits=LIVE)
except SandboxError as error:
    print(error)
assert run_locked(lambda _: 1, limits=LIVE, insist=False).value == 1
"""


@pytest.mark.parametrize("system", [WINDOWS, MACOS], ids=["windows", "macos"])
def test_what_only_reads_is_run_and_what_executes_is_refused(system: str) -> None:
    """Without fork as on Windows, without Landlock and seccomp as on macOS; what is missing is told."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(system=system)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "the door could not be locked: " in ended.stdout
    assert "is not run here" in ended.stdout
