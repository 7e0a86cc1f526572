"""A text about a problem, and how it stands to what was sent before: the same again, more of it, or another problem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from rapidfuzz import fuzz, utils

from ..diagnostics.weighing import LEAST_NAMED
from ..knowledge.lines import Line
from ..knowledge.matcher import Matcher, Ranking
from ..knowledge.parser import parse
from ..knowledge.symptoms import Raised, Symptoms
from ..knowledge.text import Lang
from .outputs import Output, only_output, without_bars
from .sayings import words
from .version_talk import without_past

MAX_TEXTS = 6
MAX_BYTES = 1 << 20  # of all texts of a case
ALIKE = 80  # of 100: how much two messages of one exception have in common
OPTION = 85  # the same for a text and the label of an option
DOUBT = 0.9  # from this probability of "not known" on, a few words are no description of a problem
MANY_WORDS = 8  # a text that long is a description, known or not
SHORTEST = 4
SURE = 0.6  # from this probability of one topic on, words alone are another problem and not more about the one so far

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
# Words that tell that a person writes English, and those that logs and messages of programs hardly have.
_ENGLISH = words(
    "the is are was it this that how why what when which who does do did can could please not no still same "
    "show me my i i'm for on in with and to a an of it's don't doesn't didn't help thanks works work use using "
    "get"
)
_PERSONAL = words("i i'm i've my me we our how why can anyone help hi hello thanks please")
# A guess at the cause of the problem so far.
_GUESS = re.compile(
    r"^\W*(?:(?:so|then|maybe|perhaps|but|or)\W+)?(?:is|could|can|might|may)\s+(?:it|this|that)\s+(?:be\s+)?"
    r"(?:because|due to|caused by|related to|from|my|the)\b|"
    r"^\W*(?:那|那么|所以|难道)?(?:是不是|会不会是?|难道是|可能是|是因为|跟|和).{1,40}?"
    r"(?:的问题|的原因|导致的?|引起的?|造成的?|有关系?)(?:吗|呢|吧)?\W*$",
    re.IGNORECASE,
)
# What was tried for the problem so far.
_TRIED = re.compile(
    r"\b(?:already|also) tried\b|\btried .{1,60}\b(?:too|already|as well)\b|(?:也|都|已经)(?:尝试|试|加|用)(?:了|过)|试过了",
    re.IGNORECASE,
)
# Words of someone who asks or complains; others tell a detail ("lr 0.01", "我用的是 Adam").
_COMPLAINS = re.compile(
    r"[?？]|\b(?:how|why|what|which|where|when|can|could|does|errors?|exceptions?|fail(?:s|ed|ing)?|crash(?:es|ed)?|never|wrong|"
    r"problems?|issues?|nan|inf|oom|memory|slow|stuck|missing|incompatible|mismatch|disconnected|(?:over|under)fit\w*)\b|n't\b|\b(?:not|no|cannot)\b|"
    r"怎么|如何|为什么|为何|什么|哪|吗|没|报错|错误|异常|失败|崩|卡|慢|满|溢出|拟合|不",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Paste:
    """A message's text with what the parser and the matcher make of it."""

    text: str
    symptoms: Symptoms
    matcher: Matcher

    @classmethod
    def of(cls, text: str, matcher: Matcher) -> Self:
        """Read a text; of a longer one than a case may have, its end, where exceptions stand."""
        text = _end(text.replace("\0", "").strip(), MAX_BYTES)
        return cls(text, parse(without_past(text)), matcher)

    @cached_property
    def ranking(self) -> Ranking:
        """The topics that it alone may be about; most turns need not ask."""
        return self.matcher.match(self.symptoms)

    @property
    def failed(self) -> bool:
        """Whether it holds an exception or a log, not words alone."""
        return self.symptoms.shape in ("traceback", "message")

    @property
    def prose(self) -> str:
        """What the person wrote themselves."""
        return self.symptoms.prose if self.failed else self.text

    @property
    def several(self) -> bool:
        """Whether it holds several errors that have nothing to do with each other."""
        ends = [raised for raised in self.symptoms.raised if raised.final and raised.type]
        return any(not _same(each, ends[-1]) for each in ends)

    @cached_property
    def output(self) -> Output | None:
        """Of what it is the output, where it tells of no problem."""
        return None if self.failed else only_output(self.text)

    @cached_property
    def log(self) -> str:
        """What fit printed, where there is no exception behind it; "" for nothing."""
        return "" if self.failed else without_bars(self.text)[1]

    @property
    def known(self) -> bool:
        """Whether the doctor would name a topic for it."""
        return self.ranking.known and self.ranking.matches[0].confidence >= LEAST_NAMED

    @property
    def telling(self) -> bool:
        """Whether it describes something, known or not: long enough, or near enough to a topic."""
        if not self.text:
            return False
        words = len(_WORD.findall(self.text)) + len(_HAN.findall(self.text)) / 2
        return words >= MANY_WORDS or bool(self.symptoms.code) or (words > 1 and self.ranking.unknown < DOUBT)

    @property
    def topic(self) -> str | None:
        """The topic that it is about, taken alone."""
        return self.ranking.matches[0].topic if self.known else None

    @property
    def begins(self) -> bool:
        """Whether words alone tell of a problem of their own, and not of a detail of the one so far."""
        if not self.known or self.ranking.matches[0].confidence < SURE:
            return False
        beside = _GUESS.search(self.text) or _TRIED.search(self.text)
        return _COMPLAINS.search(self.text) is not None and beside is None

    @property
    def line(self) -> Line | None:
        """The Keras line that it gives away."""
        return self.symptoms.line

    @property
    def keras(self) -> str | None:
        """The version of Keras that it names."""
        return self.symptoms.versions.keras

    @property
    def lang(self) -> Lang | None:
        """The language that the person writes, None where there is too little of one."""
        prose = self.prose
        han, words = len(_HAN.findall(prose)), [word.lower() for word in _WORD.findall(prose)]
        if han > 1 and 3 * han >= len(words):
            return "zh"
        if self.failed:
            return "en" if len(_PERSONAL.intersection(words)) > 1 else None
        return "en" if len(words) > 2 and _ENGLISH.intersection(words) and self.symptoms.language == "en" else None  # noqa: PLR2004

    def repeats(self, texts: tuple[str, ...]) -> bool:
        """Whether one of the texts holds all of it."""
        mine = _squeezed(self.text)
        return any(mine in _squeezed(each) for each in texts)

    def is_part_of(self, texts: tuple[str, ...]) -> bool:
        """Whether one of the texts holds it and more."""
        mine = _squeezed(self.text)
        return self.repeats(texts) and all(mine != _squeezed(each) for each in texts)

    def is_new(self, texts: tuple[str, ...], near: set[str], *, unknown: bool) -> bool:
        """Whether it is about another problem.

        Args:
            texts: what was sent so far.
            near: the topics that were in question.
            unknown: whether none of them was named yet, so that words are more about the problem.
        """
        if self.topic in near or any(_squeezed(each) in _squeezed(self.text) for each in texts):
            return False
        before = [raised for each in texts for raised in parse(each).raised if raised.type]
        mine = [raised for raised in self.symptoms.raised if raised.type]
        if mine and before:
            return not any(_same(one, other) for one in mine for other in before)
        return self.begins and not unknown


