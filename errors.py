"""Every exception that kerasdoctor raises on purpose.

KerasDoctorError
├── EntryError          a knowledge entry is not written as it must be
├── IndexMissingError   the search index was not built, or by another release
├── LaboratoryError     a laboratory (an environment that runs entries' code) is unusable
├── SubjectError        a model file, an environment, a log or a data sample cannot be examined
│   └── SandboxError    the sandbox cannot be locked, or a job in it ended without an answer
│       └── Cancelled   whoever asked for the job had it ended
├── StorageError        the database or the file store cannot be used
└── InputError          a file, an option or a request is not usable
    ├── NotFoundError   there is no such chat, upload, topic ... for this owner
    ├── TooLargeError   more bytes than the limit
    ├── ConflictError   it is not in the state that this needs
    ├── TooManyError    a limit of requests is used up for now
    └── NoAccessError   a key is missing or not valid

Each message says what was found, what was expected and what to do. `zh` is the same for a Chinese reader, "" where it was not
written: of what only programs and operators meet.
"""

from __future__ import annotations


class KerasDoctorError(Exception):
    """Base of every error whose message is meant for the reader."""

    zh = ""


class EntryError(KerasDoctorError):
    """A knowledge entry is not written as it must be."""

    def __init__(self, file: str, field: str, expected: str) -> None:
        super().__init__(f"{file}: {field}: {expected}")
        self.file = file
        self.field = field
        self.expected = expected


class IndexMissingError(KerasDoctorError):
    """The search index was not built, or was built by another release."""


class LaboratoryError(KerasDoctorError):
    """A laboratory could not be started or stopped answering."""


class SubjectError(KerasDoctorError):
    """A subject (a model file, an environment, a log, a data sample) cannot be examined, and why.

    Args:
        message: what was found, what was expected and what to do, in English.
        zh: the same for a Chinese reader; a message of a library has no translation.
    """

    def __init__(self, message: str, zh: str | None = None) -> None:
        super().__init__(message)
        self.zh = zh or message


class SandboxError(SubjectError):
    """The sandbox cannot be locked on this machine, or a job in it was ended: which limit it met stands in the message."""


class StorageError(KerasDoctorError):
    """The database or the file store cannot be used, and why."""


class Cancelled(SandboxError):  # noqa: N818 - no error: it was asked for
    """Whoever asked for the job had it ended."""

    def __init__(self) -> None:
        super().__init__("cancelled: nothing more is examined", "已取消，不再检查")


class InputError(KerasDoctorError):
    """A file, an option or a request of the user is not usable, and why; `zh` is the message for a Chinese reader."""

    def __init__(self, message: str, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh


class NotFoundError(InputError):
    """There is no such thing for this owner; whether others have one is not told."""


class TooLargeError(InputError):
    """It has more bytes than the limit."""


class ConflictError(InputError):
    """It is not in the state that this needs: an upload that is not whole, a job that has ended."""


class TooManyError(InputError):
    """A limit is used up for now.

    Args:
        message: which limit.
        after: seconds until there is room again.
        zh: the message for a Chinese reader.
    """

    def __init__(self, message: str, after: float, zh: str = "") -> None:
        super().__init__(message, zh)
        self.after = after


class NoAccessError(InputError):
    """A key is missing, not valid, or was revoked."""
