"""What programs print that is no problem by itself: a model's summary, nvidia-smi, a list of packages, what fit prints."""

from __future__ import annotations

import re
from typing import Literal, get_args

from ..diagnostics.training_log_bar import is_bar

Output = Literal["summary", "gpu", "packages"]
_RULES = r"[\s_=+|\-\u2500-\u257f]*"  # drawn lines
_ROW = r"\s*[┃│|]?\s*[\w./-]+(?: \([\w>]+\))?\s*[┃│|]?\s+.*(?:\d|-)\s*[┃│|]?.*|\s*[┃│|]?\s*\(?[\w.)]+\)?\s*(?:[┃│|].*)?"
# Of each kind what only it has, matched from its beginning, and what all its lines look like, with single spaces.
_LOOKS: dict[Output, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "summary": (
        re.compile(r"(?=.*Param #).*(?:Total|Trainable) params:", re.DOTALL),
        re.compile(rf"{_RULES}|\s*Model: .{{0,200}}|.*Param #.*|.* params:.*|{_ROW}"),
    ),
    "gpu": (re.compile(r".*NVIDIA-SMI [\d.]+", re.DOTALL), re.compile(r"\s*[+|].*|\w{3} \w{3} +\d.*|\s*")),
    "packages": (
        re.compile(r"(?:# packages in environment|Package +Version|\S+(?:==| @ )\S+\n)"),
        re.compile(r"[A-Za-z][\w.\[\]-]*(?:==| @ |\s+)\S*\d\S*(?:\s+\S+){0,2}|Package +Version.*|#.*|[\s-]+"),
    ),
}
_BAR = re.compile(r"\s*(?:Epoch \d+/\d+\b.*|\d+/(?:\d+|Unknown|\?)(?:\s.*)?|-? ?\d+s\b.* - .*)")


def only_output(text: str) -> Output | None:
    """Of what the whole text is the output, None where it is something else or holds something beside it."""
    lines = [re.sub(r"\s+", " ", line[:500]) for line in text.strip().splitlines()]
    for kind in get_args(Output):
        marked, line_of_it = _LOOKS[kind]
        if marked.match(text.strip()) and all(line_of_it.fullmatch(line) for line in lines):
            return kind  # type: ignore[no-any-return]
    return None


def without_bars(text: str) -> tuple[str, str]:
    """A text without what fit printed, and what it printed ("" for nothing)."""
    if not is_bar(text):
        return text, ""
    lines = text.splitlines()
    bars = [line for line in lines if _BAR.fullmatch(line[:20_000])]
    return "\n".join(line for line in lines if not _BAR.fullmatch(line[:20_000])).strip(), "\n".join(bars)
