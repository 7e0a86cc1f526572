"""Slack's events, commands, shortcuts and buttons, as Slack Bolt tells them apart.

Bolt runs a listener before it answers Slack (`process_before_response`): what a listener takes is in the queue when Slack is told
that it was taken. No listener asks Slack for anything.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltContext, BoltResponse
from slack_bolt.authorization import AuthorizeResult

from ...errors import ConflictError, TooManyError
from ...knowledge.text import Text
from ..settings import Settings
from . import sayings
from .hearing import Heard, Json, of_button, of_command, of_event, of_shortcut
from .installations import QUIET, Installations
from .intake import Intake
from .place import Place

ALL = re.compile(".*")
_log = structlog.get_logger(__name__)


class Listeners:
    """What is done with each kind of request."""

    def __init__(self, intake: Intake, installations: Installations, settings: Settings) -> None:
        self._intake, self._installations, self._settings = intake, installations, settings

    def app(self) -> App:
        """The Bolt application. Signatures are checked before it is asked (see routes.py)."""
        app = App(
            name="kerasdoctor",
            logger=QUIET,
            signing_secret=self._settings.slack_signing_secret.get_secret_value(),
            authorize=_authorize,
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
        )
        app.event("app_mention")(self.message)
        app.event("message")(self.message)
        app.event("app_uninstalled")(self.uninstalled)
        app.event("tokens_revoked")(self.revoked)
        app.event(ALL)(_nothing)
        app.command(ALL)(self.command)
        app.shortcut(ALL)(self.shortcut)
        app.action(ALL)(self.button)
        app.error(_failed)
        return app

    def message(self, body: Json, context: BoltContext) -> None:
        """Somebody said something."""
        heard = of_event(body, place_of(context))
        if heard is not None and self._installed(heard.place) is None and (heard.text or heard.files):
            self._hear(heard)

    def command(self, body: Json, context: BoltContext, ack: Ack) -> None:
        """Somebody gave the slash command."""
        heard = of_command(body, place_of(context))
        refused = self._installed(heard.place)
        if refused is None and heard.text in ("", "help", "帮助"):
            refused = sayings.HELP
        _tell(ack, refused or self._hear(heard))

    def shortcut(self, body: Json, context: BoltContext, ack: Ack) -> None:
        """Somebody wants a message to be diagnosed."""
        heard = of_shortcut(body, place_of(context))
        if self._installed(heard.place) is None:
            self._hear(heard)
        ack()

    def button(self, body: Json, context: BoltContext, ack: Ack) -> None:
        """Somebody pressed a button."""
        pressed = of_button(body, place_of(context))
        if pressed is not None and self._installed(pressed.place) is None:
            try:
                self._intake.press(pressed)
            except ConflictError:
                _log.info("a button was not taken: the chat is full")
        ack()

    def uninstalled(self, context: BoltContext) -> None:
        """The app was removed from a workspace: its token is of no use any more."""
        self._installations.delete_installation(enterprise_id=context.enterprise_id, team_id=context.team_id)
        _log.info("the app was removed from a workspace", team=context.team_id)

    def revoked(self, event: Json, context: BoltContext) -> None:
        """Tokens were revoked; those of people are none of ours."""
        if (event.get("tokens") or {}).get("bot"):
            self.uninstalled(context)

    def _hear(self, heard: Heard) -> Text | None:
        """Take what was said; why it was not taken."""
        try:
            self._intake.hear(heard)
        except (ConflictError, TooManyError) as error:
            _log.info("a message was not taken", why=type(error).__name__, team=heard.place.team)
            return sayings.TOO_MANY if isinstance(error, TooManyError) else sayings.FULL
        return None

    def _installed(self, place: Place) -> Text | None:
        """None where the app may answer in a workspace."""
        if self._settings.slack_bot_token.get_secret_value():
            return None
        found = self._installations.find_bot(enterprise_id=place.enterprise, team_id=place.team)
        if found is None:
            _log.warning("a request of a workspace that the app isn't installed in", team=place.team)
        return None if found else sayings.NOT_INSTALLED


def place_of(context: BoltContext) -> Place:
    """The workspace that a request is for."""
    return Place(team=context.team_id or "", enterprise=context.enterprise_id or "")


def _authorize(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
    """No token is needed to take something; the jobs look for theirs."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


def _tell(ack: Ack, text: Text | None) -> None:
    if text is None:
        ack()
    else:
        ack(response_type="ephemeral", text=f"{text.en}\n{text.zh}")


def _nothing() -> None:
    """An event that nothing is to be done about."""


def _failed(error: Exception, **_: Any) -> BoltResponse:  # noqa: ANN401 - as Bolt has it
    """The border of a request: Slack sends it again."""
    _log.error("failed", kind=type(error).__name__, exc_info=error)
    return BoltResponse(status=500)
