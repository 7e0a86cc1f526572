"""What a message brings to a case, one side at a time: files, a version, an answer, a verdict, a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from ..diagnostics.diagnosis import NEITHER, Diagnosis, Option, Question
from ..diagnostics.said import Said
from ..knowledge.entry import Kind as EntryKind
from ..knowledge.entry import load_entry
from ..knowledge.lines import LINES, Line, line_of
from ..knowledge.matcher import Matcher
from ..knowledge.text import Lang, Text
from . import leads
from .case import Asked, Case
from .intents import Understood, understand
from .outputs import Output
from .paste import Paste, alike, joined
from .sayings import Kind
from .small_talk import SOLVED_UNKNOWN
from .version_talk import RELEASE, bare_version, keras_of, only_versions, package_of

MAX_UPLOADS = 20
MAX_ASKED = 100  # keys of questions that are remembered
# What is read beside a traceback or a log, whose lines may look like words of a person.
BESIDE_A_PASTE: tuple[Kind, ...] = ("not_helped", "here", "anew", "version", "was", "live", "english", "chinese")


class Talk:
    """One message and its case. Each `take_` reads one side of the message into the case.

    Afterwards `redo` says that all must be looked at again, for which `paths` and `live` are set; else `leads` is the answer, or
    where there is none, what `heard` asks for. `fresh`: another problem was begun, `more`: a text joined those of the one so far.
    `helped`: the word on the last diagnosis.
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
        self.fresh = False
        self.answered = False
        self.version_told = False
        self.more = False
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
        added = bool(set(self.asked.uploads) & set(self.case.uploads))
        self.live = allowed and (wanted or (self.case.live and added))
        self.case = replace(self.case, live=allowed and (wanted or self.case.live))
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
        if not told and number and "." in number and only_versions(number, bare=True):
            told = f"{package_of(number)} {number}"
        if not told and number and self.question and self.question.kind == "line" and number == "3":
            told = f"keras {number}"
        if self.asked.keras and self.asked.keras.strip() and self.asked.keras != self.case.keras:
            told = f"keras {bare_version(self.asked.keras) or '?'}"
        if told:
            self.told_version(told)
        elif keras_of(self.heard.said.get("was", "")) == self.case.keras is not None:
            self.case = replace(self.case, keras=None)  # what was taken for theirs is not the one that fails
            self.redo = True

    def told_version(self, told: str) -> None:
        """Take what was told as "keras 2.4" or "tensorflow 2.4"."""
        keras = keras_of(told)
        if keras is None:
            self.say(leads.WHICH_TENSORFLOW_2 if told.startswith("tensorflow 2") else leads.NO_SUCH_VERSION)
            return
        if keras == RELEASE["keras-2"] != self.case.keras and told.startswith("keras"):
            self.leads.append(leads.KERAS_2)
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
            self.set_keras(RELEASE[self.asked.choice])
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
        said = self.case.said
        asked = frozenset(sorted(said.asked | {question.key})[:MAX_ASKED])
        self.case = replace(self.case, said=replace(said, asked=asked), question=None)
        self.answered = True

    def take_verdict(self) -> None:
        """Whether the diagnosis that stands helped."""
        last, said = self.last, self.heard.said
        if last is None or self.answered or "anew" in said:
            return
        if "not_helped" in said or ("no" in said and self.asked.act is None and not self.question):
            self.rule_out(last)
        elif "helped" in said:
            self.helped = True if last.topic else None
            self.case = replace(self.case, question=None, solved=True)
            self.say(leads.SOLVED if last.topic else SOLVED_UNKNOWN)

    def rule_out(self, last: Diagnosis) -> None:
        """The topic that was named is not it."""
        if self.version_told and last.told.line != line_of(self.case.keras, None):
            return  # what did not help was the fix for another Keras
        if last.topic is None or last.title is None:
            self.say(leads.together([leads.NOT_KNOWN_STANDS, self.next_step(last), leads.ELSEWHERE]))
            return
        self.helped = False
        said = self.case.said
        ruled_out, likely = said.ruled_out | {last.topic}, said.likely - {last.topic}
        self.case = replace(self.case, said=replace(said, ruled_out=ruled_out, likely=likely), solved=False)
        self.redo = True

    def next_step(self, diagnosis: Diagnosis) -> Text:
        """What would help most where no topic is named."""
        kinds = {load_entry(topic).kind for topic in self.case.said.ruled_out}
        tried = next((kind for kind in get_args(EntryKind) if kind in kinds), None)
        return leads.next_step(diagnosis.told, tried, files=bool(self.paths))

    def take_text(self) -> None:
        """What was pasted or told of the problem: the same again, more of it, or a new one."""
        if self.answered:
            return
        if self.paste.output:
            self.take_output(self.paste.output)
        elif not (self.paste.failed or self.is_problem):
            if "anew" in self.heard.said and self.case.texts:
                self.put_aside()
        elif self.paste.repeats(self.case.texts):
            self.redo = self.redo or self.last is None
            self.say(leads.SAME_STILL if self.case.said.ruled_out else leads.SAME)
            if self.case.said.ruled_out and self.last and not self.last.topic:
                self.leads.append(self.next_step(self.last))
        elif self.is_new:
            self.begin_anew()
        else:
            self.add_text()
        if self.redo and self.paste.failed and self.paste.several:
            self.leads.append(leads.SEVERAL)

    def take_output(self, output: Output) -> None:
        """What a program printed tells of no problem, at most of the versions."""
        if self.paste.keras:
            self.set_keras(self.paste.keras)
        elif self.asked.uploads == ():
            self.say(leads.ONLY[output])

    def add_text(self) -> None:
        """More about the problem, or its first text."""
        self.more = bool(self.case.texts)
        if self.more:
            self.leads.append(leads.TOGETHER)
        self.case = replace(self.case, texts=joined(self.case.texts, self.paste.text), solved=False)
        self.keep_version()
        self.redo = True

    def put_aside(self) -> None:
        """The problem so far is done with, and the new one not told yet."""
        self.case = replace(self.case, texts=(), said=Said(), question=None, topic=None, diagnosis=None, solved=False)
        self.redo = False
        self.say(leads.ANEW)

    @property
    def is_problem(self) -> bool:
        """Whether a text without an exception is a problem of its own, not small talk or something beside a file."""
        if not self.heard.rest or self.asked.act:
            return False
        if self.paste.log:
            return True
        if self.heard.opens == "helped":  # "fixed it, needed TensorFlow 2.10" is no problem
            return self.paste.begins
        return self.paste.known or (self.paste.telling and not (self.asked.uploads and not self.case.texts))

    @property
    def is_new(self) -> bool:
        """Whether the text is about another problem than the one so far."""
        if not self.case.texts or self.last is None or "here" in self.heard.said:
            return False
        said = self.case.said
        near = {self.last.topic, *(other.topic for other in self.last.alternatives), *said.likely, *said.ruled_out}
        if "anew" in self.heard.said or (self.case.solved and self.paste.topic not in near):
            return True
        unknown = self.last.topic is None and not said.ruled_out
        return self.paste.is_new(self.case.texts, cast("set[str]", near - {None}), unknown=unknown)

    def begin_anew(self) -> None:
        """Another problem: versions, language and files stay."""
        versions = self.case.keras or (self.last.told.keras if self.last else None)
        kept = versions if self.version_told or not self.paste.line else None
        self.fresh = self.redo = True
        if not self.paste.failed and self.heard.opens not in ("helped", "not_helped"):
            self.helped = None  # "..., still nothing" was about the new problem
        self.leads = [leads.NEW_KEPT if kept or self.paths else leads.NEW]
        self.case = replace(
            self.case,
            texts=joined((), self.paste.text),
            said=Said(),
            question=None,
            topic=None,
            diagnosis=None,
            keras=kept,
            solved=False,
        )

    def keep_version(self) -> None:
        """A version in the text itself is the newest word on it."""
        if self.paste.keras and not self.version_told:
            self.case = replace(self.case, keras=self.paste.keras)

    @property
    def question(self) -> Question | None:
        """The question that is open."""
        return self.case.question

    def say(self, lead: Text | None) -> None:
        """Answer with this; it comes first where something is looked at again."""
        self.answers = True
        self.leads += [lead] if lead else []


def _option_of(question: Question, text: str) -> Option | None:
    """The one option whose words a text is, in either language."""
    fitting = [o for o in question.options if alike(text, o.label.en) or alike(text, o.label.zh)]
    return fitting[0] if len(fitting) == 1 else None
