"""What a short message says to the doctor: "why?", "没用", "I'm on Keras 3", "the second one".

Whole clauses are matched with the patterns of the `sayings_` modules; whatever no pattern covers is left over, for the
matcher to judge. A long text is never read this way: a traceback that contains "why" is a paste.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import OSA

from .sayings import KINDS, Kind, words
from .sayings_beside import BESIDE_CHINESE, BESIDE_ENGLISH
from .sayings_en import ENGLISH
from .sayings_zh import CHINESE
from .version_talk import only_versions

LONGEST = 300  # characters of a message that can be more than a problem
MOST_CLAUSES = 8
LONGEST_CLAUSE = 100
SHORTEST_TYPO = 4  # letters of a word that is read as the nearest one


@dataclass(frozen=True)
class Understood:
    """What was said. `said` maps each kind to its value ("" where it has none), `rest` is what no pattern covers.

    `opens` is what the first clause says, None where that is something else. The value of `ordinal` is a number from 1 or "last",
    that of `version` a text as "keras 2.2.4" or "tensorflow 2.4", that of `was` the same of versions that are not the one that fails.
    """

    said: dict[Kind, str]
    rest: str
    opens: Kind | None = None

    @property
    def nothing(self) -> bool:
        """Whether there is neither an intent nor anything else."""
        return not self.said and not self.rest


def understand(text: str) -> Understood:
    """Read a short message; of a long one everything is left over."""
    if len(text) > LONGEST:
        return Understood({}, text)
    plain, links = _LINK.subn(" ", _plain(text))
    clauses = [each for each in _CLAUSES.split(plain) if each.strip(_EDGE)]
    if links and not clauses:
        return Understood({"link": ""}, "", "link")
    if not clauses or len(clauses) > MOST_CLAUSES:
        return Understood({}, plain.strip() if clauses else "")
    said: dict[Kind, str] = {}
    rest: list[str] = []
    for clause in clauses:
        found = list(_read(clause.strip(_EDGE), said)) if len(clause) <= LONGEST_CLAUSE else []
        for kind, value in found:
            if not rest or kind not in _ANSWERS:
                said.setdefault(kind, value)
        if not found and "write" not in said and not _IDLE.fullmatch(clause.strip(_EDGE)):
            rest.append(clause.strip())
    opens = next((kind for kind, _ in _read(clauses[0].strip(_EDGE), {})), None)
    return Understood(_settled(said), ", ".join(rest), opens)


# What answers a question only where it comes first: later in a message it belongs to what was told before it.
_ANSWERS: tuple[Kind, ...] = ("ordinal", "yes", "no", "unsure", "helped")
_EDGE = " \t\r\"'`()[]{}<>*_~-—–:.·|"
_CLAUSES = re.compile(
    r"[!?;。、\n]+|\.+(?=\s|$)|,(?!\d)|\s-+\s|\b(?:but|and(?! (?:tf|tensorflow|keras)\b)|although|because|"
    r"while|whereas)\b|但是|可是|不过|然而|(?:(?<=question)|(?<=problem)|(?<=issue)|(?<=问题)):"
)
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("👍🙏🎉👌💯🥳❤", "; thanks; "),
        "👎": "; not helpful; ",
        "✅": "; yes; ",
        "❌": "; no; ",
        "’": "'",
        "‘": "'",
    }
)
_LINK = re.compile(r"(?:https?://|www\.)[^\s\u3000-\u9fff]{3,}")
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])")


def _plain(text: str) -> str:
    """Lower case, full-width letters and signs made plain, no emoji; Chinese without the blanks inside."""
    folded = unicodedata.normalize("NFKC", text.translate(_SIGNS)).lower()
    kept = "".join(" " if unicodedata.category(c) in ("So", "Sk", "Cf", "Cs", "Mn", "Co", "Cn") else c for c in folded)
    return _HAN_GAP.sub("", kept)


_BEFORE = re.compile(
    r"^(?:(?:ok|okay|well|so|hmm+|hm|um+|uh|oh|ah|hey|hi|hello|sorry|please|pls|plz|then|just|"
    r"actually|also|now|yes|anyway|wait|but|look|"
    r"unfortunately|sadly|great|thanks|can you|could you|would you|will you|can u|can i|could i|"
    r"may i|i'd like to|i would like to|"
    r"i want to|let me|let's|would you mind|kindly)\s+|"
    r"请问|请你|请|麻烦您?你?|劳驾|您好|你好|嗯+|啊|哦|那么|那|然后|好的|好吧|所以|能不能|可不可以|"
    r"可以|能否|能|帮我|帮忙|给我|我想要?|想|"
    r"再|但|谢谢|多谢|抱歉|不好意思|大佬|医生|老师)(?=.)"
)
_AFTER = re.compile(
    r"(?:\s+(?:please|pls|plz|thanks|thank you|thx|then|now|sir|doctor|bro|man|again)|吗|呢|啊|呀|吧|"
    r"哦|嘛|么|一下|谢谢|谢啦|啦|哈)$"
)


def _read(clause: str, before: Container[Kind]) -> Iterator[tuple[Kind, str]]:
    """The intents of a clause: as it stands, then without politeness, then with its typing errors mended."""
    if told := only_versions(clause, bare="was" in before):
        yield from (("version", told.now),) if told.now else ()
        yield from (("was", told.past),) if told.past else ()
        return
    for each in (*_shorter(clause), *_shorter(_mended(clause))):
        for kind in KINDS:
            found = next(filter(None, (pattern.fullmatch(each) for pattern in _patterns()[kind])), None)
            if found:
                yield kind, _value(kind, found)
                return


def _shorter(clause: str) -> Iterator[str]:
    """The clause, and the same with one more word of politeness taken off each time."""
    yield clause
    while shorter := _AFTER.sub("", _BEFORE.sub("", clause, count=1)).strip(_EDGE):
        if shorter == clause:
            return
        clause = shorter
        yield clause


@cache
def _patterns() -> dict[Kind, tuple[re.Pattern[str], ...]]:
    """The patterns of each kind."""
    tables = (ENGLISH, CHINESE, BESIDE_ENGLISH, BESIDE_CHINESE)
    return {kind: tuple(re.compile(each) for table in tables for each in table.get(kind, ())) for kind in KINDS}


_NTH = {
    "1": "first 1st 1 one a former 一 前者 前一个 前面那个 上面那个",
    "2": "second 2nd 2 two b latter 二 两 后者 后一个 后面那个 下面那个",
    "3": "third 3rd 3 three c 三",
    "last": "last 最后一个",
}  # fmt: skip


def _value(kind: Kind, found: re.Match[str]) -> str:
    word = next((value for value in found.groupdict().values() if value), "")
    return next((nth for nth, words in _NTH.items() if word in words.split()), "") if kind == "ordinal" else ""


# The words whose misspellings are read as them.
_WORDS = words(
    "why what evidence source sources reference references documentation proof solution code show give explain "
    "reason cause help helped work worked working works didn't doesn't still same error problem issue solved "
    "fixed thanks thank please hello first second third neither none english chinese traceback model file "
    "right correct know again change changed gone"
)


def _mended(clause: str) -> str:
    return re.sub(rf"[a-z']{{{SHORTEST_TYPO},}}", lambda word: _nearest(word[0]), clause)


def _nearest(word: str) -> str:
    if word in _WORDS:
        return word
    return next((each for each in sorted(_WORDS) if OSA.distance(word, each, score_cutoff=1) <= 1), word)


_IDLE = re.compile(
    r"(?:sorry|please|pls|well|so|hm+|um+|oh|ah|now|anyway|python\s?[\d.]+|那|那么|抱歉|不好意思|哦|"
    r"啊|请|麻烦)(?: (?:sorry|to say|so))*"
)


def _settled(said: dict[Kind, str]) -> dict[Kind, str]:
    """Without what a stronger word in the same message overrules."""
    if "not_helped" in said:
        said.pop("helped", None)
    for weaker in ("thanks", "greeting", "yes"):
        if len(said) > 1:
            said.pop(weaker, None)
    return said
