"""Diagnoses that are asked for one by one: by the API, by a coding assistant, by a plain webhook. Each is kept for feedback."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ..diagnostics.decoding import decode
from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor, Subjects
from ..diagnostics.progress import Watch
from ..errors import InputError, NotFoundError, TooLargeError
from ..knowledge.text import Lang
from .answering import store_diagnosis
from .database import Database
from .masking import mask
from .settings import MIB, Settings
from .tables import DiagnosisRow
from .uploads import Uploads


@dataclass(frozen=True)
class Paste:
    """What a diagnosis is asked for: a text, the ids of uploads, and what the reader told.

    `lang` is the language of the answer (by default that of the text), `keras` the reader's version, `live` asks for models to
    be run.
    """

    text: str = ""
    uploads: tuple[str, ...] = ()
    keras: str | None = None
    lang: Lang | None = None
    live: bool = False


@dataclass(frozen=True)
class Given:
    """A diagnosis that was given."""

    id: str
    diagnosis: Diagnosis
    made_at: datetime

    def in_language(self, lang: Lang | None) -> Given:
        """The same, worded for a reader of `lang`; as it was given, where that is None."""
        return replace(self, diagnosis=replace(self.diagnosis, lang=lang or self.diagnosis.lang))


class Diagnoses:
    """Makes diagnoses and keeps them. What belongs to another owner is "not found"."""

    def __init__(self, database: Database, uploads: Uploads, doctor: Doctor, settings: Settings) -> None:
        self._database, self._uploads, self._doctor, self._settings = database, uploads, doctor, settings

    def make(self, owner: str, paste: Paste, watch: Watch | None = None) -> Given:
        """Diagnose a text and files, and keep the answer with the masked text.

        Raises:
            TooLargeError: the text is too long.
            InputError: models are to be run, and this service runs none.
            NotFoundError, ConflictError: an upload is not there, or not whole.
            Cancelled: the watch was.
        """
        if len(paste.text.encode("utf-8", "replace")) > self._settings.max_text_mib * MIB:
            raise TooLargeError(f"the text is over {self._settings.max_text_mib} MiB; send its last part, or a file")
        if paste.live and not self._settings.live:
            raise InputError("this service does not run models; ask without `live`")
        text = mask(paste.text)
        self._uploads.check(owner, paste.uploads)
        with self._uploads.checked_out(owner, paste.uploads) as files:
            subjects = Subjects(files=tuple(files.values()), depth=Depth(live=paste.live))
            diagnosis = self._doctor.diagnose(text, subjects, paste.lang, paste.keras, watch=watch)
        with self._database.session() as session:
            row = session.get_one(DiagnosisRow, store_diagnosis(session, owner, diagnosis, text))
            return Given(row.id, diagnosis, row.made_at)

    def get(self, owner: str, diagnosis: str) -> Given:
        """A diagnosis that this owner was given.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            row = session.get(DiagnosisRow, diagnosis)
        if row is None or row.owner_id != owner:
            raise NotFoundError(f"there is no diagnosis {diagnosis[:40]}")
        return Given(row.id, decode(Diagnosis, row.body, "diagnosis"), row.made_at)
