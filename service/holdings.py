"""How many things one owner may have at a time."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ..errors import ConflictError
from ..knowledge.text import Text
from .tables import Chat, Owner, Upload

NAMES = {Chat: "对话", Upload: "文件"}


def lock_owner(session: Session, owner: str) -> None:
    """One at a time for each owner: sums and shared contents must not change in between."""
    session.execute(select(Owner.id).where(Owner.id == owner).with_for_update(key_share=True))


def check_number(
    session: Session, table: type[Chat | Upload], mine: ColumnElement[bool], most: int, told: Text
) -> None:
    """See that an owner, who is locked, may have one more.

    Args:
        session: the transaction.
        table: of what.
        mine: which of them are the owner's.
        most: how many there may be.
        told: what to do where there are so many.

    Raises:
        ConflictError: there are.
    """
    if (session.scalar(select(func.count()).select_from(table).where(mine)) or 0) >= most:
        raise ConflictError(
            f"you have {most} {table.__tablename__} here, which is the most; {told.en}",
            f"你在这里已有 {most} 个{NAMES[table]}，达到上限；{told.zh}",
        )
