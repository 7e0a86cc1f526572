"""Tools for coding assistants, over the Model Context Protocol: on this machine (`kerasdoctor mcp`) and over HTTP (`/mcp`).

What an assistant reads is the Markdown that people get; beside it stands the same as JSON.
"""

from __future__ import annotations

import base64
import binascii
import inspect
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from anyio import from_thread, to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from .. import __version__
from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor, Subjects
from ..diagnostics.progress import Step, Watch
from ..diagnostics.topic_page import topic_page
from ..errors import InputError, KerasDoctorError
from ..knowledge.entry import has_entry, load_entry
from ..knowledge.lines import line_of
from ..knowledge.parser import parse
from ..knowledge.search import search_topics
from ..knowledge.text import Lang
from .files import safe_name
from .markdown import MarkdownPaper, diagnosis_markdown
from .masking import mask

MAX_TEXT = 1 << 20  # characters
MAX_INLINE = 2 << 20  # bytes of a file within a request
MAX_FILES = 8
INSTRUCTIONS = (
    "kerasdoctor knows the failures of Keras and TensorFlow. When a program fails with one of them, or trains wrongly, give the whole "
    "traceback to `diagnose`, together with the model file if there is one. Its answers are measured or cited; where it says that a "
    "problem is not known, it is not guessing."
)
READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

Text = Annotated[str, Field(max_length=MAX_TEXT, description="the traceback, log or question, as it was printed")]
Version = Annotated[
    str | None, Field(max_length=40, description="the version of Keras, where the text does not tell: 2.15, 3")
]
Language = Annotated[Lang | None, Field(description="language of the answer; by default that of the text")]
Live = Annotated[bool, Field(description="run the model too, in a sandbox; takes seconds and needs TensorFlow there")]
Files = Annotated[
    tuple[str, ...],
    Field(
        max_length=MAX_FILES,
        description="models, weights, training logs, data samples: paths here, ids of uploads over HTTP",
    ),
]
Named = Annotated[str, Field(min_length=1, max_length=4096, description="its path here, the id of an upload over HTTP")]
# Gives the files that a request names, as paths that exist while it is answered.
Opened = Callable[[Context, Sequence[str]], AbstractContextManager[list[Path]]]
# Takes note of a diagnosis that was given, with the masked text that it is for.
Noted = Callable[[Context, str, Diagnosis], None]


class Tools:
    """The tools that are there everywhere; each returns Markdown and the same as JSON, or raises ToolError."""

    def __init__(self, doctor: Doctor, opened: Opened, *, live: bool, noted: Noted = lambda *_: None) -> None:
        """`opened` gives the files that a request names; `live` says whether models may be run; `noted` hears of diagnoses."""
        self.doctor, self.opened, self.may_run, self.noted = doctor, opened, live, noted

    async def diagnose(
        self,
        context: Context,
        text: Text,
        files: Files = (),
        keras: Version = None,
        lang: Language = None,
        live: Live = False,
    ) -> CallToolResult:
        """Find out why a Keras or TensorFlow program failed or trains wrongly: cause, evidence, fix, or an honest "not known"."""
        if keras is not None and line_of(keras, None) is None:
            raise ToolError(f"{keras!r} is no version of Keras; expected numbers such as 2.2.4, 2.15 or 3")
        depth = self._depth(live=live)
        return await _answered(lambda: self._diagnosed(context, text, files, depth, lang, keras))

    async def examine_file(
        self,
        context: Context,
        file: Named,
        weights: Annotated[bool, Field(description="read the stored weights too")] = False,
        live: Live = False,
        lang: Lang = "en",
    ) -> CallToolResult:
        """Examine a model file, weights, a training log or a data sample for faults, without executing anything in it."""
        depth = replace(self._depth(live=live), weights=weights)
        return await _answered(lambda: self._diagnosed(context, "", [file], depth, lang, None))

    async def search(
        self,
        words: Annotated[str, Field(max_length=500, description="a few words, English or Chinese")],
        limit: Annotated[int, Field(ge=1, le=30)] = 8,
    ) -> CallToolResult:
        """Find topics by words; `topic` then tells all about one."""
        lang: Lang = "zh" if parse(words).language == "zh" else "en"
        found = search_topics(words, self.doctor.matcher.index, limit)
        listed = [{"topic": hit.topic, "title": hit.title.say(lang)} for hit in found]
        text = "\n".join(f"- `{each['topic']}`: {each['title']}" for each in listed) or "No topic has these words."
        return _result(text, {"topics": listed})

    async def topic(
        self,
        topic: Annotated[str, Field(max_length=80, description="its id, e.g. dtype-not-allowed")],
        lang: Lang = "en",
    ) -> CallToolResult:
        """Tell everything that is known about a topic: what one sees, why, what to do, code that fails and code that works."""
        if not has_entry(topic):
            raise ToolError(f"there is no topic {topic!r}; `search` finds topics by words")
        return _result(topic_markdown(topic, lang), {"topic": topic})

    def _depth(self, *, live: bool) -> Depth:
        if live and not self.may_run:
            raise ToolError("this service does not run models; ask again without live")
        return Depth(live=live)

    def _diagnosed(
        self, context: Context, text: str, files: Sequence[str], depth: Depth, lang: Lang | None, keras: str | None
    ) -> Diagnosis:
        text = mask(text)
        with self.opened(context, files) as paths:
            subjects = Subjects(tuple(paths), depth=depth)
            diagnosis = self.doctor.diagnose(text, subjects, lang, keras, watch=_watch(context))
        self.noted(context, text, diagnosis)
        return diagnosis


