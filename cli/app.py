"""The command line: explain, run, and where the other commands are put together."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import InputError, KerasDoctorError, SubjectError
from .examining import check, env, repair
from .lookup import completion, evaluate, search, topic, topics
from .options import EXIT_CODES, KERAS, LANG, NOT_KNOWN, UNUSABLE, subjects
from .serving import keys, mcp, report, serve
from .terminal import Screen, json_text, use_color

if TYPE_CHECKING:
    from ..diagnostics.diagnosis import Diagnosis
    from ..diagnostics.doctor import Subjects
    from ..knowledge.text import Lang

MAX_PASTE = 16 * 1024 * 1024


class Commands(click.Group):
    """A group for which a bare pipe, or options without a command, mean `explain`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `explain` before arguments that name no command."""
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["explain", *args]
        elif not args and not ctx.resilient_parsing and not sys.stdin.isatty():
            args = ["explain"]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Turn the errors that are meant for the reader into a message and an exit code, here and nowhere else."""
        try:
            return super().invoke(ctx)
        except KerasDoctorError as error:
            said = error.zh if ctx.obj == "zh" and isinstance(error, SubjectError) else str(error)
            click.echo(f"kerasdoctor: {said}", err=True, color=use_color())
            ctx.exit(UNUSABLE)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(__version__, "--version", prog_name="kerasdoctor")
def main() -> None:
    """Find out why a Keras or TensorFlow program failed, and how to fix it.

    Paste or pipe a traceback, a log or a question, in English or Chinese:

    \b
      python train.py 2>&1 | kerasdoctor
      kerasdoctor explain error.txt --model model.keras
      kerasdoctor run -- python train.py
      kerasdoctor check model.keras
      kerasdoctor repair old.h5 -o new.keras

    Everything happens on this machine; nothing is sent anywhere.
    """  # noqa: D301 - click takes the character \\b for "do not wrap"


@main.command(epilog=EXIT_CODES)
@click.argument("file", default="-", metavar="[FILE|-]")
@subjects
@KERAS
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
@click.pass_context
def explain(
    ctx: click.Context,
    file: str,
    subjects: Callable[[], Subjects],
    keras: str | None,
    lang: Lang | None,
    as_json: bool,
) -> None:
    """Diagnose a pasted traceback, log or question from FILE or standard input.

    Ends with 0 when a topic was named, with 1 when the problem is not known.
    """
    diagnosis = _diagnose(_read(file), subjects(), keras, lang)
    _show(diagnosis, as_json=as_json, err=False)
    ctx.exit(0 if diagnosis.topic else NOT_KNOWN)


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, epilog=EXIT_CODES)
@subjects
@KERAS
@LANG
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- COMMAND [ARGS]...")
@click.pass_context
def run(
    ctx: click.Context,
    subjects: Callable[[], Subjects],
    keras: str | None,
    lang: Lang | None,
    command: tuple[str, ...],
) -> None:
    """Run a command; when it fails, diagnose what it wrote to standard error.

    Its input and output pass through untouched, and kerasdoctor ends with its exit code. The diagnosis goes to standard
    error.
    """
    from .running import run_command  # noqa: PLC0415 - each command imports what it needs

    ended = run_command(command)
    if ended.code:
        _show(_diagnose(ended.text, subjects(), keras, lang), as_json=False, err=True)
    ctx.exit(ended.code)


for each in (check, env, repair, topic, search, topics, evaluate, serve, keys, report, mcp, completion):
    main.add_command(each)


def _read(file: str) -> str:
    """The paste. Bytes that are not UTF-8 are replaced, not refused; only the last `MAX_PASTE` bytes of a giant count."""
    if file == "-":
        if sys.stdin.isatty():
            click.echo("Paste the error or the question, then press Ctrl-D on a line of its own:", err=True)
        data = sys.stdin.buffer.read()
    else:
        path = Path(file)
        if not path.is_file():
            raise InputError(f"{file}: there is no such file; give a text file, or '-' for standard input")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"  # PowerShell redirects write UTF-16
    return data[-MAX_PASTE:].decode(encoding, "replace")


def _diagnose(text: str, subjects: Subjects, keras: str | None, lang: Lang | None) -> Diagnosis:
    from ..diagnostics.doctor import Doctor  # noqa: PLC0415
    from ..knowledge.matcher import Matcher  # noqa: PLC0415

    return Doctor(Matcher.load()).diagnose(text, subjects, lang, keras)


def _show(diagnosis: Diagnosis, *, as_json: bool, err: bool) -> None:
    if as_json:
        click.echo(json_text(diagnosis.as_json()), err=err)
        return
    from ..diagnostics.diagnosis_page import diagnosis_page  # noqa: PLC0415

    screen = Screen()
    diagnosis_page(screen, diagnosis)
    click.echo(screen.text(), err=err, color=use_color())
