"""The commands that look things up: topic, search, topics, evaluate, completion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import NOT_KNOWN
from .terminal import Screen, use_color

if TYPE_CHECKING:
    from ..knowledge.text import Lang


@click.command()
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
    from ..diagnostics.topic_page import topic_page  # noqa: PLC0415

    screen = Screen()
    topic_page(screen, load_entry(topic_id), lang)
    click.echo(screen.text(), color=use_color())


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell, e.g. `eval "$(kerasdoctor completion bash)"`."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choices above are the classes that click has
    click.echo(kind(ctx.find_root().command, {}, "kerasdoctor", "_KERASDOCTOR_COMPLETE").source())


def _miss(result: Any) -> dict[str, Any]:  # noqa: ANN401 - a Result, imported where it is made
    return {
        "id": result.case.id,
        "expect": sorted(result.case.expect),
        "named": list(result.named),
        "confidence": round(result.confidence, 4),
    }
