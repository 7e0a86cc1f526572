"""A text in both languages of the product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, Lang] = ("en", "zh")


@dataclass(frozen=True)
class Text:
    """The same statement for an English and for a Chinese reader."""

    en: str
    zh: str

    def say(self, lang: Lang) -> str:
        """The wording for a reader of `lang`."""
        return self.zh if lang == "zh" else self.en
