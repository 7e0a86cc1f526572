"""What `kerasdoctor repair` prints: each change with the piece before and after, and the proof."""

from __future__ import annotations

from pathlib import Path

import click

from ..diagnostics.mending import Made, Mended
from ..diagnostics.repair import Change, all_repairs
from ..knowledge.text import Lang, Text
from .terminal import Screen, json_text, shown

SCHEMA = "kerasdoctor.repair/1"
NOTHING = Text("Nothing to repair: none of the repairs applies to this file.", "无需修复：没有适用于这个文件的修复项。")
WOULD = Text("Would be changed (nothing was written)", "将会修改（未写入任何文件）")
CHANGED = Text("Changed", "已修改")
PROOF = Text("Proof", "验证")
WRITTEN = Text("Written: {}", "已写入：{}")
NOT_WRITTEN = Text("Nothing was written.", "没有写入文件。")
MORE = Text("and {} more like this", "还有 {} 处同类修改")
MARKS = {"same": "✓", "other": "✓", "runs": "!", "differs": "✗"}
SHOWN = 3
WIDEST = 160


def repair_ids() -> list[str]:
    """The ids of all repairs, in the order in which they run."""
    return [repair.id for repair in all_repairs()]


def list_page(lang: Lang) -> str:
    """The repairs, with what each promises."""
    return "\n".join(
        f"{click.style(f'{repair.id:20}', bold=True)} {repair.promise.say(lang)}" for repair in all_repairs()
    )


def json_page(mended: Mended, lang: Lang) -> str:
    """What was done as JSON, by the schema that `SCHEMA` names."""
    return json_text({"schema": SCHEMA, "lang": lang, **mended.as_json(lang)})


def page(mended: Mended, model: Path, output: Path | None, lang: Lang) -> str:
    """A page for a terminal."""
    screen = Screen()
    screen.heading(shown(model.name))
    if not mended.made:
        screen.plain(NOTHING.say(lang), indent=2)
        return screen.text()
    screen.plain((CHANGED if mended.proof else WOULD).say(lang), indent=2, bold=True)
    for made in mended.made:
        _made(screen, made, lang)
    if mended.proof:
        screen.plain(PROOF.say(lang), indent=2, bold=True)
        screen.item(mended.proof.text.say(lang), MARKS[mended.proof.outcome])
    for note in mended.notes:
        screen.item(note.say(lang), "-")
    screen.blank()
    screen.plain(WRITTEN.say(lang).format(output) if mended.file else NOT_WRITTEN.say(lang), bold=True)
    return screen.text()


def _made(screen: Screen, made: Made, lang: Lang) -> None:
    promise = next(repair.promise for repair in all_repairs() if repair.id == made.repair)
    screen.item(f"{made.repair}: {promise.say(lang)}", "•")
    for change in made.changes[:SHOWN]:
        _change(screen, change, lang)
    if len(made.changes) > SHOWN:
        screen.plain(MORE.say(lang).format(len(made.changes) - SHOWN), indent=6, dim=True)


def _change(screen: Screen, change: Change, lang: Lang) -> None:
    where = f"{change.where}: " if change.where else ""
    screen.item(f"{where}{change.text.say(lang)}", "-", indent=4)
    for sign, piece, colour in (("-", change.before, "red"), ("+", change.after, "green")):
        if piece:
            cut = piece if len(piece) <= WIDEST else f"{piece[:WIDEST]} …"
            screen.plain(f"{sign} {cut}", indent=8, hang=2, fg=colour)
