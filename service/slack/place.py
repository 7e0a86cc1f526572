"""Where in Slack something is said, and which addresses are Slack's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlsplit

# Where Slack keeps files and takes answers: https://docs.slack.dev/reference/objects/file-object,
# https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
HOSTS = ("slack.com", "slack-files.com", "slack-gov.com")


@dataclass(frozen=True)
class Place:
    """Where an answer goes: into a thread of a channel; with an empty `thread` below the others, in direct messages.

    Without a channel, or where the app isn't in it, the answer goes to the one person who asked, by `response_url`.
    """

    team: str
    enterprise: str = ""
    channel: str = ""
    thread: str = ""
    response_url: str = ""

    @classmethod
    def from_json(cls, read: dict[str, Any]) -> Self:
        """Take back what `as_json` gave."""
        return cls(**read)

    def as_json(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)


def is_slacks(url: str, api: str) -> bool:
    """Whether an address is one of Slack's, or of the API that is set: no other is asked for anything, or told a token."""
    try:
        parts, ours = urlsplit(url), urlsplit(api)
        if (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc):
            return True
        host, odd = parts.hostname or "", parts.port not in (None, 443) or "@" in parts.netloc
    except ValueError:
        return False
    return parts.scheme == "https" and not odd and any(host == each or host.endswith(f".{each}") for each in HOSTS)
