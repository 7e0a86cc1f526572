"""A chat, turn by turn: what is known so far and a message in, what is known afterwards and the reply out.

No web and no database: whoever calls this keeps the case, the files and the diagnoses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import NEITHER, Diagnosis, Option, Question
from ..diagnostics.doctor import Doctor, Said, Subjects
from ..knowledge.entry import load_entry
from ..knowledge.lines import LINES, Line, line_of
from ..knowledge.text import Lang, Text
from . import leads
from .case import Asked, Case
from .intents import RELEASE, Understood, bare_version, keras_of, understand
from .paste import Paste, alike, bounded
from .reply import Reply, ReplyKind

if TYPE_CHECKING:
    from ..diagnostics.progress import Watch

MAX_UPLOADS = 20
MAX_ASKED = 100  # keys of questions that are remembered
PARTS: tuple[Literal["evidence", "sources", "fix", "why"], ...] = ("evidence", "sources", "fix", "why")


@dataclass(frozen=True)
class Turn:
    """What a message led to.

    `case` is what is known afterwards. `helped` is the person's word on the diagnosis that stood before, None where they gave
    none. `looked` is set where `reply.diagnosis` is a new one, whose id the caller puts into `Case.diagnosis`.
    """

    case: Case
    reply: Reply
    helped: bool | None = None
    looked: bool = False


def _nobody(_diagnosis: Diagnosis) -> None:
    """Where nobody wants to know what was recognised."""


class Conversation:
    """Answers messages. Holds the doctor; what is known of a case comes with each message."""

    def __init__(self, doctor: Doctor, *, live: bool) -> None:
        """`live`: whether models may be run on this service at all."""
        self.doctor = doctor
        self.live = live

    def turn(
        self,
        case: Case,
        asked: Asked,
        last: Diagnosis | None,
        files: Mapping[str, Path],
        recognised: Callable[[Diagnosis], None] = _nobody,
        watch: Watch | None = None,
    ) -> Turn:
        """Answer a message.

        Args:
            case: what is known.
            asked: the message.
            last: the diagnosis that stands, None where there is none.
            files: where the uploads of the case and of the message are, by their ids; one that is missing has expired.
            recognised: is called with the diagnosis of the text alone, before files are examined.
            watch: follows the examination of files and can cancel it.

        Raises:
            Cancelled: the watch was cancelled.
        """
        talk = _Talk(self.doctor, case, asked, last)
        talk.take_files(files)
        talk.take_live(allowed=self.live)
        talk.take_version()
        talk.take_answer()
        talk.take_verdict()
        talk.take_text()
        if talk.redo and (talk.case.texts or talk.paths):
            return talk.diagnosed(recognised, watch)
        return talk.told()


class _Talk:
    """One turn. Each `take_` reads one side of the message into the case; `redo` then says that it must be looked at again."""

    def __init__(self, doctor: Doctor, case: Case, asked: Asked, last: Diagnosis | None) -> None:
        self.doctor, self.asked, self.last, self.before = doctor, asked, last, case
        self.paste = Paste.of(asked.text, doctor.matcher)
        heard = understand(self.paste.prose)
        said = {**heard.said, **({asked.act: ""} if asked.act and asked.act != "choose" else {})}
        self.heard = Understood(cast("dict", said), heard.rest)  # type: ignore[type-arg]
        wished: Lang | None = "en" if "english" in said else "zh" if "chinese" in said else None
        self.wished = wished
        spoken = wished or self.paste.lang or case.lang
        self.lang: Lang = spoken or asked.lang or "en"
        self.case = replace(case, lang=spoken)
        self.leads: list[Text] = []
        self.reply: Reply | None = None  # what to say where nothing is looked at again
        self.redo = False
        self.fresh = False
        self.answered = False
        self.version_told = False
        self.helped: bool | None = None
        self.paths: tuple[Path, ...] = ()
        self.live = False

    # What the message brings, one side at a time.

    def take_files(self, files: Mapping[str, Path]) -> None:
        """Files that came with the message join those of the case; those that expired are let go."""
        every = tuple(dict.fromkeys((*self.case.uploads, *self.asked.uploads)))
        there = [each for each in every if each in files]
        if gone := len(every) - len(there):
            self.leads.append(leads.expired(gone))
        if len(there) > MAX_UPLOADS:
            self.leads.append(leads.too_many(MAX_UPLOADS))
        uploads = tuple(there[-MAX_UPLOADS:])
        self.paths = tuple(files[each] for each in uploads)
        self.redo = any(each in uploads for each in self.asked.uploads)
        self.case = replace(self.case, uploads=uploads)

    def take_live(self, *, allowed: bool) -> None:
        """Models are run where that is asked for, and may be."""
        wanted = self.asked.live or "live" in self.heard.said
        self.live = allowed and (wanted or self.case.live)
        self.case = replace(self.case, live=self.live)
        if not wanted:
            return
        if not allowed:
            self.say(leads.NO_LIVE if self.redo else leads.NO_LIVE_NO_FILE)
        elif not self.paths:
            self.say(leads.NO_FILE)
        else:
            self.redo = True

    def take_version(self) -> None:
        """A version that was filled in or told; after a problem's own text the text itself tells it."""
        told = self.heard.said.get("version", "")
        number = bare_version(self.asked.text)
        if not told and number and self.question and self.question.kind == "line" and ("." in number or number == "3"):
            told = f"keras {number}"
        if self.asked.keras and self.asked.keras.strip() and self.asked.keras != self.case.keras:
            told = f"keras {bare_version(self.asked.keras) or '?'}"
        if told:
            self.told_version(told)

    def told_version(self, told: str) -> None:
        """Take what was told as "keras 2.4" or "tensorflow 2.4"."""
        keras = keras_of(told)
        if keras is None:
            self.say(leads.WHICH_TENSORFLOW_2 if told.startswith("tensorflow 2") else leads.NO_SUCH_VERSION)
        else:
            self.set_keras(keras)

    def set_keras(self, keras: str) -> None:
        """From now on the reader's Keras is this."""
        self.case = replace(self.case, keras=keras)
        self.redo = self.version_told = True
        if self.question and self.question.kind == "line":
            self.answered = True

    def take_answer(self) -> None:
        """An answer to the question that was asked."""
        question = self.question
        if self.asked.act == "choose" and not self.chosen_by_button():
            self.say(leads.STALE)
        elif question and not self.answered and not self.paste.failed and self.asked.act in (None, "yes", "no"):
            self.answer(question)

    def chosen_by_button(self) -> bool:
        """Whether the button still belongs to something: an option of the question, or a Keras line."""
        options = self.question.options if self.question else ()
        if self.question and self.asked.choice in {option.value for option in options}:
            self.choose(self.question, self.asked.choice)
        elif self.asked.choice in LINES:
            self.set_keras(RELEASE[cast("Line", self.asked.choice)])
        else:
            return False
        return True

    def answer(self, question: Question) -> None:
        """Understand a text as the answer to a question: an option's words or number, yes, no, "don't know"."""
        said = self.heard.said
        if (option := _option_of(question, self.asked.text)) and "not_helped" not in said:
            self.choose(question, option.value)
        elif "ordinal" in said and question.options:
            self.nth(question, said["ordinal"])
        elif "unsure" in said or ("no" in said and question.kind != "topics"):
            self.close(question)
            self.say(leads.WITHOUT if question.kind == "probe" else leads.STANDS)
        elif "no" in said:
            self.choose(question, NEITHER)
        elif "yes" in said:
            self.confirmed(question)

    def nth(self, question: Question, nth: str) -> None:
        """Take the option with a number from 1, or the last of those that name something."""
        named = [option for option in question.options if option.value != NEITHER]
        number = len(named) if nth == "last" else int(nth or "0")
        if 1 <= number <= len(question.options):
            self.choose(question, question.options[number - 1].value)
        else:
            self.say(leads.only_options(len(question.options)))

    def confirmed(self, question: Question) -> None:
        """Yes: to a file that is wanted, or to the topic that was named with the question; else it must be asked again."""
        if question.kind == "probe":
            self.close(question)
            self.say(leads.DROP[question.subject or "model"])
        elif any(option.value == self.case.topic for option in question.options):
            self.choose(question, self.case.topic or "")
        else:
            labels = "; ".join(f"{n}. {o.label.en}" for n, o in enumerate(question.options, 1))
            labels_zh = "；".join(f"{n}. {o.label.zh}" for n, o in enumerate(question.options, 1))
            self.say(Text(f"{leads.WHICH.en} {labels}", f"{leads.WHICH.zh}{labels_zh}"))

    def choose(self, question: Question, value: str) -> None:
        """Take an option."""
        self.answered = self.redo = True
        if question.kind == "line":
            self.set_keras(RELEASE[cast("Line", value)])
            return
        self.case = replace(self.case, said=self.case.said.answered(question.key, value))
        self.leads.append(leads.NEITHER if value == NEITHER else leads.taken_as(load_entry(value).title))

    def close(self, question: Question) -> None:
        """The question was answered or passed over, and is not asked again."""
        asked = self.case.said.asked
        if len(asked) < MAX_ASKED:
            self.case = replace(self.case, said=replace(self.case.said, asked=asked | {question.key}))
        self.case = replace(self.case, question=None)
        self.answered = True

    def take_verdict(self) -> None:
        """Whether the diagnosis that stands helped."""
        last, said = self.last, self.heard.said
        if last is None or self.answered:
            return
        if "not_helped" in said or ("no" in said and self.asked.act is None and not self.question):
            self.rule_out(last)
        elif "helped" in said:
            self.helped = True if last.topic else None
            self.say(leads.SOLVED if last.topic else leads.SOLVED_UNKNOWN)

    def rule_out(self, last: Diagnosis) -> None:
        """The topic that was named is not it."""
        if self.version_told and last.told.line != line_of(self.case.keras, None):
            return  # what did not help was the fix for another Keras
        if last.topic is None or last.title is None:
            help_ = leads.together([leads.NOT_KNOWN_STANDS, *last.advice])
            self.say(help_ or leads.NOT_KNOWN_STANDS)
            return
        self.helped = False
        said = self.case.said
        ruled_out, likely = said.ruled_out | {last.topic}, said.likely - {last.topic}
        self.case = replace(self.case, said=replace(said, ruled_out=ruled_out, likely=likely))
        self.redo = True

    def take_text(self) -> None:
        """What was pasted or told of the problem: the same again, more of it, or a new one."""
        if self.answered or not (self.paste.failed or self.is_problem):
            return
        if self.paste.repeats(self.case.texts):
            self.redo = self.redo or self.last is None
            self.say(leads.SAME)
        elif self.is_new:
            self.begin_anew()
        else:
            if self.case.texts:
                self.leads.append(leads.TOGETHER)
            self.case = replace(self.case, texts=bounded((*self.case.texts, self.paste.text)))
            self.keep_version()
            self.redo = True

    @property
    def is_problem(self) -> bool:
        """Whether a text without an exception is a problem of its own, not small talk or something beside a file."""
        if not self.heard.rest or self.asked.act:
            return False
        return self.paste.known or (self.paste.telling and not (self.asked.uploads and not self.case.texts))

    @property
    def is_new(self) -> bool:
        """Whether the text is about another problem than the one so far."""
        if not self.case.texts or self.last is None or "here" in self.heard.said:
            return False
        near = {self.last.topic, *(other.topic for other in self.last.alternatives), *self.case.said.likely}
        return self.paste.is_new(self.case.texts, cast("set[str]", near - {None}), unknown=self.last.topic is None)

    def begin_anew(self) -> None:
        """Another problem: versions, language and files stay."""
        versions = self.case.keras or (self.last.told.keras if self.last else None)
        kept = None if self.paste.line else versions
        self.fresh, self.redo, self.reply = True, True, None
        self.leads = [leads.NEW_KEPT if kept or self.paths else leads.NEW]
        self.case = replace(
            self.case,
            texts=bounded((self.paste.text,)),
            said=Said(),
            question=None,
            topic=None,
            diagnosis=None,
            keras=kept,
        )

    def keep_version(self) -> None:
        """A version in the text itself is the newest word on it."""
        if self.paste.keras and not self.version_told:
            self.case = replace(self.case, keras=self.paste.keras)

    # What is answered.

    def diagnosed(self, recognised: Callable[[Diagnosis], None], watch: Watch | None) -> Turn:
        """Look at all that is known, again."""
        if self.question and not self.fresh:
            self.close(self.question)
        text, case = "\n\n".join(self.case.texts), self.case
        diagnosis = None
        if text:
            diagnosis = self.doctor.diagnose(text, lang=self.lang, keras=case.keras, said=case.said)
            recognised(diagnosis)
        if self.paths or diagnosis is None:
            subjects = Subjects(files=self.paths, depth=Depth(live=self.live, lang=self.lang))
            diagnosis = self.doctor.diagnose(text, subjects, self.lang, case.keras, case.said, watch)
        self.case = replace(case, topic=diagnosis.topic, question=diagnosis.question, diagnosis=None)
        lead = leads.together([*self.leads, *self.outcome(diagnosis)])
        return Turn(self.case, Reply("diagnosis", self.lang, lead, diagnosis), self.helped, looked=True)

    def outcome(self, now: Diagnosis) -> list[Text]:
        """What changed."""
        said: list[Text] = []
        last = self.last
        if self.helped is False and last and last.title and not self.fresh:
            said.append(leads.ruled_out(last.title, next_one=now.topic is not None))
        elif self.version_told and last and not self.fresh:
            said += self.version_outcome(last, now)
        elif leads.TOGETHER in self.leads and last and now.topic != last.topic:
            said.append(leads.CHANGED)
        if not self.case.texts and now.topic is None:
            said.append(_of_files(now))
        return said

    def version_outcome(self, last: Diagnosis, now: Diagnosis) -> list[Text]:
        """What another version changed."""
        keras = self.case.keras or ""
        line = line_of(keras, None) or LINES[0]
        if (last.topic, last.fix) == (now.topic, now.fix):
            return [leads.noted(keras, line, paste=False)]
        changed = [leads.CHANGED] if last.topic != now.topic else []
        return [leads.now_for(keras, line), *changed]

    def told(self) -> Turn:
        """Nothing is looked at again: part of the diagnosis that stands, or a word."""
        if self.reply is None:
            self.reply = self.part() or self.in_language() or self.small_talk()
        lead = leads.together([*self.leads, *([self.reply.lead] if self.reply.lead else [])])
        return Turn(self.case, replace(self.reply, lead=lead), self.helped)

    def part(self) -> Reply | None:
        """The part of the diagnosis that stands which was asked for."""
        part = next((each for each in PARTS if each in self.heard.said), None)
        if part is None or self.heard.rest:
            return None
        last = self.last
        if last is None:
            return self.only(leads.NO_DIAGNOSIS)
        there = {"why": last.why, "fix": last.fix, "evidence": last.findings or last.reasons, "sources": last.sources}[
            part
        ]
        if not there:
            known = last.topic is not None
            return self.only(
                leads.NO_FIX if known else cast("Text", leads.together([leads.PART_OF_UNKNOWN, *last.advice]))
            )
        return Reply(part, self.lang, None, replace(last, lang=self.lang))

    def in_language(self) -> Reply | None:
        """The same in the language that was asked for."""
        if self.wished is None:
            return None
        if self.last is None:
            return self.only(leads.IN_THIS_LANGUAGE)
        return Reply("diagnosis", self.lang, None, replace(self.last, lang=self.lang))

    def small_talk(self) -> Reply:
        """Everything else that people say."""
        said = self.heard.said
        if self.version_told:
            keras = self.case.keras or ""
            return self.only(leads.noted(keras, line_of(keras, None) or LINES[0], paste=True))
        if self.heard.nothing and not self.leads:
            return self.only(leads.EMPTY if not self.asked.text.strip() else leads.NOT_UNDERSTOOD)
        if self.heard.rest:
            return self.only(leads.NOT_UNDERSTOOD)
        words = {
            "help": leads.HELP, "here": leads.PASTE_IT, "thanks": leads.WELCOME, "greeting": leads.GREETING,
            "helped": leads.SOLVED_UNKNOWN, "not_helped": leads.NO_DIAGNOSIS,
        }  # fmt: skip
        found = next((words[kind] for kind in words if kind in said), None)
        if found is None and said:
            found = leads.NO_QUESTION if self.last else leads.NO_DIAGNOSIS
        return Reply("said", self.lang, found)

    @property
    def question(self) -> Question | None:
        """The question that is open."""
        return self.case.question

    def say(self, lead: Text) -> None:
        """Answer with this, unless something is looked at again, and even then first."""
        if self.reply is None:
            self.reply = Reply("said", self.lang)
        self.leads.append(lead)

    def only(self, lead: Text, kind: ReplyKind = "said") -> Reply:
        return Reply(kind, self.lang, lead)


def _of_files(now: Diagnosis) -> Text:
    """What is said of files that name no topic."""
    outcomes = {finding.outcome for finding in now.findings}
    if any(finding.fault or finding.warning for finding in now.findings):
        return leads.FAULTS
    return leads.NO_FAULT if outcomes & {"nothing", "finding"} else leads.NOT_EXAMINED


def _option_of(question: Question, text: str) -> Option | None:
    """The one option whose words a text is, in either language."""
    fitting = [o for o in question.options if alike(text, o.label.en) or alike(text, o.label.zh)]
    return fitting[0] if len(fitting) == 1 else None
