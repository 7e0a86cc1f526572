"""Versions of Keras and TensorFlow as people tell them: the one that fails, and those of which they only speak.

"It worked in 2.2.4", "upgraded from 2.15 to 3", "在 2.2.4 没问题，换成 3 就报错": only the version that fails is the reader's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..knowledge.lines import Line, line_of
from .sayings import words

LONGEST = 300  # characters of a line that is read as what a person tells
# What stands for a line where no release was told. "2" is the Keras in TensorFlow 2, where it is met today.
RELEASE: dict[Line, str] = {"keras-3": "3", "keras-2": "2", "keras-2.2": "2.0-2.3"}


@dataclass(frozen=True)
class Told:
    """The versions of a clause, as "keras 2.2.4 tensorflow 1.12": the one that fails, and others ("" for none)."""

    now: str = ""
    past: str = ""


@dataclass(frozen=True)
class Mention:
    """A version in a text: from where to where it stands, and of what it is.

    `past`: it is not the one that fails; `arrived`: it took another one's place.
    """

    start: int
    end: int
    package: str
    number: str
    past: bool = False
    arrived: bool = False


_NUMBER = r"v?\.?\s?(\d{1,2}(?:\.\d{1,3}){0,3}(?:\.[x*]|rc\d{1,2}|-tf)?)(?![a-z0-9_.]*\d)"
_NAME = (
    r"(?<![a-z0-9/])(tf[._-]keras|keras|tensor ?flow|tf)(?:[ _-]?(?:gpu|cpu|macos))?\s{0,3}(?:的?(?:version|版本|ver))?\s{0,3}"
    r"(?:号|number|is|was|=|:|是|为|用的是|的是|>|~|\s){0,6}"
)
_PACKAGE = re.compile(_NAME + _NUMBER)
_DOTTED = re.compile(r"(?<![a-z0-9_.])v?([123]\.\d{1,2}(?:\.\d{1,2})?)(?![a-z0-9_.]*\d|%)")
# Between two versions of which the second took the first one's place.
_BECAME = re.compile(
    r"\s*(?:的|版本?)*\s*(?:to|->|→|=>|升级?到|升级?至|升级?成|更新到|降级?到|换到|换成|改成|改用|变成|到)了?\s*"
)
_SECOND = re.compile(rf"(?:{_NAME})?{_NUMBER}")
_NOT_IT = re.compile(
    r"(?:\bnot|n't)(?: (?:on|in|using|use|running|with|really|yet))*\s*$|(?:不是|没用|没有用|并非|不用)(?:的是)?\s*$"
)
_ARRIVED = re.compile(
    r"(?:\b(?:upgrad|updat|mov|switch|migrat|downgrad)(?:ed?|ing) to|since|升级?到|升级?成|更新到|降级?到|换到|换成|改成|改用)\s*$"
)
_WENT_WELL = (
    r"no (?:such )?(?:problems?|errors?|issues?)|without (?:any )?(?:problems?|errors?|issues?)|"
    r"没问题|没有问题|没有?报错|不报错|没有?出错|没事|没有?这个(?:问题|错误)"
)
_FINE = re.compile(
    _WENT_WELL
    + r"|\b(?:works|worked|working|fine|perfectly|ran|runs|used to|before|previously|earlier|formerly|originally|"
    r"(?:is|was|were) (?:ok|okay|good)|(?:was|were|had been) (?:on|using|running|in|with)|"
    r"(?:another|other|different) (?:machine|computer|laptop|pc|server|environment)|colleagues?)\b|(?<=\d )work\b|"
    r"以前|之前|原来|原先|原本|过去|曾经|正常|好的|好好的|好使|能跑|跑得通|能用|能运行|同事|别人|另一台|"
    r"可以(?:的|了|跑|用|运行)?(?![\u3400-\u9fff])"
)
_FAILS = re.compile(
    r"\b(?:fail(?:s|ed|ing)?|errors?|crash(?:es|ed|ing)?|br(?:eaks?|oke|oken)|now|currently|no longer|stopped|wrong|cannot)\b|"
    r"n't\b|\b(?:not|never) (?:work|run)|报错|不行|不能|不可以|出错|错误|崩|失败|跑不|用不了|不工作|不work|没法|有问题|现在|目前|如今"
)
_OTHER = re.compile(r"(?:python|cuda|cudnn|numpy|ubuntu|windows|py)\s?(?:version|版本|==?|:|is)?\s?[\d.]+")


def mentions(text: str, *, bare: bool) -> list[Mention]:
    """The versions in a clause of plain text in lower case; `bare`: numbers without a name are versions too."""
    found = list(_found(text, bare=bare))
    cues = list(_cues(text, found))
    told = [cue for cue in cues if cue]
    judged, last = [], told[0] if told else ""
    for each, cue in zip(found, cues, strict=True):
        last = cue or last  # "with Keras 2.3 and TensorFlow 1.15": what is said of one holds for the other
        judged.append(replace(each, past=each.past or (last == "fine" and not each.arrived)))
    return judged


def _found(text: str, *, bare: bool) -> Iterator[Mention]:
    """All mentions; past are as yet those whose place another one took, and those that are denied."""
    at = 0
    while first := _next(text, at, bare=bare):
        between = _BECAME.match(text, first.end)
        second = _SECOND.match(text, between.end()) if between else None
        if second:
            package = _plain_name(second[1]) if second[1] else first.package
            yield replace(first, past=True)
            yield Mention(second.start(), second.end(), package, second[2], arrived=True)
        else:
            before = text[: first.start]
            yield replace(first, past=bool(_NOT_IT.search(before)), arrived=bool(_ARRIVED.search(before)))
        at = second.end() if second else first.end


def _next(text: str, at: int, *, bare: bool) -> Mention | None:
    """The first version behind a place."""
    named = _PACKAGE.search(text, at)
    number = _DOTTED.search(text, at) if bare else None
    if number and not (named and named.start() <= number.start()):
        return Mention(number.start(), number.end(), package_of(number[1]), number[1])
    return Mention(named.start(), named.end(), _plain_name(named[1]), named[2]) if named else None


def _cues(text: str, found: list[Mention]) -> Iterator[str]:
    """What the words around each mention say: those before it where such words lead the clause, else those behind it."""
    leads = len(found) > 1 and _cue(text[: found[0].start])
    ends = [0, *(each.end for each in found)]
    starts = [*(each.start for each in found), len(text)]
    if len(found) == 1:
        yield _cue(text)
    else:
        for n in range(len(found)):
            yield _cue(text[ends[n] : ends[n + 1]] if leads else text[starts[n] : starts[n + 1]])


def _cue(text: str) -> str:
    """Whether words say that it fails, or that it is (or was) fine; "" for neither."""
    if _FAILS.search(re.sub(_WENT_WELL, "", text)):
        return "fails"
    return "fine" if _FINE.search(text) else ""


def _plain_name(package: str) -> str:
    return "tensorflow" if package[0] == "t" and "keras" not in package else "keras"


def package_of(number: str) -> str:
    """Of what a bare number is a version: Keras went from 1.2 to 2.0 and from 2.15 to 3.0 (its releases on PyPI)."""
    major, minor = (int(part) for part in number.split(".")[:2])
    return "tensorflow" if (major == 1 and minor > 2) or (major == 2 and minor > 15) else "keras"  # noqa: PLR2004


_LATEST = re.compile(
    r"(?:(?:it's |it is |i'm on |i use |using )?(?:the )?(?:latest|newest)(?: (?:one|version|release|"
    r"of|keras))*|(?:用的?是?)?最新的?(?:版本?|keras)*)"
)
_BARE = re.compile(
    rf"(?:version|ver|v|it's|it is|i think|版本|版本号|是|用的是|大概是|应该是|号|:|\s)*{_NUMBER}(?:版本?|吧|的)?"
)
_AROUND = re.compile(r"[a-z']+-?[a-z']*|[\u3400-\u9fff]+|[()/+&=:]+")
_ALLOWED = words(
    "what about how if i i'm im am on in it it's its is are was were been had use using used uses run runs ran running with we "
    "we're my our the this that these have has got version versions of and of installed upgraded updated downgraded switched "
    "moved migrated upgrading updating downgrading switching moving upgrade downgrade to "
    "now actually currently here for me code environment env project setup machine server laptop computer pc colab kaggle gpu cpu "
    "as keras tf tensorflow backend bundled inside sorry please hi hello ok well yes no yeah think guess not isn't don't but "
    "believe mean meant it'll btw fyi only just still too also from works worked working work fine ok okay good perfectly before "
    "previously earlier originally formerly since after when while whereas same script program model everything all always did "
    "does didn't doesn't fails failed fail failing crashes crashed crash breaks broke broken error errors problem problems issue "
    "issues without any never another other different a an old older new newer longer used would should could do be look like "
    "write there very well my colleague's colleague happens make get"
)
_ALLOWED_HAN = re.compile(
    r"(?:我们?|用|的|是|使用|版本|版|号|环境|现在|目前|装|了|在|上|为|里|安装|当前|运行|这边|电脑|"
    r"机器|服务器|已经|升级|降级|到|换成|换|成|改成|改用|应该|大概|可能|好像|是在|跑|下|不好意思|哦|对了|自带|后端|基于|都|就|还|和|跟|以及|"
    r"带|吧|啊|呢|项目|代码|抱歉|以前|之前|原来|原先|原本|过去|曾经|没问题|没有问题|没有?报错|不报错|报错|没事|没有?这个问题|正常|好好的|好|"
    r"能|可以|同事|别人|另一台|不行|不能|出错|错误|崩|失败|不|没|后|从|由|以后|之后|同样|一样|这个|时候|时|会|才|却|旧|老|新|那|怎么写|怎么改|"
    r"怎么做|怎么办|写法|升|降|更新|这|一直|都是|呀|嘛|它|本来)+"
)
_TELLING = re.compile(r"\b(?:on|in|to|with|us(?:e|ing|ed)|versions?|from|installed|running)\b|[用版升降装在换]")


def only_versions(clause: str, *, bare: bool = False) -> Told | None:
    """The versions that a clause tells, if it tells nothing else. It is plain text in lower case.

    `bare`: versions are spoken of already, so that "it's 2.4" tells one too.
    """
    if _LATEST.fullmatch(clause):
        return Told("keras 3")
    named = _PACKAGE.search(clause) is not None
    clause = _OTHER.sub(" ", clause)
    found = mentions(clause, bare=True)
    left = _without(clause, found)
    fits = all(
        word in _ALLOWED or _ALLOWED_HAN.fullmatch(word) or not word[0].isalpha() for word in _AROUND.findall(left)
    )
    tells = bare or named or _TELLING.search(left) or _cue(left) or len(found) > 1
    if not found or not fits or not tells or re.search(r"\d", left):
        return None
    return Told(_joined(each for each in found if not each.past), _joined(each for each in found if each.past))


def _joined(found: Iterable[Mention]) -> str:
    return " ".join(f"{package} {number}" for package, number in {each.package: each.number for each in found}.items())


def _without(text: str, found: Iterable[Mention]) -> str:
    """A text with blanks for these."""
    for each in found:
        text = text[: each.start] + " " * (each.end - each.start) + text[each.end :]
    return text


_PARTS = re.compile(
    r"[!?;。；！？，、]+|\.+(?=\s|$)|,(?!\d)|\b(?:but|and(?! (?:tf|tensorflow|keras)\b)|although|because|"
    r"while|whereas)\b|但是|可是|不过|然而|但"
)


def without_past(text: str) -> str:
    """A text without the versions that it only speaks of: they are not those of the program that failed."""
    return "\n".join(_line_without_past(line) if len(line) <= LONGEST else line for line in text.split("\n"))


def _line_without_past(line: str) -> str:
    plain = line.lower()
    if len(plain) != len(line) or not _PACKAGE.search(plain):
        return line
    begin = 0
    for end in (*(part.start() for part in _PARTS.finditer(plain)), len(line)):
        past = (each for each in mentions(plain[begin:end], bare=False) if each.past)
        line = line[:begin] + _without(line[begin:end], past) + line[end:]
        begin = end
    return line


def bare_version(text: str) -> str | None:
    """The number in a message that is nothing but one ("2.2.4", "version 3", "2.15版"), an answer to "which Keras?"."""
    if len(text) > LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", text).lower()
    found = _BARE.fullmatch(
        re.sub(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])", "", plain).strip(" \t\r\n\"'`()[]<>*!?。,.")
    )
    return found[1] if found else None


def keras_of(told: str) -> str | None:
    """The Keras of what a person told: "keras 2.2.4" as it is, "tensorflow 2.4" as the Keras in it; None where it tells none.

    "TensorFlow 2" alone has either Keras 2 (to 2.15) or Keras 3 (from 2.16), so it tells none; "Keras 2" is kept as that.
    """
    words = told.split()
    said = dict(zip(words[::2], words[1::2], strict=False))
    if keras := said.get("keras"):
        number = keras.removesuffix("-tf").rstrip(".x*")
        return number if line_of(number, None) else None
    number = said.get("tensorflow", "").rstrip(".x*")
    line = line_of(None, number)
    if line is None or number == "2":
        return None
    return number if line == "keras-2" and line_of(number, None) == "keras-2" else RELEASE[line]
