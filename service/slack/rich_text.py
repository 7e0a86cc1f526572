"""Slack's rich text, from our texts and from an entry's Markdown.

Rich text names each piece's style apart from its words, so that nothing in the words can become markup, a mention or a link, and
Chinese needs no spaces around what is bold. Slack prefers it to mrkdwn:
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ...diagnostics.paper import printable, unwrapped

Json = dict[str, Any]
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_CODE = re.compile(r"`([^`]+)`")
_STYLES = {"strong": "bold", "em": "italic"}


def words(text: str, *styles: str) -> list[Json]:
    """Some words in some styles ("bold", "italic", "code"); none where there are none: Slack refuses an empty text."""
    style = {"style": dict.fromkeys(styles, True)} if styles else {}
    return [{"type": "text", "text": text, **style}] if text else []


def link(text: str, url: str) -> list[Json]:
    """A link to an address of ours or of an entry; the words alone where there is none."""
    return [{"type": "link", "url": url, "text": text}] if text and url else words(text)


def line(text: str, *styles: str) -> list[Json]:
    """A text in one line, with code where backticks stand around it."""
    pieces = _CODE.split(" ".join(printable(text).split()))
    return [run for n, piece in enumerate(pieces) for run in words(piece, *styles, *(["code"] if n % 2 else []))]


def section(runs: list[Json]) -> Json:
    """A paragraph."""
    return {"type": "rich_text_section", "elements": runs}


def preformatted(text: str) -> Json:
    """Code."""
    return {"type": "rich_text_preformatted", "elements": words(printable(text).strip("\n") or " ")}


def listed(items: list[list[Json]], style: str = "bullet", indent: int = 0, offset: int = 0) -> Json:
    """A list; `offset` is how many items of an ordered list stand before it."""
    told = {"indent": indent} if indent else {}
    if offset:
        told["offset"] = offset
    return {"type": "rich_text_list", "style": style, "elements": [section(item) for item in items], **told}


def from_markdown(text: str) -> list[Json]:
    """The elements of a rich text block that show an entry's Markdown."""
    return [each for node in SyntaxTreeNode(_MARKDOWN.parse(unwrapped(text))).children for each in _block(node, 0)]


def _block(node: SyntaxTreeNode, indent: int) -> Iterator[Json]:
    if node.type in ("paragraph", "heading"):
        yield section(_runs(node))
    elif node.type in ("bullet_list", "ordered_list"):
        yield from _list(node, indent)
    elif node.type == "table":
        yield listed(list(_rows(node)), indent=indent)
    elif node.content.strip():
        yield preformatted(node.content)


def _list(node: SyntaxTreeNode, indent: int) -> Iterator[Json]:
    """A list, in pieces where an item holds another list: Slack knows nesting by indentation only."""
    style = "ordered" if node.type == "ordered_list" else "bullet"
    first = int(node.attrs.get("start", 1)) - 1 if style == "ordered" else 0
    begun, items = first, list[list[Json]]()
    for number, item in enumerate(node.children, first + 1):
        paragraphs = [_runs(child) for child in item.children if child.type == "paragraph"]
        items.append(_apart(paragraphs) or words(" "))
        inner = [each for child in item.children if child.type != "paragraph" for each in _block(child, indent + 1)]
        if inner:
            yield listed(items, style, indent, begun if style == "ordered" else 0)
            yield from inner
            begun, items = number, []
    if items:
        yield listed(items, style, indent, begun if style == "ordered" else 0)


def _apart(paragraphs: list[list[Json]]) -> list[Json]:
    runs: list[Json] = []
    for paragraph in paragraphs:
        runs += ([*words("\n")] if runs else []) + paragraph
    return runs


def _rows(table: SyntaxTreeNode) -> Iterator[list[Json]]:
    """Each row as an item that begins with its first cell and names the others by their columns."""
    head, *rest = table.children
    names = [_runs(cell) for cell in head.children[0].children]
    for row in (row for body in rest for row in body.children):
        cells = [_runs(cell) for cell in row.children]
        runs = cells[0] or words("–")
        for number, (name, cell) in enumerate(zip(names[1:], cells[1:], strict=False)):
            if cell:
                runs = [*runs, *words("; " if number else " – "), *name, *words(": " if name else ""), *cell]
        yield runs


def _runs(node: SyntaxTreeNode, styles: tuple[str, ...] = ()) -> list[Json]:
    """The pieces of a paragraph or a cell."""
    if node.type == "text":
        return words(node.content, *styles)
    if node.type == "code_inline":
        return words(node.content, *styles, "code")
    if node.type in ("softbreak", "hardbreak"):
        return words(" " if node.type == "softbreak" else "\n")
    inner = (*styles, _STYLES[node.type]) if node.type in _STYLES else styles
    runs = [run for child in node.children for run in _runs(child, inner)]
    if node.type == "link":
        return link("".join(run["text"] for run in runs), str(node.attrs["href"]))
    return runs
