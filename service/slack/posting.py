"""The job that posts an answer, once, however often it is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.orm import Session

from ...diagnostics.progress import Watch
from ...knowledge.text import Text
from ..database import Database
from ..queue import Task
from ..reply import Reply
from ..tables import Job, Message
from . import sayings
from .blocks import reply_blocks
from .client import Slack
from .messages import noted, thanked
from .place import Place
from .rich_text import Json

_log = structlog.get_logger(__name__)


class SlackPosting:
    """Posts answers of chats.

    A task's arguments: `place`, `message` (the id of the answer), `details` (the long form), `thanks` (whether it helped: what
    the buttons are replaced with), `notes` (what is said before it), `looking` (the `ts` of the message that it replaces).
    """

    def __init__(self, database: Database, slack: Slack, base: str) -> None:
        """`base` is the address of the service, for links."""
        self._database, self._slack, self._base = database, slack, base

    def run(self, task: Task, watch: Watch) -> Callable[[Session], None]:
        """Post."""
        place = Place.from_json(task.arguments["place"])
        with self._database.reading() as session:
            message, tries = session.get(Message, task.arguments["message"]), session.get_one(Job, task.id).tries
        if message is None or message.reply is None:
            _log.info("an answer was removed before it was posted", job=task.id)
            return _nothing_to_write
        text, blocks = self._message(message, task.arguments)
        if "thanks" in task.arguments:
            self._slack.respond(place, text, blocks, watch, replace=True)
        elif looking := task.arguments.get("looking"):
            self._slack.update(place, looking, text, blocks, watch)
        else:
            self._slack.post(place, text, blocks, task.id, watch, again=tries > 1)
        return _nothing_to_write

    def gave_up(self, session: Session, task: Task, state: str, why: Text) -> None:
        """Nobody can be told where Slack takes nothing; the answer stays in the chat."""
        del session
        _log.warning("an answer was not posted", job=task.id, state=state, why=why.en)

    def _message(self, message: Message, told: Any) -> tuple[str, list[Json]]:  # noqa: ANN401 - the task's arguments
        reply = Reply.from_json(message.reply or {})
        if "thanks" in told:
            return thanked(reply, message.id, sayings.THANKS[told["thanks"]], self._base)
        text, blocks = reply_blocks(reply, message.id, details=bool(told.get("details")), base=self._base)
        return text, noted(blocks, [Text(**note) for note in told.get("notes", ())], reply.lang)


def _nothing_to_write(_: Session) -> None:
    """What was posted is in Slack."""
