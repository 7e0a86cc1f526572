"""What people say in Slack, from the payloads that Slack sends: what is for us, and what it says.

In channels we hear those who mention us, and in a thread the person whom we help there; in direct messages everyone. What bots
say, and what was edited, is not answered.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import Any

from ..case import Act
from .place import Place

Json = dict[str, Any]
MAX_FILES = 10
SPOKEN = (None, "file_share", "thread_broadcast")  # subtypes of messages in which a person says something
_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>")
_MARKUP = re.compile(r"<(?P<to>(?:[@#!]|https?://|mailto:)[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")
_FENCE = re.compile(r"```")
ACTS: dict[str, Act] = {"kd:why": "why", "kd:helped": "helped", "kd:not_helped": "not_helped"}


@dataclass(frozen=True)
class Heard:
    """A person's words.

    Args:
        place: where the answer goes.
        seen: the same for the same words, however often Slack tells of them.
        person: their user id.
        text: what they wrote, as people read it.
        direct: whether they asked us; else they speak in a thread in which we may be helping them.
        files: ids of files in Slack.
        alone: not part of a thread: a command.
    """

    place: Place
    seen: str
    person: str
    text: str
    direct: bool
    files: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class Pressed:
    """A button of one of our messages: `message` is what the button carries, `option` the number of an option."""

    place: Place
    seen: str
    message: str
    action: str
    option: int = -1


def of_event(body: Json, place: Place) -> Heard | None:
    """What a message event says to us; None where it is not for us."""
    event: Json = body.get("event") or {}
    if event.get("bot_id") or event.get("subtype") not in SPOKEN or event.get("edited") or not event.get("user"):
        return None
    channel, ts, text = _id(event.get("channel")), _id(event.get("ts")), str(event.get("text") or "")
    if not channel or not ts:
        return None
    heard = Heard(
        place=replace(place, channel=channel, thread=_id(event.get("thread_ts"))),
        seen=f"message {place.team} {channel} {ts}",
        person=_id(event["user"]),
        text=spoken(text, bots_of(body)),
        direct=True,
        files=_files(event),
    )
    if event.get("channel_type") == "im":
        return heard
    in_thread = replace(heard, place=replace(heard.place, thread=heard.place.thread or ts))
    mentioned = set(re.findall(r"<@([UW][A-Z0-9]+)", text))
    if event.get("type") == "app_mention" or mentioned & bots_of(body):
        return in_thread
    if mentioned or not event.get("thread_ts"):  # they speak to somebody else, or to everyone
        return None
    return replace(in_thread, direct=False)


def of_command(body: Json, place: Place) -> Heard:
    """What a slash command asks. The answer is for the person who gave it."""
    place = replace(place, response_url=str(body.get("response_url") or ""))
    text = plain(html.unescape(str(body.get("text") or "")))
    return Heard(place, f"command {body.get('trigger_id')}", _id(body.get("user_id")), text, direct=True, alone=True)


def of_shortcut(body: Json, place: Place) -> Heard:
    """The message that somebody wants to be diagnosed. The answer goes into its thread."""
    message: Json = body.get("message") or {}
    place = replace(
        place,
        channel=_id((body.get("channel") or {}).get("id")),
        thread=_id(message.get("thread_ts")) or _id(message.get("ts")),
        response_url=str(body.get("response_url") or ""),
    )
    text = "\n\n".join([str(message.get("text") or ""), *_attached(message)])
    person = _id((body.get("user") or {}).get("id"))
    return Heard(place, f"shortcut {body.get('trigger_id')}", person, spoken(text), direct=True, files=_files(message))


def of_button(body: Json, place: Place) -> Pressed | None:
    """Which button was pressed; None for one that is none of ours."""
    action: Json = (body.get("actions") or [{}])[0]
    container, message = body.get("container") or {}, body.get("message") or {}
    name, _, option = str(action.get("action_id") or "").partition(":choose:")
    value = _id(action.get("value"))
    if not name.startswith("kd") or not value or (option and not option.isdigit()):
        return None
    channel = "" if container.get("is_ephemeral") else _id(container.get("channel_id"))
    ts = _id(container.get("message_ts"))
    thread = _id(container.get("thread_ts")) or _id(message.get("thread_ts"))
    if not thread and not channel.startswith("D"):
        thread = ts
    place = replace(place, channel=channel, thread=thread, response_url=str(body.get("response_url") or ""))
    seen = f"button {place.team} {channel} {ts} {action.get('action_ts')}"
    return Pressed(place, seen, value, "kd:choose" if option else name, int(option or -1))


def bots_of(body: Json) -> set[str]:
    """The user ids that we have in the workspaces that an event is for."""
    return {str(each.get("user_id")) for each in body.get("authorizations") or [] if each.get("is_bot")}


def spoken(text: str, bots: set[str] | frozenset[str] = frozenset()) -> str:
    """A message as its writer sees it, without our name in it: Slack escapes it and marks what is a link or a mention.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    for bot in bots:
        text = re.sub(rf"<@{re.escape(bot)}(?:\|[^<>]*)?>", " ", text)
    text = _MENTION.sub("", text)
    text = _FENCE.sub("\n", _MARKUP.sub(_shown, text))
    return plain(html.unescape(text))


def plain(text: str) -> str:
    """A text without blank lines around it."""
    return text.strip("\n").rstrip() if text.strip() else ""


def _shown(match: re.Match[str]) -> str:
    to, label = match["to"], match["label"]
    if to[0] in "!#@":
        return label or to
    return label or to.removeprefix("mailto:")


def _attached(message: Json) -> list[str]:
    """What bots (of monitoring, of CI) write is in attachments."""
    told = [each for each in message.get("attachments") or [] if isinstance(each, dict)]
    return [str(each.get("text") or each.get("fallback") or "") for each in told[:MAX_FILES]]


def _files(message: Json) -> tuple[str, ...]:
    found = [_id(each.get("id")) for each in message.get("files") or [] if isinstance(each, dict)]
    return tuple(each for each in found if each)[: MAX_FILES + 1]


def _id(value: object) -> str:
    """An id or a timestamp of Slack, which is short."""
    return value if isinstance(value, str) and len(value) <= 64 else ""  # noqa: PLR2004 - ids have some 11 characters
