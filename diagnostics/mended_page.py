"""What is shown of a mended model: each change with the piece before and after, and the proof."""

from __future__ import annotations

from ..knowledge.text import Lang, Text
from .mended import Made, Mended
from .paper import Paper, shown
from .repair import Change, all_repairs

NOTHING = Text("Nothing to repair: none of the repairs applies to this file.", "无需修复：没有适用于这个文件的修复项。")
WOULD = Text("Would be changed (nothing was written)", "将会修改（未写入任何文件）")
CHANGED = Text("Changed", "已修改")
PROOF = Text("Proof", "验证")
NOT_WRITTEN = Text("Nothing was written.", "没有写入文件。")
MORE = Text("and {} more like this", "还有 {} 处同类修改")
MARKS = {"same": "✓", "other": "✓", "runs": "!", "differs": "✗"}
SHOWN = 3
WIDEST = 160


def mended_page(paper: Paper, mended: Mended, name: str, copy: str | None, lang: Lang) -> None:
    """What was done to a model, and how it was proved.

    Args:
        paper: what it is written on.
        mended: what was done.
        name: the model's name, as its heading; "" for none.
        copy: where the copy is (a path, the id of an upload), None where none was written.
        lang: the reader's language.
    """
    if name:
        paper.heading(shown(name))
    if not mended.made:
        paper.plain(NOTHING.say(lang), indent=2)
        return
    paper.plain((CHANGED if mended.proof else WOULD).say(lang), indent=2, bold=True)
    for made in mended.made:
        _made(paper, made, lang)
    if mended.proof:
        paper.plain(PROOF.say(lang), indent=2, bold=True)
        paper.item(mended.proof.text.say(lang), MARKS[mended.proof.outcome])
    for note in mended.notes:
        paper.item(note.say(lang), "-")
    paper.blank()
    if mended.file and copy:
        paper.written(copy, lang)
    else:
        paper.plain(NOT_WRITTEN.say(lang), bold=True)


def promise_of(made: Made) -> Text:
    """What the repair that was made promises."""
    return next((repair.promise for repair in all_repairs() if repair.id == made.repair), Text("", ""))


def shown_changes(made: Made) -> tuple[tuple[Change, ...], int]:
    """The changes that are shown, their pieces cut where they are long, and how many more there are."""
    cut = tuple(Change(c.text, c.where, _cut(c.before), _cut(c.after)) for c in made.changes[:SHOWN])
    return cut, max(0, len(made.changes) - SHOWN)


def _cut(piece: str) -> str:
    return piece if len(piece) <= WIDEST else f"{piece[:WIDEST]} …"


def _made(paper: Paper, made: Made, lang: Lang) -> None:
    paper.item(f"{made.repair}: {promise_of(made).say(lang)}", "•")
    changes, more = shown_changes(made)
    for change in changes:
        where = f"{change.where}: " if change.where else ""
        paper.item(f"{where}{change.text.say(lang)}", "-", indent=4)
        paper.change(change.before, change.after)
    if more:
        paper.note(MORE.say(lang).format(more), indent=6)
