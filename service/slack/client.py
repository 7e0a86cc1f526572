"""Slack's API, as the jobs use it: posting once, at Slack's pace, and fetching files from Slack alone."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from ...diagnostics.progress import Watch
from ...errors import KerasDoctorError, NotFoundError
from ..settings import Settings
from .installations import QUIET, Installations
from .pacing import Pace, Patience
from .place import Place, is_slacks
from .rich_text import Json

SECONDS = 20  # for one answer of Slack
PAUSES = (1.0, 4.0, 10.0)  # seconds before it is tried again where Slack cannot be reached
EVENT = "kerasdoctor_reply"
REVOKED = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})
# There is no posting there, and trying again changes nothing.
CLOSED = frozenset({
    "access_denied", "cannot_reply_to_message", "channel_is_archived", "channel_not_found", "is_archived", "is_inactive",
    "not_in_channel", "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_locked",
    "team_access_not_granted", "thread_not_found",
})  # fmt: skip
T = TypeVar("T")
_log = structlog.get_logger(__name__)


class SlackAwayError(KerasDoctorError):
    """Slack cannot be reached, or refused; which of its errors stands in the message."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as urllib has it
        """Where Slack sends us elsewhere, we do not go."""


class Slack:
    """Slack's API for all workspaces. Threads may share it."""

    def __init__(self, settings: Settings, installations: Installations, pace: Pace | None = None) -> None:
        self._settings, self._installations, self._pace = settings, installations, pace or Pace()
        self._patience = [Patience(max_retry_count=4)]

    def token(self, place: Place) -> str:
        """The bot's token in a workspace.

        Raises:
            NotFoundError: the app isn't installed there.
        """
        if token := self._settings.slack_bot_token.get_secret_value():
            return token
        found = self._installations.find_bot(enterprise_id=place.enterprise, team_id=place.team)
        if found is None:
            raise NotFoundError("kerasdoctor isn't installed in this Slack workspace (any more)")
        return found.bot_token

    def post(self, place: Place, text: str, blocks: list[Json], key: str, watch: Watch, *, again: bool = False) -> str:
        """Post a message; its `ts`, empty where nobody but the person who asked sees it.

        Args:
            place: where.
            text: what a notification shows.
            blocks: the message.
            key: an id by which the message is found again. It is not posted a second time where `again` is set.
            watch: ends the waiting when it is cancelled.
            again: whether it may have been posted already.

        Raises:
            SlackAwayError: Slack cannot be reached, or takes no message there.
            NotFoundError: the app isn't installed there.
        """
        if not place.channel:
            self.respond(place, text, blocks, watch)
            return ""

        def once() -> str:
            nonlocal again
            if again and (found := self._find(place, key)):
                return found
            again = True  # where Slack's answer is lost, the message may be there
            self._pace.wait(place.channel)
            posted = self._client(place).chat_postMessage(
                channel=place.channel,
                thread_ts=place.thread or None,
                text=text,
                blocks=blocks,
                metadata={"event_type": EVENT, "event_payload": {"id": key}},
                unfurl_links=False,
                unfurl_media=False,
            )
            return str(posted["ts"])

        try:
            return self._tried(once, watch, place)
        except _ClosedError:
            if not place.response_url:
                raise
            self.respond(place, text, blocks, watch)
            return ""

    def update(self, place: Place, ts: str, text: str, blocks: list[Json], watch: Watch) -> None:
        """Replace a message that was posted.

        Raises:
            SlackAwayError, NotFoundError: as `post`.
        """
        self._tried(
            lambda: self._client(place).chat_update(channel=place.channel, ts=ts, text=text, blocks=blocks),
            watch,
            place,
        )

    def respond(self, place: Place, text: str, blocks: list[Json], watch: Watch, *, replace: bool = False) -> None:
        """Answer the person who pressed a button or gave a command, or replace what the button is in.

        Raises:
            SlackAwayError: Slack cannot be reached, or the half hour in which it takes an answer is over.
        """
        if not is_slacks(place.response_url, self._settings.slack_api_url):
            raise SlackAwayError("the address to answer to is none of Slack's")

        def send() -> None:
            client = WebhookClient(place.response_url, timeout=SECONDS, logger=QUIET, retry_handlers=[*self._patience])
            kind = {"replace_original": True} if replace else {"response_type": "ephemeral", "replace_original": False}
            answer = client.send_dict({"text": text, "blocks": blocks, **kind})
            if answer.status_code >= 500:  # noqa: PLR2004 - a status of HTTP
                raise ConnectionError
            if answer.status_code != 200:  # noqa: PLR2004 - a status of HTTP
                raise SlackAwayError(f"Slack refused an answer by response_url: status {answer.status_code}")

        self._tried(send, watch, place)

    def file(self, place: Place, file: str, watch: Watch) -> dict[str, Any]:
        """What Slack tells of a file.

        Raises:
            SlackAwayError, NotFoundError: as `post`; the file cannot be seen.
        """
        told: dict[str, Any] = self._tried(lambda: self._client(place).files_info(file=file)["file"], watch, place)
        return told

    @contextmanager
    def download(self, place: Place, url: str) -> Iterator[IO[bytes]]:
        """The bytes of a file. The bot's token goes to Slack's own hosts only, and no redirect is followed.

        Raises:
            SlackAwayError: the address is none of Slack's, or it gives no file.
        """
        if not is_slacks(url, self._settings.slack_api_url):
            raise SlackAwayError("the address of a file is none of Slack's")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token(place)}"})  # noqa: S310 - see is_slacks
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=SECONDS) as answer:
                yield answer
        except (OSError, http.client.HTTPException) as error:
            raise SlackAwayError(f"a file could not be fetched from Slack: {_told(error)}") from None

    def _client(self, place: Place) -> WebClient:
        return WebClient(
            self.token(place),
            base_url=self._settings.slack_api_url,
            timeout=SECONDS,
            logger=QUIET,
            retry_handlers=[*self._patience],
        )

    def _find(self, place: Place, key: str) -> str | None:
        """The message with this key among the last ones, if it was posted."""
        client, most = self._client(place), {"include_all_metadata": True, "limit": 100}
        if place.thread:
            page = client.conversations_replies(channel=place.channel, ts=place.thread, **most)  # type: ignore[arg-type]
        else:
            page = client.conversations_history(channel=place.channel, **most)  # type: ignore[arg-type]
        for message in page["messages"]:
            if message.get("metadata", {}).get("event_payload", {}).get("id") == key:
                return str(message["ts"])
        return None

    def _tried(self, call: Callable[[], T], watch: Watch, place: Place) -> T:
        """Call, and again after a pause where Slack cannot be reached."""
        for pause in (*PAUSES, None):
            watch.check()
            try:
                return call()
            except SlackApiError as error:
                self._refused(error, place)
                why = error.response.get("error", "unknown")
            except (OSError, http.client.HTTPException, SlackClientError) as error:
                why = _told(error)
            _log.warning("slack cannot be reached", why=why)
            if pause is not None:
                time.sleep(pause)
        raise SlackAwayError(f"Slack cannot be reached: {why}")

    def _refused(self, error: SlackApiError, place: Place) -> None:
        """Go on only where another try can help."""
        response = error.response
        why = str(response.get("error", "unknown")) if isinstance(response.data, dict) else "unknown"
        if response.status_code >= 500 or why in ("fatal_error", "internal_error", "service_unavailable"):  # noqa: PLR2004
            return
        if why in REVOKED:
            _log.warning("a workspace's token was revoked", team=place.team)
            self._installations.delete_installation(enterprise_id=place.enterprise, team_id=place.team)
        raise (_ClosedError if why in CLOSED else SlackAwayError)(f"Slack refused: {why[:60]}")


class _ClosedError(SlackAwayError):
    """Nobody can post there, or the app can't."""


def _told(error: Exception) -> str:
    """What an error is, without an address in it."""
    return f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
