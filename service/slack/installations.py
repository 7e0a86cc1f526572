"""The workspaces that the app is installed in, and the states that installations are begun with, in our own tables."""

from __future__ import annotations

import json
import logging
import secrets
from datetime import datetime, timedelta
from logging import Logger
from typing import Any

from slack_sdk.oauth import InstallationStore, OAuthStateStore
from slack_sdk.oauth.installation_store import Bot, Installation
from sqlalchemy import delete, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ..database import Database
from ..tables import Base, Owner, SlackInstallation, SlackSeen, SlackState, now
from .sealing import Sealing

STATE_SECONDS = 600
KEPT = timedelta(days=1)  # Slack sends an event again for an hour at most
QUIET = logging.getLogger("kerasdoctor.slack.sdk")  # the SDK's own lines, which may quote what was sent
QUIET.setLevel(logging.CRITICAL)


class Installations(InstallationStore):
    """Installations with encrypted tokens. One of a whole organisation has no workspace."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database, self._secret = database, secret

    @property
    def logger(self) -> Logger:
        """As the SDK wants it."""
        return QUIET

    def save(self, installation: Installation) -> None:
        """Keep an installation, in the place of an earlier one.

        Raises:
            StorageError: there is no secret to encrypt it with.
        """
        told = installation.to_dict()
        sealed = Sealing(self._secret).seal(json.dumps(told, default=_plain))
        team, enterprise = installation.team_id or "", installation.enterprise_id or ""
        with self._database.session() as session:
            owner = workspace(session, team or enterprise)
            row = SlackInstallation(
                team_id=team, enterprise_id=enterprise, owner_id=owner, sealed=sealed, made_at=now()
            )
            session.merge(row)

    def save_bot(self, bot: Bot) -> None:
        """Bots are kept with their installation."""

    def find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """The installation of a workspace, or of its organisation.

        Raises:
            StorageError: the secret that it was encrypted with is gone.
        """
        del user_id
        places = [(team_id or "", enterprise_id or ""), ("", enterprise_id or "")]
        with self._database.reading() as session:
            rows = [session.get(SlackInstallation, each) for each in (places[1:] if is_enterprise_install else places)]
        row = next((row for row in rows if row is not None), None)
        return Installation(**_read(Sealing(self._secret).open(row.sealed))) if row else None

    def find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The bot of an installation."""
        found = self.find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return found.to_bot() if found else None

    def delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Forget an installation with its token; chats stay until their time is over."""
        del user_id
        here = (SlackInstallation.team_id == (team_id or "")) & (
            SlackInstallation.enterprise_id == (enterprise_id or "")
        )
        with self._database.session() as session:
            session.execute(delete(SlackInstallation).where(here))

    def delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """The bot's token is the installation."""
        self.delete_installation(enterprise_id=enterprise_id, team_id=team_id)


class States(OAuthStateStore):
    """States of installations: each is valid once, for ten minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def logger(self) -> Logger:
        """As the SDK wants it."""
        return QUIET

    def issue(self, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as the SDK has it
        """A new state."""
        del args, kwargs
        state = secrets.token_urlsafe(24)
        with self._database.session() as session:
            session.add(SlackState(state=state, ends_at=now() + timedelta(seconds=STATE_SECONDS)))
        return state

    def consume(self, state: str) -> bool:
        """Whether it is valid; it never is again."""
        there = delete(SlackState).where(SlackState.state == state, SlackState.ends_at > now())
        with self._database.session() as session:
            return session.scalar(there.returning(SlackState.state)) is not None


def workspace(session: Session, team: str) -> str:
    """The id of the owner that a workspace is, made where it is not there."""
    owner = f"slack-{team}"
    add_once(session, Owner, id=owner, kind="slack")
    return owner


def add_once(session: Session, table: type[Base], **values: Any) -> bool:  # noqa: ANN401 - of any column
    """Insert a row unless there is one; whether it was inserted. Of two copies at once one is told so."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = insert(table).values(**values).on_conflict_do_nothing().returning(*inspect(table).primary_key)
    return session.execute(row).first() is not None


def sweep(database: Database) -> None:
    """Forget events that nobody sends again, and states that are over."""
    with database.session() as session:
        session.execute(delete(SlackSeen).where(SlackSeen.made_at < now() - KEPT))
        session.execute(delete(SlackState).where(SlackState.ends_at < now()))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(text)
    names = Installation(user_id="", installed_at=0.0).to_dict()
    return {name: value for name, value in told.items() if name in names}
