"""Keys of the API: made on the command line, shown once, kept as their SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import InputError, NotFoundError
from .database import Database
from .tables import Key, Owner

BEGINNING = "kd_"
USED_EVERY = timedelta(minutes=1)
MAX_NAME = 100


def hashed(secret: str) -> str:
    """What is kept of a key or a cookie: both are 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key(database: Database, name: str) -> str:
    """Make a key.

    A second key of the same name belongs to the same owner: a key can be replaced without losing what belongs to it.

    Returns:
        the key itself, which is not kept.

    Raises:
        InputError: the name is empty, too long or not printable.
    """
    if not name.isprintable() or not name.strip() or len(name) > MAX_NAME:
        raise InputError(f"a key's name: expected 1 to {MAX_NAME} printable characters, such as a person or a program")
    key = BEGINNING + secrets.token_urlsafe(32)
    with database.session() as session:
        owner = session.scalar(select(Owner).where(Owner.kind == "key", Owner.name == name))
        if owner is None:
            owner = Owner(kind="key", name=name)
            session.add(owner)
            session.flush()
        session.add(Key(owner_id=owner.id, hash=hashed(key), name=name))
    return key


def all_keys(database: Database) -> list[Key]:
    """All keys, the oldest first, also the revoked ones."""
    with database.reading() as session:
        return list(session.scalars(select(Key).order_by(Key.made_at)))


def has_keys(database: Database) -> bool:
    """Whether there is a key that is valid."""
    with database.reading() as session:
        return session.scalar(select(Key.id).where(Key.revoked_at.is_(None)).limit(1)) is not None


def revoke_key(database: Database, key_id: str, at: datetime) -> None:
    """End a key, and with it the cookies of those who signed in with it.

    Raises:
        NotFoundError: there is no valid key with this id.
    """
    with database.session() as session:
        key = session.get(Key, key_id)
        if key is None or key.revoked_at is not None:
            raise NotFoundError(f"there is no valid key with the id '{key_id}'; see `kerasdoctor keys list`")
        key.revoked_at = at


def find_key(session: Session, secret: str) -> Key | None:
    """The valid key that this is."""
    key = session.scalar(select(Key).where(Key.hash == hashed(secret), Key.revoked_at.is_(None)))
    return key if key is not None and hmac.compare_digest(key.hash, hashed(secret)) else None


def note_use(database: Database, key: Key, at: datetime) -> None:
    """Keep when a key was last used, to the minute: not every request is worth a write."""
    if key.used_at is not None and at - key.used_at < USED_EVERY:
        return
    with database.session() as session:
        found = session.get(Key, key.id)
        if found is not None:
            found.used_at = at
