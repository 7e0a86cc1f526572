"""The examples on the front page: failures of the folder `examples`, tried with one click."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from ...knowledge.text import Lang, Text
from . import texts


@dataclass(frozen=True)
class Example:
    """A failure. `text` is what is pasted, or the name of the file that holds it; `files` are added to it."""

    id: str
    title: Text
    hint: Text
    text: Text | str
    files: tuple[str, ...] = ()

    def shown(self, lang: Lang) -> dict[str, str]:
        """What its card shows."""
        return {
            "id": self.id,
            "title": self.title.say(lang),
            "hint": self.hint.say(lang),
            "file": "".join(self.files[:1]),
        }


EXAMPLES = (
    Example("traceback", texts.EXAMPLE_TRACEBACK, texts.EXAMPLE_TRACEBACK_HINT, "error.txt", ("digits.keras",)),
    Example("log", texts.EXAMPLE_LOG, texts.EXAMPLE_LOG_HINT, texts.EXAMPLE_LOG_TEXT, ("training.csv",)),
    Example("question", texts.EXAMPLE_QUESTION, texts.EXAMPLE_QUESTION_HINT, texts.EXAMPLE_QUESTION_TEXT),
)


def example_text(example: Example, lang: Lang) -> str:
    """What is pasted."""
    if isinstance(example.text, Text):
        return example.text.say(lang)
    return (files("kerasdoctor") / "examples" / example.text).read_text(encoding="utf-8")
