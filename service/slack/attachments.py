"""The files of a message: a traceback becomes text of the message, everything else an upload that is examined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from ...diagnostics.progress import Watch
from ...errors import ConflictError, NotFoundError, TooLargeError
from ...knowledge.parser import parse
from ...knowledge.text import Text
from ..masking import mask
from ..settings import MIB, Settings
from ..uploads import Uploads
from . import sayings
from .client import Slack, SlackAwayError
from .place import Place

TEXTS = (".txt", ".log", ".out", ".err", ".md")


@dataclass
class Fetched:
    """What was fetched: masked texts, ids of uploads, and notes on what was not."""

    texts: list[str]
    uploads: list[str]
    notes: list[Text]


class Attachments:
    """Fetches files from Slack, within the limits of the settings."""

    def __init__(self, slack: Slack, uploads: Uploads, settings: Settings) -> None:
        self._slack, self._uploads, self._settings = slack, uploads, settings

    def fetch(self, place: Place, owner: str, files: list[str], watch: Watch) -> Fetched:
        """Fetch files by their ids. What cannot be fetched is told in the notes.

        Raises:
            Cancelled: the watch was.
        """
        fetched = Fetched([], [], [])
        for file in files:
            name = "?"
            try:
                told = self._slack.file(place, file, watch)
                name = str(told.get("name") or "file")[:100]
                self._take(place, owner, told, fetched, watch)
            except (TooLargeError, ConflictError):
                fetched.notes.append(_about(sayings.NO_ROOM, name))
            except (SlackAwayError, NotFoundError):
                fetched.notes.append(_about(sayings.NOT_FETCHED, name))
        return fetched

    def _take(self, place: Place, owner: str, told: dict[str, Any], fetched: Fetched, watch: Watch) -> None:
        size, name = told.get("size"), str(told.get("name") or "file")
        most = self._settings.slack_max_file_mib * MIB
        if not isinstance(size, int) or size > most:
            fetched.notes.append(_about(sayings.TOO_LARGE, name[:100], self._settings.slack_max_file_mib))
            return
        with self._slack.download(place, str(told.get("url_private_download") or "")) as answer:
            if _is_page(answer) and not name.endswith(
                (".html", ".htm")
            ):  # Slack's page to sign in: the token may not read
                raise SlackAwayError("Slack sent a page in place of a file")
            room = self._settings.max_text_mib * MIB - sum(map(len, fetched.texts))
            text = answer.read(size + 1) if _may_be_output(told) and size <= room else None
            if text is None or not _is_output(text):
                pieces = _pieces(answer, watch) if text is None else iter([text])
                fetched.uploads.append(self._upload(owner, name, size, pieces))
            else:
                fetched.texts.append(mask(text.decode("utf-8", "replace")))

    def _upload(self, owner: str, name: str, size: int, pieces: Iterator[bytes]) -> str:
        upload, received = self._uploads.begin(owner, name, size), 0
        try:
            with self._uploads.part(owner, upload.id, 0) as part:
                for piece in pieces:
                    received += len(piece)
                    if received > size:
                        break
                    part.write(piece)
        finally:
            if received != size:
                self._uploads.remove(owner, upload.id)
        if received != size:
            raise SlackAwayError("a file is not as large as Slack says")
        return upload.id


def _pieces(answer: IO[bytes], watch: Watch) -> Iterator[bytes]:
    while piece := answer.read(MIB):
        watch.check()
        yield piece


def _is_page(answer: IO[bytes]) -> bool:
    return answer.headers.get_content_type() == "text/html"  # type: ignore[attr-defined, no-any-return]


def _may_be_output(told: dict[str, Any]) -> bool:
    return told.get("mode") == "snippet" or str(told.get("name")).lower().endswith(TEXTS)


def _is_output(text: bytes) -> bool:
    """Whether it is a traceback or a message, not a table, a script or a training log."""
    return parse(text.decode("utf-8", "replace")).shape in ("traceback", "message")


def _about(text: Text, *told: object) -> Text:
    return Text(text.en.format(*told), text.zh.format(*told))
