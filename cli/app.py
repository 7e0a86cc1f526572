"""The commands and their options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import InputError, KerasDoctorError
from .terminal import Screen, use_color

if TYPE_CHECKING:
    from ..diagnostics.diagnosis import Diagnosis
    from ..diagnostics.probe import Finding, SubjectKind
    from ..knowledge.text import Lang

MAX_PASTE = 16 * 1024 * 1024
NOT_KNOWN = 1
USAGE = 2
UNUSABLE = 3
FOUND = 4
EXIT_CODES = """
\b
Exit codes:
  0  a topic was named (or the command did what it says)
  1  not known, or nothing found
  2  wrong usage
  3  an input cannot be used; the message says what was expected
  4  check or env found a fault
  run ends with the exit code of its command (128 + N when signal N ended it).
"""


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
            click.echo(f"kerasdoctor: {error}", err=True, color=use_color())
            ctx.exit(UNUSABLE)


LANG = click.option(
    "--lang", type=click.Choice(["en", "zh"]), help="Language of the answer; by default that of the paste."
)
MODEL = click.option(
    "--model", "models", multiple=True, metavar="PATH", help="A model file (.keras, .h5) to examine; may be repeated."
)


def _version(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from ..knowledge.lines import line_of  # noqa: PLC0415 - each command imports what it needs

    if value is not None and line_of(value, None) is None:
        raise click.BadParameter(f"'{value}' is no version of Keras; expected numbers such as 2.2.4, 2.15 or 3")
    return value


KERAS = click.option(
    "--keras",
    metavar="VERSION",
    callback=_version,
    help="Your Keras version, e.g. 2.15; by default what the text tells.",
)
PYTHON = click.option("--python", metavar="PATH", help="An interpreter whose environment is examined (GPU, versions).")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(__version__, "--version", prog_name="kerasdoctor")
def main() -> None:
    """Find out why a Keras or TensorFlow program failed, and how to fix it.

    Paste or pipe a traceback, a log or a question, in English or Chinese:

    \b
      python train.py 2>&1 | kerasdoctor
      kerasdoctor explain error.txt --model model.keras
      kerasdoctor run -- python train.py

    Everything happens on this machine; nothing is sent anywhere.
    """  # noqa: D301 - click takes the character \\b for "do not wrap"


@main.command(epilog=EXIT_CODES)
@click.argument("file", default="-", metavar="[FILE|-]")
@MODEL
@PYTHON
@KERAS
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
@click.pass_context
def explain(
    ctx: click.Context,
    file: str,
    models: tuple[str, ...],
    python: str | None,
    keras: str | None,
    lang: Lang | None,
    as_json: bool,
) -> None:
    """Diagnose a pasted traceback, log or question from FILE or standard input.

    Ends with 0 when a topic was named, with 1 when the problem is not known.
    """
    diagnosis = _diagnose(_read(file), models, python, keras, lang)
    _show(diagnosis, as_json=as_json, err=False)
    ctx.exit(0 if diagnosis.topic else NOT_KNOWN)


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, epilog=EXIT_CODES)
@MODEL
@PYTHON
@KERAS
@LANG
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- COMMAND [ARGS]...")
@click.pass_context
def run(
    ctx: click.Context,
    models: tuple[str, ...],
    python: str | None,
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
        _show(_diagnose(ended.text, models, python, keras, lang), as_json=False, err=True)
    ctx.exit(ended.code)


ONLY = click.option("--only", multiple=True, metavar="PROBE", help="Only this probe; may be repeated.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
READER = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")


@main.command(epilog=EXIT_CODES)
@click.argument("models", nargs=-1, type=click.Path(path_type=Path), metavar="MODEL...")
@click.option("--list", "listed", is_flag=True, help="List the probes and what each looks at.")
@ONLY
@READER
@AS_JSON
@click.pass_context
def check(
    ctx: click.Context, models: tuple[Path, ...], listed: bool, only: tuple[str, ...], lang: Lang, as_json: bool
) -> None:
    """Examine model files (.keras, HDF5) with every probe, without running anything in them.

    Ends with 0 when nothing is wrong, with 4 when a fault was found, with 3 when no probe could look.
    """
    from ..diagnostics.examination import examine_model  # noqa: PLC0415

    if listed:
        _list_probes(lang)
        return
    if not models:
        raise click.UsageError("give at least one model file, or --list", ctx)
    chosen = _chosen(ctx, "model", only)
    _show_findings(
        ctx, [f for path in models for f in examine_model(path, only=chosen).findings], lang, as_json=as_json
    )


@main.command(epilog=EXIT_CODES)
@click.option("--python", default=sys.executable, metavar="PATH", help="The interpreter to examine; default: this one.")
@click.option("--list", "listed", is_flag=True, help="List the checks and what each looks at.")
@ONLY
@click.option("--report", is_flag=True, help="Print a report to paste into an issue or a chat (Markdown).")
@click.option(
    "--fail-on",
    type=click.Choice(["warn", "fail", "never"]),
    default="fail",
    show_default=True,
    help="What makes the command end with 4.",
)
@READER
@AS_JSON
@click.pass_context
def env(
    ctx: click.Context,
    python: str,
    listed: bool,
    only: tuple[str, ...],
    report: bool,
    fail_on: str,
    lang: Lang,
    as_json: bool,
) -> None:
    """Examine the environment of a Python: versions, packages, configuration, GPUs, processor, memory.

    Each check passes, warns, fails, is skipped for a reason, or crashes. Home folder, user and host are masked in all that is
    printed. Ends with 0 when nothing is wrong, with 4 when a check failed, with 3 when no check could look.
    """
    from . import environment_pages as pages  # noqa: PLC0415 - each command imports what it needs

    if listed:
        click.echo(pages.list_page(lang), color=use_color())
        return
    if report and as_json:
        raise click.UsageError("give --report or --json, not both", ctx)
    examined = pages.examine(Path(python), _chosen(ctx, "environment", only), lang)
    show = pages.json_page if as_json else pages.report_page if report else pages.environment_page
    click.echo(show(examined), color=use_color())
    if not examined.ran:
        click.echo("kerasdoctor: no check could look; the reasons stand above", err=True)
        ctx.exit(UNUSABLE)
    ctx.exit(FOUND if examined.has_failed(fail_on) else 0)


@main.command()
@click.argument("topic_id", metavar="ID")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the text.")
@click.pass_context
def topic(ctx: click.Context, topic_id: str, lang: Lang) -> None:
    """Show everything that is known about a topic."""
    from ..knowledge.entry import has_entry, load_entry, topic_ids  # noqa: PLC0415

    if not has_entry(topic_id):
        from rapidfuzz import process  # noqa: PLC0415

        near = ", ".join(match[0] for match in process.extract(topic_id, topic_ids(), limit=3))
        raise click.BadParameter(f"there is no topic '{topic_id}'; the nearest ids are {near}", ctx, param_hint="ID")
    from .pages import topic_page  # noqa: PLC0415

    screen = Screen()
    topic_page(screen, load_entry(topic_id), lang)
    click.echo(screen.text(), color=use_color())


@main.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of the titles; by default that of the words.")
@click.option("--limit", default=8, show_default=True, type=click.IntRange(1, 50), help="How many topics at most.")
@click.pass_context
def search(ctx: click.Context, words: tuple[str, ...], lang: Lang | None, limit: int) -> None:
    """Find topics by words, in English or Chinese."""
    from ..knowledge.matcher import Matcher  # noqa: PLC0415
    from ..knowledge.parser import parse  # noqa: PLC0415
    from ..knowledge.search import search_topics  # noqa: PLC0415

    text = " ".join(words)
    reader: Lang = lang or ("zh" if parse(text).language == "zh" else "en")
    found = search_topics(text, Matcher.load().index, limit)
    for hit in found:
        click.echo(f"{click.style(hit.topic, bold=True)}\n    {hit.title.say(reader)}", color=use_color())
    if not found:
        click.echo("kerasdoctor: no topic has these words; `kerasdoctor topics` lists all", err=True)
        ctx.exit(NOT_KNOWN)


@main.command()
@click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the titles."
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of records with topic, kind and title.")
def topics(lang: Lang, as_json: bool) -> None:
    """List all topics."""
    from ..knowledge.entry import load_entries  # noqa: PLC0415

    entries = load_entries()
    if as_json:
        listed = [{"topic": e.id, "kind": e.kind, "title": e.title.say(lang)} for e in entries]
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    for entry in entries:
        name = click.style(f"{entry.id:36}", bold=True)
        click.echo(f"{name} {entry.kind:8} {entry.title.say(lang)}", color=use_color())


@main.command()
@click.argument("cases", type=click.Path(path_type=Path), metavar="CASES.jsonl")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--misses", is_flag=True, help="List the cases that were not answered rightly.")
def evaluate(cases: Path, as_json: bool, misses: bool) -> None:
    """Measure the matcher on CASES.jsonl: real pastes with the topics that answer them.

    Each line is a JSON object with id, kind (traceback, question, negative), lang, text and expect (topics; empty for a
    negative). "Not known" counts as wrong on an answerable case. Cases whose topics have no entry are left out and counted.
    """
    from ..knowledge.cases import load_cases  # noqa: PLC0415
    from ..knowledge.evaluation import evaluate as measure  # noqa: PLC0415
    from ..knowledge.matcher import Matcher  # noqa: PLC0415
    from .pages import evaluation_page  # noqa: PLC0415

    evaluation = measure(load_cases(cases), Matcher.load())
    if as_json:
        missed = {"misses": [_miss(result) for result in evaluation.misses()]} if misses else {}
        click.echo(json.dumps({**evaluation.as_json(), **missed}, ensure_ascii=False, indent=2))
    else:
        click.echo(evaluation_page(evaluation, misses=misses), color=use_color())


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell, e.g. `eval "$(kerasdoctor completion bash)"`."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choices above are the classes that click has
    click.echo(kind(main, {}, "kerasdoctor", "_KERASDOCTOR_COMPLETE").source())


def _list_probes(lang: Lang) -> None:
    from ..diagnostics.probe import all_probes  # noqa: PLC0415

    for probe in all_probes():
        name = click.style(f"{probe.id:20}", bold=True)
        click.echo(f"{name} {probe.subject:12} {probe.promise.say(lang)}", color=use_color())


def _chosen(ctx: click.Context, kind: SubjectKind, only: tuple[str, ...]) -> frozenset[str]:
    """The probes that `--only` names, each of which must be there."""
    from ..diagnostics.examination import probes_of  # noqa: PLC0415

    known = [probe.id for probe in probes_of(kind)]
    for name in only:
        if name not in known:
            raise click.BadParameter(
                f"there is no probe '{name}' here; there are {', '.join(known)}", ctx, param_hint="--only"
            )
    return frozenset(only)


def _show_findings(ctx: click.Context, findings: list[Finding], lang: Lang, *, as_json: bool) -> None:
    from ..diagnostics.diagnosis import finding_as_json  # noqa: PLC0415
    from .pages import findings_page  # noqa: PLC0415

    if as_json:
        click.echo(json.dumps([finding_as_json(f, lang) for f in findings], ensure_ascii=False, indent=2))
    else:
        screen = Screen()
        findings_page(screen, findings, lang)
        click.echo(screen.text(), color=use_color())
    if all(finding.outcome == "could_not_look" for finding in findings):
        ctx.exit(UNUSABLE)
    ctx.exit(FOUND if any(finding.fault for finding in findings) else 0)


def _miss(result: Any) -> dict[str, Any]:  # noqa: ANN401 - a Result, imported where it is made
    return {
        "id": result.case.id,
        "expect": sorted(result.case.expect),
        "named": list(result.named),
        "confidence": round(result.confidence, 4),
    }


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


def _diagnose(
    text: str, models: tuple[str, ...], python: str | None, keras: str | None, lang: Lang | None
) -> Diagnosis:
    from ..diagnostics.doctor import Doctor, Subjects  # noqa: PLC0415
    from ..knowledge.matcher import Matcher  # noqa: PLC0415

    subjects = Subjects(tuple(map(Path, models)), Path(python) if python else None)
    return Doctor(Matcher.load()).diagnose(text, subjects, lang, keras)


def _show(diagnosis: Diagnosis, *, as_json: bool, err: bool) -> None:
    if as_json:
        click.echo(json.dumps(diagnosis.as_json(), ensure_ascii=False, indent=2), err=err)
        return
    from .pages import diagnosis_page  # noqa: PLC0415

    screen = Screen()
    diagnosis_page(screen, diagnosis)
    click.echo(screen.text(), err=err, color=use_color())
