"""What `kerasdoctor repair` prints: each change with the piece before and after, and the proof."""

from __future__ import annotations

from pathlib import Path

import click

from ..diagnostics.mended import Mended
from ..diagnostics.mended_page import mended_page
from ..diagnostics.repair import all_repairs
from ..knowledge.text import Lang
from .terminal import Screen, json_text

SCHEMA = "kerasdoctor.repair/1"


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
    mended_page(screen, mended, model.name, str(output) if output else None, lang)
    return screen.text()
