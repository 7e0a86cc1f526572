"""Whether answers helped, and what was not known: kept so that people can improve topics and write the missing ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Integer, case, cast, func, select
from sqlalchemy.orm import Session

from ..errors import NotFoundError
from .database import Database
from .masking import mask
from .tables import DiagnosisRow, Feedback, now

MAX_REASON = 2000
EXCERPT = 4000


@dataclass(frozen=True)
class Helpfulness:
    """How often a topic was named, and how often it was said to have helped or not."""

    topic: str
    named: int
    helped: int
    not_helped: int


@dataclass(frozen=True)
class Unknown:
    """A masked paste that no topic was named for, the newest first; `nearest` is the topic that came nearest."""

    diagnosis: str
    text: str
    nearest: str | None
    times: int


@dataclass(frozen=True)
class Said:
    """Why a diagnosis helped or did not, in a person's masked words; the topic is None where it was not known."""

    topic: str | None
    helped: bool
    reason: str


def save_feedback(session: Session, diagnosis: str, *, helped: bool, reason: str) -> None:
    """Keep what a person said of a diagnosis, in a transaction; the last word counts."""
    session.execute(select(DiagnosisRow.id).where(DiagnosisRow.id == diagnosis).with_for_update())  # one at a time
    found = session.get(Feedback, diagnosis) or Feedback(diagnosis_id=diagnosis)
    found.helped, found.made_at = helped, now()
    found.reason = mask(reason[: 2 * MAX_REASON])[:MAX_REASON] or found.reason or ""
    session.add(found)


class Feedbacks:
    """Takes feedback and reports on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, owner: str, diagnosis: str, *, helped: bool, reason: str) -> None:
        """Keep what the owner of a diagnosis says of it.

        Raises:
            NotFoundError: there is no such diagnosis of this owner.
        """
        with self._database.session() as session:
            row = session.get(DiagnosisRow, diagnosis)
            if row is None or row.owner_id != owner:
                raise NotFoundError(f"there is no diagnosis {diagnosis[:40]}")
            save_feedback(session, diagnosis, helped=helped, reason=reason)

    def by_topic(self) -> list[Helpfulness]:
        """Each topic that was named, those that helped least first."""
        yes = func.sum(case((Feedback.helped.is_(True), 1), else_=0))
        no = func.sum(case((Feedback.helped.is_(False), 1), else_=0))
        rows = (
            select(DiagnosisRow.topic, func.count(), cast(yes, Integer), cast(no, Integer))
            .join(Feedback, Feedback.diagnosis_id == DiagnosisRow.id, isouter=True)
            .where(DiagnosisRow.topic.is_not(None))
            .group_by(DiagnosisRow.topic)
        )
        with self._database.reading() as session:
            told = [
                Helpfulness(topic or "", named, helped or 0, not_helped or 0)
                for topic, named, helped, not_helped in session.execute(rows)
            ]
        return sorted(told, key=lambda each: (each.helped - each.not_helped, each.topic))

    def reasons(self, limit: int) -> list[Said]:
        """The reasons that people gave, the newest first."""
        rows = (
            select(DiagnosisRow.topic, Feedback.helped, Feedback.reason)
            .join(Feedback, Feedback.diagnosis_id == DiagnosisRow.id)
            .where(Feedback.reason != "")
            .order_by(Feedback.made_at.desc())
            .limit(limit)
        )
        with self._database.reading() as session:
            return [Said(*row) for row in session.execute(rows)]

    def unknown(self, limit: int = 100, owner: str | None = None) -> list[Unknown]:
        """The pastes that no topic was named for, of one owner or of all; the newest first, the same one once."""
        unnamed = (DiagnosisRow.topic.is_(None)) & (DiagnosisRow.text != "")
        if owner is not None:
            unnamed &= DiagnosisRow.owner_id == owner
        newest = select(DiagnosisRow.id, DiagnosisRow.text, DiagnosisRow.body).where(unnamed)
        told: dict[str, Unknown] = {}
        with self._database.reading() as session:
            for diagnosis, text, body in session.execute(newest.order_by(DiagnosisRow.made_at.desc()).limit(limit * 5)):
                nearest = next((each["topic"] for each in body.get("alternatives", [])), None)
                known = told.get(text) or Unknown(diagnosis, text, nearest, 0)
                told[text] = replace(known, times=known.times + 1)
        return list(told.values())[:limit]
