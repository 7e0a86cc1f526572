"""A chat, turn by turn: what is known so far and a message in, what is known afterwards and the reply out.

No web and no database: whoever calls this keeps the case, the files and the diagnoses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor
from .answers import take_answer
from .case import Asked, Case
from .circumstances import take_files, take_live, take_version
from .diagnosing import diagnosed
from .reply import Reply
from .replying import replied
from .talk import Talk
from .telling import take_text
from .verdict import take_verdict

if TYPE_CHECKING:
    from ..diagnostics.progress import Watch


@dataclass(frozen=True)
class Turn:
    """What a message led to.

    `case` is what is known afterwards. `helped` is the person's word on the diagnosis that stood before, None where they gave
    none. `looked` is set where `reply.diagnosis` is a new one, whose id the caller puts into `Case.diagnosis`.
    """

    case: Case
    reply: Reply
    helped: bool | None = None
    looked: bool = False


def _nobody(_diagnosis: Diagnosis) -> None:
    """Where nobody wants to know what was recognised."""


class Conversation:
    """Answers messages. Holds the doctor; what is known of a case comes with each message."""

    def __init__(self, doctor: Doctor, *, live: bool) -> None:
        """`live`: whether models may be run on this service at all."""
        self.doctor = doctor
        self.live = live

    def turn(
        self,
        case: Case,
        asked: Asked,
        last: Diagnosis | None,
        files: Mapping[str, Path],
        recognised: Callable[[Diagnosis], None] = _nobody,
        watch: Watch | None = None,
    ) -> Turn:
        """Answer a message.

        Args:
            case: what is known.
            asked: the message.
            last: the diagnosis that stands, None where there is none.
            files: where the uploads of the case and of the message are, by their ids; one that is missing has expired.
            recognised: is called with the diagnosis of the text alone, before files are examined; without files it is the answer.
            watch: follows the examination of files and can cancel it.

        Raises:
            Cancelled: the watch was cancelled.
        """
        talk = Talk(self.doctor.matcher, case, asked, last)
        take_files(talk, files)
        take_live(talk, allowed=self.live)
        take_version(talk)
        take_answer(talk)
        take_verdict(talk)
        take_text(talk)
        again = talk.redo and (talk.case.texts or talk.paths)
        reply = diagnosed(talk, self.doctor, recognised, watch) if again else replied(talk)
        return Turn(talk.case, reply, talk.helped, talk.looked)
