"""What Slack takes: blocks within its documented limits.

Strict: it knows only the blocks and fields that are used, as they are documented at
https://docs.slack.dev/reference/block-kit/blocks, …/block-elements and …/composition-objects.
"""

from __future__ import annotations

import json
import re
from typing import Any

Json = dict[str, Any]


def keys(value: Json, must: set[str], may: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    assert must <= set(value) <= must | may, (sorted(value), value.get("type"))


def check_text(text: Json, most: int, kinds: tuple[str, ...] = ("plain_text",)) -> None:
    """https://docs.slack.dev/reference/block-kit/composition-objects/text-object."""
    keys(text, {"type", "text"}, {"emoji"} if text["type"] == "plain_text" else {"verbatim"})
    assert text["type"] in kinds
    assert 1 <= len(text["text"]) <= most
    if text["type"] == "mrkdwn":
        told = re.sub(r"<https://[^<>|\s]+\|[^<>|]+>", "", text["text"])
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", told)


def check_button(button: Json) -> None:
    """https://docs.slack.dev/reference/block-kit/block-elements/button-element."""
    keys(button, {"type", "text", "action_id", "value"})
    check_text(button["text"], 75)
    assert len(button["action_id"]) <= 255
    assert len(button["value"]) <= 2000


def check_run(run: Json) -> int:
    """A text or a link of rich text: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#element-types."""
    if run["type"] == "link":
        keys(run, {"type", "url", "text"}, {"style"})
        assert re.match(r"https?://\S+$", run["url"])
    else:
        assert run["type"] == "text"
        keys(run, {"type", "text"}, {"style"})
    assert set(run.get("style", {"bold": True})) <= {"bold", "italic", "code"}
    assert all(run.get("style", {"bold": True}).values())
    assert isinstance(run["text"], str)
    assert run["text"]
    run["text"].encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", run["text"])
    return len(run["text"])


def check_rich(element: Json) -> int:
    """…/rich-text-block#sub-elements."""
    kind = element["type"]
    assert element["elements"]
    if kind == "rich_text_list":
        keys(element, {"type", "style", "elements"}, {"indent", "offset", "border"})
        assert element["style"] in ("bullet", "ordered")
        assert 0 <= element.get("indent", 0) <= 8
        assert element.get("offset", 0) >= 0
        assert all(each["type"] == "rich_text_section" for each in element["elements"])
        return sum(check_rich(each) for each in element["elements"])
    assert kind in ("rich_text_section", "rich_text_preformatted")
    keys(element, {"type", "elements"})
    if kind == "rich_text_preformatted":
        assert not any("style" in run for run in element["elements"])
    return sum(check_run(run) for run in element["elements"])


def check_block(block: Json) -> None:
    kind = block["type"]
    if kind == "header":  # …/blocks/header-block
        keys(block, {"type", "text"})
        check_text(block["text"], 150)
    elif kind == "context":  # …/blocks/context-block
        keys(block, {"type", "elements"})
        assert 1 <= len(block["elements"]) <= 10
        for element in block["elements"]:
            check_text(element, 3000, ("plain_text", "mrkdwn"))
    elif kind == "actions":  # …/blocks/actions-block
        keys(block, {"type", "elements", "block_id"})
        assert 1 <= len(block["elements"]) <= 25
        assert 1 <= len(block["block_id"]) <= 255
        for element in block["elements"]:
            check_button(element)
        assert len({element["action_id"] for element in block["elements"]}) == len(block["elements"])
    else:
        assert kind == "rich_text"
        keys(block, {"type", "elements"})
        assert block["elements"]
        assert sum(check_rich(each) for each in block["elements"]) <= 3000


def check(text: str, blocks: list[Json]) -> None:
    """A message that Slack takes."""
    assert 1 <= len(text) <= 4000  # https://docs.slack.dev/reference/methods/chat.postMessage#truncating
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)
    text.encode()
    assert 1 <= len(blocks) <= 50
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(ids) == len(set(ids))
    for block in blocks:
        check_block(block)
    # Seen, not documented: https://github.com/slackapi/bolt-js/issues/2509.
    assert len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) <= 13_200


def runs(value: Any) -> list[Json]:
    """All texts and links of rich text."""
    if isinstance(value, list):
        return [run for each in value for run in runs(each)]
    if value["type"] in ("text", "link"):
        return [value]
    return runs(value["elements"]) if value["type"].startswith("rich_text") else []


def actions(blocks: list[Json]) -> list[str]:
    return [e["action_id"] for block in blocks if block["type"] == "actions" for e in block["elements"]]


def words(blocks: list[Json]) -> str:
    return "".join(run["text"] for run in runs(blocks))