class LocalTools(Tools):
    """On the assistant's own machine: files are paths, and its Pythons can be examined."""

    async def examine_environment(
        self,
        context: Context,
        python: Annotated[
            str, Field(max_length=4096, description="path of the interpreter that runs the failing program")
        ],
        lang: Lang = "en",
    ) -> CallToolResult:
        """Examine the environment of a Python on this machine: versions that fit, GPUs, CUDA, imports, configuration."""
        subjects = Subjects(python=Path(python))
        return await _answered(lambda: self.doctor.diagnose("", subjects, lang, watch=_watch(context)))


class RemoteTools(Tools):
    """Over HTTP: files are uploads, or come with the request."""

    async def examine_content(
        self,
        context: Context,
        name: Annotated[str, Field(max_length=200, description="the file's name, with its ending")],
        content: Annotated[
            str, Field(max_length=MAX_INLINE * 4 // 3 + 4, description="the file in base64, at most 2 MiB")
        ],
        lang: Lang = "en",
    ) -> CallToolResult:
        """Examine a small file that comes with the request, or the report of an environment; larger ones are uploaded first."""

        def work() -> Diagnosis:
            with self.opened(context, ()), _from_base64(name, content) as path:
                diagnosis = self.doctor.diagnose("", Subjects((path,)), lang, watch=_watch(context))
            self.noted(context, "", diagnosis)
            return diagnosis

        return await _answered(work)


def make_server(tools: Tools) -> MCPServer:
    """The server with the tools, and the topics as resources."""
    server = MCPServer("kerasdoctor", title="kerasdoctor", version=__version__, instructions=INSTRUCTIONS)
    for name, tool in inspect.getmembers(tools, inspect.iscoroutinefunction):
        server.add_tool(tool, name=name, annotations=READS)
    server.resource("kerasdoctor://topics/{topic}", mime_type="text/markdown", title="A topic")(_topic_resource)
    return server


def _topic_resource(topic: str) -> str:
    """Everything that is known about a topic, by its id."""
    if not has_entry(topic):
        raise ResourceNotFoundError(f"there is no topic {topic!r}")
    return topic_markdown(topic, "en")


def topic_markdown(topic: str, lang: Lang) -> str:
    """All that is known about a topic, as Markdown."""
    paper = MarkdownPaper(level=1)
    topic_page(paper, load_entry(topic), lang)
    return paper.text()


@contextmanager
def local_files(_context: Context, named: Sequence[str]) -> Iterator[list[Path]]:
    """Files on the assistant's own machine: what is named are paths."""
    paths = [Path(name).expanduser() for name in named]
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file")
    yield paths


@contextmanager
def _from_base64(name: str, content: str) -> Iterator[Path]:
    try:
        data = base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise ToolError(f"content: {error}; expected base64") from None
    with tempfile.TemporaryDirectory(prefix="kerasdoctor-file-") as folder:
        path = Path(folder) / safe_name(name)
        path.write_bytes(data)
        yield path


async def _answered(work: Callable[[], Diagnosis]) -> CallToolResult:
    """Diagnose in a thread; what is wrong with the request is told, anything else stays in the log."""
    try:
        diagnosis = await to_thread.run_sync(work)
    except KerasDoctorError as error:
        raise ToolError(str(error)) from None
    return _result(diagnosis_markdown(diagnosis), diagnosis.as_json())


def _watch(context: Context) -> Watch:
    """Tells the assistant how many probes have ended."""
    ended = 0

    def told(step: Step) -> None:
        nonlocal ended
        if step.state == "ended":
            ended += 1
            from_thread.run(context.report_progress, ended, None, f"{step.subject}: {step.probe}")

    return Watch(told)


def _result(text: str, structured: dict[str, Any]) -> CallToolResult:
    plain = json.loads(json.dumps(structured))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=plain)
