"""The entry format: one Markdown file per topic, read strictly.

    ---
    front matter (YAML): the fields of `Entry`
    ---
    # English     ## What you see, ## Why, ## What to do, ## How to check
    # 中文        ## 现象, ## 原因, ## 怎么办, ## 如何验证
    # Code        fenced blocks: ```python broken keras-3 keras-2  and  ```python fixed keras-3

The words behind `python` are the block's role and where it must fail (broken) or run (fixed): a Keras line stands for all
its laboratories, a laboratory for itself, and `-tf-2.4` takes one out. A `sh fixed` block is shown and not executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, get_args

from ..errors import EntryError
from .front_matter import FrontMatter
from .lines import LABORATORIES, LINES, Line
from .signature import GAP, pieces
from .text import LANGS, Lang, Text

Kind = Literal["error", "pitfall", "howto"]
Role = Literal["broken", "fixed"]

HEADINGS: dict[Lang, tuple[str, ...]] = {
    "en": ("What you see", "Why", "What to do", "How to check"),
    "zh": ("现象", "原因", "怎么办", "如何验证"),
}
PART_TITLES: dict[Lang, str] = {"en": "English", "zh": "中文"}
CODE_TITLE = "Code"
LEAST_SIGNATURE = 8
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_ID = 100  # characters; a longer one is no name of a file everywhere
_NAME = re.compile(r"[A-Za-z_]\w{2,}")
_FENCE = re.compile(r"```(\w+) ([^\n]*)\n(.*?)\n```", re.DOTALL)


@dataclass(frozen=True)
class Described:
    """A message that cannot be produced here (a GPU, Windows, a broken install): its words, where, and who says so."""

    message: str
    where: str
    source: str


@dataclass(frozen=True)
class Related:
    """Another topic that looks alike, and how to tell the two apart."""

    id: str
    differs: Text


@dataclass(frozen=True)
class Source:
    """Official documentation, release notes or source code that a fact rests on."""

    title: str
    url: str


@dataclass(frozen=True)
class Block:
    """A piece of code of an entry. `number` counts the entry's blocks from 1.

    `laboratories` are those in which it does what its role says, `excepted` those of its lines in which it does not,
    `lines` the Keras lines of the former.
    """

    number: int
    language: str
    role: Role
    laboratories: tuple[str, ...]
    excepted: tuple[str, ...]
    code: str

    @property
    def lines(self) -> tuple[Line, ...]:
        """The Keras lines that the block is for."""
        lines = {LABORATORIES[name] for name in self.laboratories}
        return tuple(line for line in LINES if line in lines)


@dataclass(frozen=True)
class Entry:
    """One thing we know. `sections` maps language and heading to Markdown text.

    `harmless` marks a topic whose signatures mean that nothing is wrong: beside an exception they are no evidence.
    """

    id: str
    kind: Kind
    harmless: bool
    title: Text
    summary: Text
    signatures: tuple[str, ...]
    questions: dict[Lang, tuple[str, ...]]
    described: tuple[Described, ...]
    related: tuple[Related, ...]
    sources: tuple[Source, ...]
    sections: dict[Lang, dict[str, str]]
    blocks: tuple[Block, ...]

    def section(self, lang: Lang, position: int) -> str:
        """The text under the heading at `position` (0: what you see … 3: how to check)."""
        return self.sections[lang][HEADINGS[lang][position]]

    def fix_for(self, line: Line | None, terms: frozenset[str]) -> Block | None:
        """The fixed block for a reader.

        Of the blocks for their Keras line (for the newest, where it is not known; of all, where it has none), the one whose
        code shares most with `terms`, the names in their paste, not counting what all those blocks share; else the first one.
        """
        fixed = [block for block in self.blocks if block.role == "fixed"]
        fitting = [block for block in fixed if (line or LINES[0]) in block.lines] or fixed
        names = {block.number: set(_NAME.findall(block.code)) for block in fitting}
        told = terms - set.intersection(*names.values()) if names else terms
        return max(fitting, key=lambda block: len(told & names[block.number]), default=None)


def entries_folder() -> Traversable:
    """The folder of the entry files, as installed."""
    return files(__package__) / "entries"


def topic_ids() -> list[str]:
    """The ids of all entries, sorted."""
    return sorted(f.name.removesuffix(".md") for f in entries_folder().iterdir() if f.name.endswith(".md"))


def has_entry(topic: str) -> bool:
    """Whether `topic` is the id of an entry. Never touches a path made from an ill-formed id."""
    return len(topic) <= MAX_ID and bool(_ID.fullmatch(topic)) and (entries_folder() / f"{topic}.md").is_file()


@cache
def load_entry(topic: str) -> Entry:
    """Read one entry.

    Raises:
        EntryError: there is none of that id, or its file is not as it must be.
    """
    if not has_entry(topic):
        raise EntryError(f"{topic}.md", "id", "no entry has this id; `kerasdoctor topics` lists them")
    return parse_entry(f"{topic}.md", (entries_folder() / f"{topic}.md").read_text(encoding="utf-8"))


def load_entries() -> list[Entry]:
    """Read all entries and check the links between them.

    Raises:
        EntryError: a file is not as it must be, or names a related topic that has no entry.
    """
    entries = [load_entry(topic) for topic in topic_ids()]
    known = {entry.id for entry in entries}
    for entry in entries:
        for other in entry.related:
            if other.id not in known or other.id == entry.id:
                raise EntryError(f"{entry.id}.md", "related", f"'{other.id}' is not the id of another entry")
    return entries


def parse_entry(file: str, source: str) -> Entry:
    """An entry from the text of its file; `file` is the name that errors give.

    Raises:
        EntryError: with the file, the field and what was expected.
    """
    match = re.match(r"---\n(.*?\n)---\n(.*)", source.replace("\r\n", "\n"), re.DOTALL)
    if not match:
        raise EntryError(file, "front matter", "the file must begin with YAML between two lines of '---'")
    read = FrontMatter(file, match[1])
    parts = _parts(file, match[2])
    entry = Entry(
        id=read.string("id"),
        kind=read.choice("kind", get_args(Kind)),
        harmless=read.flag("harmless"),
        title=read.text("title"),
        summary=read.text("summary"),
        signatures=read.strings("signatures"),
        questions=read.questions(),
        described=tuple(Described(**d) for d in read.records("described", ("message", "where", "source"))),
        related=tuple(Related(topic, differs) for topic, differs in read.related()),
        sources=tuple(Source(**s) for s in read.records("sources", ("title", "url"))),
        sections={lang: _sections(file, lang, parts[PART_TITLES[lang]]) for lang in LANGS},
        blocks=tuple(_blocks(file, parts[CODE_TITLE])),
    )
    _check(file, entry)
    return entry


def _parts(file: str, body: str) -> dict[str, str]:
    """The three top-level parts, split at `# ` headings outside code fences."""
    expected = [PART_TITLES["en"], PART_TITLES["zh"], CODE_TITLE]
    parts = dict(_split(body, "# "))
    if list(parts) != expected:
        raise EntryError(file, "headings", f"the parts must be {expected}, in this order, not {list(parts)}")
    return parts


def _sections(file: str, lang: Lang, body: str) -> dict[str, str]:
    sections = dict(_split(body, "## "))
    if tuple(sections) != HEADINGS[lang]:
        raise EntryError(file, PART_TITLES[lang], f"headings must be {HEADINGS[lang]}, not {tuple(sections)}")
    for heading, text in sections.items():
        if not text.strip():
            raise EntryError(file, f"{PART_TITLES[lang]}: {heading}", "must not be empty")
    return sections


def _split(body: str, mark: str) -> Iterator[tuple[str, str]]:
    title: str | None = None
    collected: list[str] = []
    fenced = False
    for line in body.splitlines():
        fenced ^= line.lstrip().startswith("```")
        if not fenced and line.startswith(mark):
            if title is not None:
                yield title, "\n".join(collected).strip()
            title, collected = line.removeprefix(mark).strip(), []
        else:
            collected.append(line)
    if title is not None:
        yield title, "\n".join(collected).strip()


def _blocks(file: str, body: str) -> Iterator[Block]:
    outside = _FENCE.sub("", body).strip()
    if "```" in outside:
        raise EntryError(file, CODE_TITLE, "each fence must read ```python broken|fixed LINE..., and be closed")
    for number, (language, words, code) in enumerate(_FENCE.findall(body), start=1):
        role, *places = words.split() or [""]
        laboratories, excepted = _places(places)
        if role not in get_args(Role) or not laboratories:
            raise EntryError(
                file,
                f"block {number}",
                f"'{words}': expected broken or fixed, then lines of {LINES}, laboratories of {tuple(LABORATORIES)}, "
                "or -LABORATORY for one of its lines in which it does not hold",
            )
        if language not in ("python", "sh") or (language == "sh" and role == "broken"):
            raise EntryError(file, f"block {number}", "must be 'python broken', 'python fixed' or 'sh fixed'")
        yield Block(number, language, role, laboratories, excepted, code)


def _places(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The laboratories that the words of a fence name, and those that they take out. Nothing, if a word is wrong."""
    minus = {word[1:] for word in words if word.startswith("-")}
    named = {word for word in words if not word.startswith("-")}
    meant = {name for name, line in LABORATORIES.items() if name in named or line in named}
    if not named <= {*LABORATORIES, *LINES} or not minus <= meant:
        return (), ()
    return tuple(n for n in LABORATORIES if n in meant - minus), tuple(n for n in LABORATORIES if n in minus)


def _check(file: str, entry: Entry) -> None:
    if entry.id != file.removesuffix(".md") or not _ID.fullmatch(entry.id):
        raise EntryError(file, "id", f"must be the file's name in lower case with hyphens, not '{entry.id}'")
    if not entry.sources:
        raise EntryError(file, "sources", "must cite at least one official page, release note or source file")
    if not any(block.role == "fixed" for block in entry.blocks):
        raise EntryError(file, CODE_TITLE, "must have at least one fixed block")
    broken = [block for block in entry.blocks if block.role == "broken"]
    if entry.kind == "error":
        if not entry.signatures:
            raise EntryError(file, "signatures", "an error must have at least one")
        if not broken and not entry.described:
            raise EntryError(file, CODE_TITLE, "an error needs a broken block, or a described message with its source")
    for signature in entry.signatures:
        if sum(map(len, pieces(signature))) < LEAST_SIGNATURE:
            raise EntryError(
                file, "signatures", f"'{signature}': needs {LEAST_SIGNATURE} fixed characters beside {GAP}"
            )
