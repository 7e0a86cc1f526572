"""A recorded trace as people paste it: cut to its last line, quoted, from a notebook, or of another program.

Each form must lead back to the trace's own topic; the tests and the comparison in `docs/matching.md` measure how often
it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .matcher import Matcher
from .parser import parse
from .recorded import traces_of
from .symptoms import Frame, Raised
from .terms import words
from .texts import Texts

RULE = "-" * 75
STARTUP = """\
2024-05-02 09:14:07.201518: I tensorflow/core/util/port.cc:113] oneDNN custom operations are on. You may see slightly \
different numerical results due to floating-point round-off errors from different computation orders.
2024-05-02 09:14:07.231094: I tensorflow/core/platform/cpu_feature_guard.cc:182] This TensorFlow binary is optimized to \
use available CPU instructions in performance-critical operations.
"""


def last_line(text: str) -> str:
    """The exception alone, as people paste it who think that the rest is noise."""
    raised = parse(text).raised
    return f"{raised[-1].type}: {raised[-1].message}" if raised else text


def quoted(text: str) -> str:
    """As an e-mail or a forum quotes it."""
    return "".join(f"> {line}\n" for line in text.splitlines())


def another_program(text: str) -> str:
    """With other numbers, layer names and paths."""
    text = re.sub(r"/venv/lib/python[\d.]+/site-packages", r"C:\\Users\\me\\Anaconda3\\lib\\site-packages", text)
    text = re.sub(r"(?<=[a-z])_\d+(?!\d)", "_47", text)
    return re.sub(r"(?<=[(, \[])\d+(?=[,)\]])", lambda m: str(int(m[0]) % 1000 + 7), text)


def below_startup(text: str) -> str:
    """Below what TensorFlow logs when it starts: nothing of that is the cause."""
    return STARTUP + text


def in_notebook(text: str) -> str:
    """As IPython 8 prints it: each frame with its file, line and function, and an arrow at the line of code."""
    raised = parse(text).raised
    return "\n\n".join("\n".join(_notebook_cell(each)) for each in raised) if raised else text


def _notebook_cell(raised: Raised) -> Iterator[str]:
    yield RULE
    yield f"{raised.type:<42}Traceback (most recent call last)"
    for frame in raised.frames:
        yield _notebook_frame(frame)
        yield f"----> {frame.line or 1} {frame.code}"
        yield ""
    yield f"{raised.type}: {raised.message}"


def _notebook_frame(frame: Frame) -> str:
    if frame.owner == "user":
        return f"Cell In[3], line {frame.line or 1}"
    return f"File {frame.path}:{frame.line or 1}, in {frame.function}(*args, **kwargs)"


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "exception alone": last_line,
    "quoted": quoted,
    "from a notebook": in_notebook,
    "another program": another_program,
    "below start-up lines": below_startup,
}


@dataclass(frozen=True)
class Trace:
    """A recorded trace, its topic, and the first laboratory that printed it."""

    topic: str
    laboratory: str
    text: str


def distinct_traces(topics: list[str]) -> list[Trace]:
    """Each recorded trace of some topics, once where laboratories print the same words and calls."""
    seen: dict[tuple[str, frozenset[str]], Trace] = {}
    for topic in topics:
        for laboratory, texts in traces_of(topic).items():
            for text in texts:
                key = (topic, frozenset(words(Texts.of(parse(text)).everything)))
                seen.setdefault(key, Trace(topic, laboratory, text))
    return list(seen.values())


def lost(traces: list[Trace], form: Callable[[str], str], matcher: Matcher) -> list[tuple[Trace, str | None]]:
    """The traces that, told in a form, don't lead to their own topic first, each with what was named (None: nothing)."""
    missed: list[tuple[Trace, str | None]] = []
    for trace in traces:
        ranking = matcher.match(parse(form(trace.text)))
        named = ranking.matches[0].topic if ranking.known else None
        if named != trace.topic:
            missed.append((trace, named))
    return missed
