"""The READMEs are true: every command in them is run, and what they show is what it prints.

In a `console` block a line `$ COMMAND` is run from the repository's root; the lines behind it must be its output, where a
line `…` stands for any number of lines. In a `sh` block every line is a command that is only run, in a `bash` block one that asks the
service. `make` targets are checked to exist: the tests cannot start themselves.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[1]
README = ["README.md", "README.zh.md"]
BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(command: str) -> str:
    """What a command prints on both channels, as on a terminal of 80 columns without colours."""
    with TemporaryDirectory() as temporary:  # where `mktemp` goes
        Path(temporary).chmod(0o1777)
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": temporary,
            "COLUMNS": "80",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        ended = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
    return ended.stdout


def commands() -> list[tuple[str, str, str]]:
    """Each command of each README, with the output that is shown (empty for `sh` blocks)."""
    found = []
    for name in README:
        for kind, body in BLOCK.findall((ROOT / name).read_text(encoding="utf-8")):
            if kind == "sh":
                found += [(name, line, "") for line in body.splitlines() if line.strip()]
                continue
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                found.append((name, command, shown))
    return found


def fits(shown: str, printed: str) -> bool:
    """Whether a command printed what is shown."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^…$", shown.rstrip("\n"), flags=re.MULTILINE)]
    return re.fullmatch(r"\n*" + r"[\s\S]*".join(parts) + r"\n*", printed) is not None


@pytest.mark.parametrize(("name", "command", "shown"), commands(), ids=lambda value: str(value)[:60])
def test_command(name: str, command: str, shown: str) -> None:
    """A command of a README does what the README shows."""
    if command.startswith("make "):
        target = command.split()[1]
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), name
        return
    printed = run(command)
    assert "command not found" not in printed
    assert "Usage:" not in printed or "--help" in command
    if shown:
        assert fits(shown, printed), printed


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with data of its own, as `make run` starts it."""
    command = [str(Path(sys.executable).with_name("kerasdoctor")), "serve", "--port", "0"]
    data = ["--data", str(tmp_path_factory.mktemp("data")), "--log-level", "error"]
    with subprocess.Popen([*command, *data], stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        yield serving.stdout.readline().split()[-1]
        serving.terminate()


@pytest.mark.parametrize("name", README)
def test_asking_the_service(name: str, address: str) -> None:
    """Each request of a README is answered with JSON that is no problem."""
    (body,) = re.findall(r"^```bash\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for command in body.splitlines():
        told = json.loads(run(command.replace("http://127.0.0.1:8080", address)))
        assert "title" not in told or "status" not in told, command


def test_both_readmes_show_the_same_commands() -> None:
    """Neither language is behind: the commands are the same but for the reader's language."""

    def of(name: str) -> list[str]:
        return [
            " ".join(re.findall(r"make \w+|kerasdoctor(?: [a-z]+)?|--(?!lang)\w+", c))
            for n, c, _ in commands()
            if n == name
        ]

    assert of("README.md") == of("README.zh.md")


def test_every_command_and_option_is_in_the_readme() -> None:
    """A command that the README does not name is one that nobody finds."""
    from kerasdoctor.cli import main  # noqa: PLC0415

    for name in README:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert [c for c in main.commands if f"kerasdoctor {c}" not in text] == []
        for option in ("--model", "--python", "--keras", "--lang", "--json", "--misses", "--only", "--list"):
            assert option in text
