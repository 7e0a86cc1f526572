"""One message, what is understood of it, and the case that it is read into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..diagnostics.diagnosis import Diagnosis, Question
from ..knowledge.matcher import Matcher
from ..knowledge.text import Lang, Text
from .case import Asked, Case
from .intents import Understood, understand
from .paste import Paste
from .sayings import Kind

MAX_ASKED = 100  # keys of questions that are remembered
# What is read beside a traceback or a log, whose lines may look like words of a person.
BESIDE_A_PASTE: tuple[Kind, ...] = (
    "not_helped",
    "here",
    "anew",
    "version",
    "was",
    "live",
    "severity",
    "english",
    "chinese",
)


class Talk:
    """One message and its case, into which each `take_` of other modules reads one side of the message.

    Afterwards `redo` says that all must be looked at again, for which `paths` and `live` are set; else `leads` is the answer, or
    where there is none, what `heard` asks for. `fresh`: another problem was begun, `more`: a text joined those of the one so far.
    `helped`: the word on the last diagnosis, `looked`: there is a new one.
    """

    def __init__(self, matcher: Matcher, case: Case, asked: Asked, last: Diagnosis | None) -> None:
        self.asked, self.last = asked, last
        self.paste = Paste.of(asked.text, matcher)
        heard = understand(self.paste.prose)
        said = {kind: value for kind, value in heard.said.items() if not self.paste.failed or kind in BESIDE_A_PASTE}
        if asked.act and asked.act != "choose":
            said[asked.act] = ""
        self.heard = Understood(said, heard.rest, heard.opens)
        wished: Lang | None = "en" if "english" in said else "zh" if "chinese" in said else None
        self.wished = wished
        spoken = wished or self.paste.lang or case.lang
        self.lang: Lang = spoken or asked.lang or "en"
        self.case = replace(case, lang=spoken)
        self.leads: list[Text] = []
        self.answers = False  # whether the leads say all there is to say
        self.redo = False
        self.looked = False
        self.fresh = False
        self.answered = False
        self.version_told = False
        self.more = False
        self.helped: bool | None = None
        self.paths: tuple[Path, ...] = ()
        self.live = False

    def set_keras(self, keras: str) -> None:
        """From now on the reader's Keras is this."""
        self.case = replace(self.case, keras=keras)
        self.redo = self.version_told = True
        if self.question and self.question.kind == "line":
            self.answered = True

    def close(self, question: Question) -> None:
        """The question was answered or passed over, and is not asked again."""
        said = self.case.said
        asked = frozenset(sorted(said.asked | {question.key})[:MAX_ASKED])
        self.case = replace(self.case, said=replace(said, asked=asked), question=None)
        self.answered = True

    @property
    def question(self) -> Question | None:
        """The question that is open."""
        return self.case.question

    def say(self, lead: Text | None) -> None:
        """Answer with this; it comes first where something is looked at again."""
        self.answers = True
        self.leads += [lead] if lead else []
