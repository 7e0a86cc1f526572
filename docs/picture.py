"""Draws docs/session.svg, the picture of the README, from what the command prints on a terminal: `make picture`."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
COMMAND = ["kerasdoctor", "explain", "examples/error.txt", "--model", "examples/digits.keras"]
SHOWN = 58  # lines


def on_a_terminal(command: list[str]) -> str:
    """What a command prints when it writes to a terminal of 80 columns."""
    os.environ.update(COLUMNS="80", TERM="xterm-256color", PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    os.environ.pop("NO_COLOR", None)
    pid, ours = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)  # noqa: S606 - our own command
    printed = b"".join(iter(lambda: read(ours), b""))
    os.waitpid(pid, 0)
    return printed.decode().replace("\r\n", "\n")


def read(descriptor: int) -> bytes:
    """What has come in; nothing at the end, which a terminal tells with an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def main() -> None:
    """Write the picture."""
    os.chdir(ROOT)
    lines = on_a_terminal(COMMAND).splitlines()[:SHOWN]
    console = Console(record=True, width=82, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("$ " + " ".join(COMMAND) + "\n" + "\n".join(lines)))
    svg = console.export_svg(title="kerasdoctor")
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no fonts from other people's servers
    Path("docs/session.svg").write_text(re.sub(r"[ \t]+\n", "\n", svg), encoding="utf-8")


if __name__ == "__main__":
    main()
