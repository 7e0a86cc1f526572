"""What a chat knows of its case, and what a person can say to it. Plain values, kept as JSON with the chat."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from ..diagnostics.decoding import decode
from ..diagnostics.diagnosis import Question
from ..diagnostics.said import Said
from ..knowledge.text import Lang

# What a button says. A text that means the same ("why?", "没有用") is understood as the same.
Act = Literal["why", "fix", "evidence", "sources", "helped", "not_helped", "yes", "no", "choose"]

# What can be suggested where it is not known what the problem is: see `next_step.py`.
Step = Literal["printed", "error", "goal", "model", "log", "environment", "versions", "code", "own", "package", "ask"]


@dataclass(frozen=True)
class Asked:
    """A person's message.

    `text` is masked, `uploads` are ids, `choice` is the value of the option that `act` "choose" takes, `keras` the version that
    was filled in, `live` asks for the models to be run, `lang` is the language of the page that it was written on.
    """

    text: str = ""
    uploads: tuple[str, ...] = ()
    act: Act | None = None
    choice: str = ""
    keras: str | None = None
    live: bool = False
    lang: Lang | None = None


@dataclass(frozen=True)
class Case:
    """What is known so far.

    `texts` are the pastes that describe the problem, the oldest first; `topic` is what was last named, `diagnosis` the id of that
    diagnosis, `question` what was asked with it; `solved` that the person said it helped; `suggested` what was said would
    help, the first first.
    """

    texts: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    live: bool = False
    keras: str | None = None
    lang: Lang | None = None
    said: Said = field(default_factory=Said)
    topic: str | None = None
    diagnosis: str | None = None
    question: Question | None = None
    solved: bool = False
    suggested: tuple[Step, ...] = ()

    @classmethod
    def from_json(cls, read: dict[str, Any]) -> Self:
        """Take back what `as_json` gave; an empty object is a new case."""
        return decode(cls, read, "case")  # type: ignore[no-any-return]

    def cleared(self) -> Case:
        """Without the problem: versions, language and files stay."""
        return Case(uploads=self.uploads, live=self.live, keras=self.keras, lang=self.lang)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "said": {name: sorted(values) for name, values in vars(self.said).items()}}
