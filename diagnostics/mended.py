"""What was done to a copy of a model: the repairs that applied, what they changed, and the proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..knowledge.text import Lang, Text
from .proving import Proof
from .repair import Change


@dataclass(frozen=True)
class Made:
    """A repair that applied, and what it changed."""

    repair: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Mended:
    """What was done. `file` is the name of the copy in the scratch folder, None on a dry run or where nothing applied."""

    made: tuple[Made, ...]
    proof: Proof | None
    file: str | None
    notes: tuple[Text, ...]

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Plain values for JSON, worded for a reader of `lang`."""
        proof = self.proof
        return {
            "made": [
                {
                    "repair": made.repair,
                    "changes": [
                        {"text": c.text.say(lang), "where": c.where, "before": c.before, "after": c.after}
                        for c in made.changes
                    ],
                }
                for made in self.made
            ],
            "proof": proof
            and {
                "outcome": proof.outcome,
                "before": proof.before,
                "after": proof.after,
                "difference": proof.difference,
                "text": proof.text.say(lang),
            },
            "notes": [note.say(lang) for note in self.notes],
            "written": self.file,
        }
