"""What the doctor says in a chat: one value, which the page, the API, Slack and the exported text render."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from ..diagnostics.decoding import decode
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.mended import Mended
from ..knowledge.text import Lang, Text

# `diagnosis` shows all of it; why, fix, evidence and sources that part of the diagnosis which stands; `said` is the lead alone;
# `repair` tells what was mended; `failed` and `cancelled` tell why there is no answer.
ReplyKind = Literal["diagnosis", "why", "fix", "evidence", "sources", "said", "repair", "failed", "cancelled"]


@dataclass(frozen=True)
class Reply:
    """An answer in a chat, worded for a reader of `lang`.

    `lead` is what is said first. `copy` is the id of the upload that holds a mended copy, None where none was written.
    """

    kind: ReplyKind
    lang: Lang
    lead: Text | None = None
    diagnosis: Diagnosis | None = None
    mended: Mended | None = None
    copy: str | None = None

    @classmethod
    def from_json(cls, read: dict[str, Any]) -> Self:
        """Take back what `as_json` gave."""
        return decode(cls, read, "reply")  # type: ignore[no-any-return]

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON, in both languages."""
        return asdict(self)