def own_line(text: str) -> tuple[str, int | None, str] | None:
    """File, line number and code of the last line of the person's own code in the call stack of a paste; None for none."""
    main = parse(text).main
    own = next((frame for frame in reversed(main.frames if main else ()) if frame.owner == "user"), None)
    return (own.path, own.line, own.code) if own else None


def _same(one: Raised, other: Raised) -> bool:
    return one.type == other.type and fuzz.ratio(one.message[:500], other.message[:500]) >= ALIKE


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def joined(texts: tuple[str, ...], new: str) -> tuple[str, ...]:
    """The texts with a new one: without those that it holds, the first and the newest, as many as a case may have."""
    kept = [*(each for each in texts if _squeezed(each) not in _squeezed(new)), new]
    if len(kept) > MAX_TEXTS:
        kept = [kept[0], *kept[1 - MAX_TEXTS :]]
    while len(kept) > 1 and sum(len(each.encode()) for each in kept) > MAX_BYTES:
        del kept[1 if len(kept) > 2 else 0]  # noqa: PLR2004 - of two, the newest
    return tuple(kept)


def _end(text: str, most: int) -> str:
    """As much of the end as fits; half a character becomes a question mark."""
    return text.encode(errors="replace")[-most:].decode(errors="ignore")


def alike(text: str, label: str) -> bool:
    """Whether a short text says what a label does: all of it, or enough of its words."""
    said, named = text.strip().lower(), label.lower()
    if not SHORTEST <= len(said) <= 2 * len(named) + SHORTEST:
        return False
    if len(_HAN.findall(said)) >= SHORTEST and said in named:
        return True
    some = len(_WORD.findall(said)) > 1
    return fuzz.ratio(said, named) >= OPTION or (
        some and fuzz.token_set_ratio(said, named, processor=utils.default_process) >= OPTION
    )
