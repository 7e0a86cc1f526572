"""Taking what people say in Slack: all that is done before Slack is answered is one transaction, which puts a job into the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from ..case import Asked, Case
from ..chats import add_message
from ..events import lock_chat
from ..feedback import save_feedback
from ..limits import spend_of
from ..masking import mask
from ..queue import add_job
from ..reply import Reply
from ..service import Service
from ..tables import Chat, Message, SlackSeen, SlackThread, new_id, now
from .hearing import ACTS, MAX_FILES, Heard, Pressed
from .installations import add_once, workspace
from .place import Place

ANSWER, POST = "slack", "slack_post"  # the kinds of our jobs
PAUSE = timedelta(hours=1)  # after which direct messages begin a new case
_log = structlog.get_logger(__name__)


class Intake:
    """Takes words and buttons. What Slack sends again is taken once, by whichever copy of the service."""

    def __init__(self, service: Service) -> None:
        self._service, self._database = service, service.database

    def hear(self, heard: Heard) -> None:
        """Take what somebody said; nothing is answered where nobody asked.

        Raises:
            TooManyError: the workspace has used up its limit of messages.
            ConflictError: too many answers are under way there.
        """
        limit = self._service.settings.max_text_mib << 20
        asked = Asked(text=mask(heard.text.encode("utf-8", "replace")[-limit:].decode("utf-8", "replace")))
        if not heard.direct and not self._helped(heard):
            return
        with self._database.reading() as session:
            if session.get(SlackSeen, heard.seen):
                return
        spend_of(self._service, f"slack-{heard.place.team}", "messages", self._service.settings.messages_per_minute)
        with self._database.session() as session:
            if not add_once(session, SlackSeen, id=heard.seen, made_at=now()):
                return
            owner = workspace(session, heard.place.team or heard.place.enterprise)
            chat = self._alone(session, owner) if heard.alone else self._chat(session, owner, heard)
            self._ask(session, owner, chat, asked, heard.place, direct=heard.direct, files=heard.files)
        self._service.jobs.nudge()

    def press(self, pressed: Pressed) -> None:
        """Take a button of an answer.

        Raises:
            ConflictError: too many answers are under way there.
        """
        with self._database.session() as session:
            message = session.get(Message, pressed.message)
            chat = session.get(Chat, message.chat_id) if message and lock_chat(session, message.chat_id) else None
            owner = f"slack-{pressed.place.team or pressed.place.enterprise}"
            if message is None or chat is None or chat.owner_id != owner or message.reply is None:
                _log.warning("a button of an answer that is not there", team=pressed.place.team)
                return
            if add_once(session, SlackSeen, id=pressed.seen, made_at=now()):
                self._pressed(session, chat, message, pressed)
        self._service.jobs.nudge()

    def _pressed(self, session: Session, chat: Chat, message: Message, pressed: Pressed) -> None:
        asked = _meant(pressed, message)
        if asked is not None and asked.act in ("helped", "not_helped"):
            helped = asked.act == "helped"
            if message.diagnosis_id is None:
                return
            save_feedback(session, message.diagnosis_id, helped=helped, reason="")
            add_post(session, chat.id, pressed.place, message.id, thanks=helped)
            if helped or Case.from_json(chat.case).diagnosis != message.diagnosis_id:
                return  # only where it is the answer that stands is there another one to look for
        if asked is not None:
            self._ask(session, chat.owner_id, chat.id, asked, pressed.place, direct=True)
        elif pressed.action == "kd:details":
            add_post(session, chat.id, pressed.place, message.id, details=True)

    def _ask(
        self,
        session: Session,
        owner: str,
        chat: str,
        asked: Asked,
        place: Place,
        *,
        direct: bool,
        files: tuple[str, ...] = (),
    ) -> None:
        told = {
            "place": place.as_json(),
            "direct": direct,
            "files": list(files[:MAX_FILES]),
            "more": len(files) > MAX_FILES,
        }
        add_message(session, self._service.events, owner, chat, asked, ANSWER, told)

    def _helped(self, heard: Heard) -> bool:
        """Whether somebody is whom we help in a thread."""
        with self._database.reading() as session:
            thread = session.get(SlackThread, (heard.place.team, heard.place.channel, heard.place.thread))
        return thread is not None and thread.person == heard.person

    def _chat(self, session: Session, owner: str, heard: Heard) -> str:
        """The chat of a thread, or of direct messages; whoever asked last in a thread is whom we help there."""
        place = heard.place
        in_channel = not place.channel.startswith("D")
        key = (place.team, place.channel, place.thread if in_channel else "")
        thread = session.get(SlackThread, key, with_for_update=True)
        if thread is None:
            chat = self._alone(session, owner)
            told = dict(zip(("team_id", "channel", "thread"), key, strict=True))
            if add_once(session, SlackThread, **told, chat_id=chat, person=heard.person):
                return chat
            session.delete(session.get_one(Chat, chat))  # somebody else began the thread in the same moment
            thread = session.get_one(SlackThread, key, with_for_update=True)
        found = session.get(Chat, thread.chat_id)
        if found is None or (not in_channel and found.changed_at < now() - PAUSE):
            thread.chat_id = self._alone(session, owner)
        if heard.direct:
            thread.person = heard.person
        return thread.chat_id

    def _alone(self, session: Session, owner: str) -> str:
        chat = Chat(id=new_id(), owner_id=owner, case={})
        session.add(chat)
        session.flush()
        return chat.id


def add_post(session: Session, chat: str, place: Place, message: str, **told: Any) -> None:  # noqa: ANN401 - see posting.py
    """Have an answer of a chat posted."""
    add_job(session, POST, chat, None, {"place": place.as_json(), "message": message, **told})


def _meant(pressed: Pressed, message: Message) -> Asked | None:
    """What a button says; None where it says nothing in the chat."""
    if pressed.action in ACTS:
        return Asked(act=ACTS[pressed.action])
    question = Reply.from_json(message.reply or {}).diagnosis
    options = question.question.options if question and question.question else ()
    if pressed.action == "kd:choose" and 0 <= pressed.option < len(options):
        return Asked(act="choose", choice=options[pressed.option].value)
    return None
